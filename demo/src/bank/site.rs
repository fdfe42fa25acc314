use axum::extract::{Form, Query, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;
use url::form_urlencoded;

use super::{home, told};
use crate::backstage::Backstage;
use crate::decisions::Told;
use crate::look::{self, Brand, Frame, Link};

/// A cookie of the bank's own, which no gate in front of it may lose.
const LAST_TRANSFER: &str = "olympus_last=transfer; Path=/; HttpOnly; SameSite=Lax";
/// How many decisions the first page shows.
const DECISIONS: usize = 12;

/// A transfer as the form sends it, or as a link prepares it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Transfer {
    to: String,
    amount: String,
    note: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Email {
    email: String,
}

pub(super) fn router(backstage: Backstage) -> Router {
    Router::new()
        .route("/", get(front))
        .route("/me", get(me))
        .route("/account", get(account))
        .route("/email", get(email).post(new_email))
        .route("/password", get(password))
        .route("/transfer", get(prepare).post(transfer))
        .route("/transfer/sent", get(sent))
        .route("/payout", get(vault).post(payout))
        .route("/privacy", get(privacy))
        .route("/trading", get(trading))
        .route("/rules", get(rules))
        .route("/backstage/people", get(people))
        .route("/backstage/decisions", get(decisions))
        .merge(look::assets())
        .fallback(missing)
        .with_state(backstage)
}

async fn front(State(backstage): State<Backstage>, headers: HeaderMap) -> Response {
    let body = html! { (home::body(&backstage)) (told(&headers)) };
    show(&backstage, "Home", "/", &body)
}

/// Who is signed in, for the first page's script.
async fn me(State(backstage): State<Backstage>, headers: HeaderMap) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let name = match header("x-user-id") {
        Some(id) => backstage.customer(id).await,
        None => None,
    };
    Json(json!({
        "name": name.unwrap_or_else(|| "a customer".to_owned()),
        "aal": header("x-user-aal"),
        "second_factor_at": header("x-user-second-factor"),
    }))
    .into_response()
}

async fn account(State(backstage): State<Backstage>, headers: HeaderMap) -> Response {
    let movements = [
        ("21 Nov", "Ambrosia & Sons", "−48.20"),
        ("19 Nov", "Forge of Hephaestus, wages", "2,900.00"),
        ("17 Nov", "Ferry across the Styx", "−1.00"),
    ];
    let body = html! {
        h1 { "Your account" }
        div.card { p { "Balance" } p.figure { "12,480.15 drachmas" } }
        div.card {
            table {
                caption { "Last movements" }
                @for (day, what, amount) in movements {
                    tr { td { (day) } td { (what) } td.amount { (amount) } }
                }
            }
        }
        (told(&headers))
    };
    show(&backstage, "Your account", "/account", &body)
}

async fn email(State(backstage): State<Backstage>, headers: HeaderMap) -> Response {
    let body = html! {
        h1 { "Change email" }
        p.lead { "You are here with a second factor, or you would not be here." }
        form.card method="post" action="/email" {
            label for="email" { "New address" }
            input #email name="email" type="email" autocomplete="email" required;
            button type="submit" { "Change" }
        }
        (told(&headers))
    };
    show(&backstage, "Change email", "/email", &body)
}

async fn new_email(
    State(backstage): State<Backstage>,
    headers: HeaderMap,
    Form(new): Form<Email>,
) -> Response {
    let words = html! { "The bank writes to " (new.email) " from now on." };
    done(&backstage, "Changed", "/email", &words, &headers)
}

async fn password(State(backstage): State<Backstage>, headers: HeaderMap) -> Response {
    let settings = format!("{}/self-service/settings/browser", backstage.origins.ciam);
    let body = html! {
        h1 { "Change password" }
        p.lead { "The bank knows no passwords. Kratos does, and guards its own settings by the same second factor." }
        p { a.button href=(settings) { "To your security settings" } }
        (told(&headers))
    };
    show(&backstage, "Change password", "/password", &body)
}

async fn prepare(
    State(backstage): State<Backstage>,
    Query(transfer): Query<Transfer>,
    headers: HeaderMap,
) -> Response {
    let body = html! {
        h1 { "Transfer" }
        p.lead { "You are here with a second factor of the last five minutes." }
        form.card method="post" action="/transfer" {
            label for="to" { "To" }
            input #to name="to" required value=(transfer.to);
            label for="amount" { "Amount in drachmas" }
            input #amount name="amount" inputmode="decimal" required value=(transfer.amount);
            label for="note" { "Note" }
            textarea #note name="note" rows="3" { (transfer.note) }
            button type="submit" { "Send" }
        }
        (told(&headers))
    };
    let page = show(&backstage, "Transfer", "/transfer", &body);
    ([(SET_COOKIE, LAST_TRANSFER)], page).into_response()
}

/// Takes the transfer, and shows its receipt at an address of its own: to load that again sends nothing again.
async fn transfer(Form(transfer): Form<Transfer>) -> Response {
    let fields = [
        ("to", &transfer.to),
        ("amount", &transfer.amount),
        ("note", &transfer.note),
    ];
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    Redirect::to(&format!("/transfer/sent?{query}")).into_response()
}

async fn sent(
    State(backstage): State<Backstage>,
    Query(transfer): Query<Transfer>,
    headers: HeaderMap,
) -> Response {
    let words = html! {
        (transfer.amount) " drachmas are on their way to " (transfer.to) "."
        @if !transfer.note.is_empty() { " Note: " (transfer.note) }
    };
    done(&backstage, "Sent", "/transfer", &words, &headers)
}

async fn vault(State(backstage): State<Backstage>, headers: HeaderMap) -> Response {
    let body = html! {
        h1 { "Payout" }
        p.lead { "You are here with a second factor of the last sixty seconds. Press in time." }
        form.card method="post" action="/payout" { button type="submit" { "Pay me all of it" } }
        (told(&headers))
    };
    show(&backstage, "Payout", "/payout", &body)
}

async fn payout(State(backstage): State<Backstage>, headers: HeaderMap) -> Response {
    let words = html! { "A cart with 12,480.15 drachmas waits at the gate." };
    done(&backstage, "Paid out", "/payout", &words, &headers)
}

async fn privacy(State(backstage): State<Backstage>) -> Response {
    let body = html! {
        h1 { "Privacy" }
        p.lead { "The button calls the API by script. If it hears that a second factor is missing, it asks you." }
        div.card {
            button #erase type="button" data-url={ (backstage.origins.api) "/customer" } { "Delete all my data" }
            p #erased role="status" {}
        }
        dialog #ask aria-labelledby="ask-title" {
            h2 #ask-title { "One more thing" }
            p { "Deleting everything takes a second factor. Afterwards you are back here, and press again." }
            a.button #onward href="/" { "Go on" }
            form method="dialog" { button.quiet { "Not now" } }
        }
    };
    show(&backstage, "Privacy", "/privacy", &body)
}

async fn trading(State(backstage): State<Backstage>) -> Response {
    let socket = format!(
        "{}/trading",
        backstage.origins.api.replacen("http", "ws", 1)
    );
    let step_up = format!(
        "{}/self-service/login/browser?aal=aal2&refresh=true&return_to={}/trading",
        backstage.origins.ciam, backstage.origins.app
    );
    let body = html! {
        h1 { "Trading floor" }
        p.lead { "Prices come over a WebSocket. A browser can't follow a redirect there, so the refusal is a plain 403." }
        div.card {
            button #trade type="button" data-url=(socket) { "Open the socket" }
            p #price .figure role="status" { "–" }
            p #trade-help hidden { "Refused. " a href=(step_up) { "Give a second factor" } ", then open it again." }
        }
    };
    show(&backstage, "Trading", "/trading", &body)
}

async fn rules(State(backstage): State<Backstage>) -> Response {
    let body = html! {
        h1 { "The rules" }
        p.lead { "This is " code { (backstage.rules_name().display()) } ", as Stepgate runs it now. Change it while the demo runs." }
        pre.card.code tabindex="0" { (backstage.rules_text()) }
    };
    show(&backstage, "Rules", "/rules", &body)
}

async fn people(State(backstage): State<Backstage>) -> Markup {
    backstage.panel().await
}

async fn decisions(State(backstage): State<Backstage>) -> Json<Vec<Told>> {
    Json(backstage.decisions.last(DECISIONS))
}

async fn missing(State(backstage): State<Backstage>) -> Response {
    let body = html! { h1 { "No such page" } p { a href="/" { "Back to the first page" } } };
    let page = show(&backstage, "No such page", "", &body);
    (StatusCode::NOT_FOUND, page).into_response()
}

fn done(
    backstage: &Backstage,
    title: &str,
    path: &str,
    words: &Markup,
    headers: &HeaderMap,
) -> Response {
    let body = html! {
        h1 { (title) }
        p.note.success role="status" { (words) }
        p { a href="/" { "Back to the first page" } }
        (told(headers))
    };
    show(backstage, title, path, &body)
}

fn show(backstage: &Backstage, title: &str, path: &str, body: &Markup) -> Response {
    let origins = &backstage.origins;
    let link = |text, href: &str| Link {
        text,
        href: href.to_owned(),
        here: href == path,
    };
    let links = vec![
        link("Home", "/"),
        link("Account", "/account"),
        link("Rules", "/rules"),
        link("Your login", &format!("{}/welcome", origins.ciam)),
    ];
    let frame = Frame {
        brand: Brand::Bank,
        title: title.to_owned(),
        home: "/".to_owned(),
        links,
        connect: format!("{} {}", origins.api, origins.api.replacen("http", "ws", 1)),
    };
    look::page(&frame, body)
}
