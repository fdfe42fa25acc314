use axum::extract::{Form, Query, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};
use maud::{Markup, html};
use serde::Deserialize;

use super::ledger::{Ledger, record};
use crate::look::{self, Link};

/// What a page knows besides its request: the origin of the login pages.
type Origin = State<String>;

/// A cookie of the bank's own, which no gate in front of it may lose.
const LAST_TRANSFER: &str = "olympus_last=transfer; Path=/; HttpOnly; SameSite=Lax";

/// A transfer as the form sends it, or as a link prepares it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Transfer {
    to: String,
    amount: String,
}

pub(super) fn router(login_pages: &str, ledger: Ledger) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/account", get(account))
        .route("/transfer", get(prepare).post(transfer))
        .route("/olympus.css", get(look::stylesheet))
        .fallback(missing)
        .with_state(login_pages.to_owned())
        .layer(middleware::from_fn_with_state(ledger, record))
}

async fn home(State(login_pages): Origin, headers: HeaderMap) -> Response {
    let body = html! {
        h1 { "Banking, with a second look where it counts" }
        p.lead {
            "Three pages, none of which knows how to log anyone in. What each demands is written in Stepgate's rules; "
            "Envoy asks Stepgate before a request gets here."
        }
        div.cards {
            (card("Open to all", "This page", "Rates, branches, news. Nobody asks who you are.", "/", "Read it again"))
            (card("A session", "Your account", "Balance and movements, once you have logged in.", "/account", "See the account"))
            (card("A second factor", "Transfer", "Money leaves only after a code, or a backup code.", "/transfer?to=Hermes&amount=250", "Send 250 to Hermes"))
        }
        (told(&headers))
    };
    show("Home", "/", &login_pages, &body)
}

async fn account(State(login_pages): Origin, headers: HeaderMap) -> Response {
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
    show("Your account", "/account", &login_pages, &body)
}

async fn prepare(
    State(login_pages): Origin,
    Query(transfer): Query<Transfer>,
    headers: HeaderMap,
) -> Response {
    let body = html! {
        h1 { "Transfer" }
        p.lead { "You are here with a second factor, or you would not be here." }
        form.card method="post" action="/transfer" {
            label for="to" { "To" }
            input #to name="to" required value=(transfer.to);
            label for="amount" { "Amount in drachmas" }
            input #amount name="amount" inputmode="decimal" required value=(transfer.amount);
            button type="submit" { "Send" }
        }
        (told(&headers))
    };
    let page = show("Transfer", "/transfer", &login_pages, &body);
    ([(SET_COOKIE, LAST_TRANSFER)], page).into_response()
}

async fn transfer(
    State(login_pages): Origin,
    headers: HeaderMap,
    Form(transfer): Form<Transfer>,
) -> Response {
    let body = html! {
        h1 { "Sent" }
        p.note.success role="status" { (transfer.amount) " drachmas are on their way to " (transfer.to) "." }
        p { a href="/account" { "Back to your account" } }
        (told(&headers))
    };
    show("Sent", "/transfer", &login_pages, &body)
}

async fn missing(State(login_pages): Origin) -> Response {
    let body = html! { h1 { "No such page" } p { a href="/" { "Back to the first page" } } };
    (
        StatusCode::NOT_FOUND,
        show("No such page", "", &login_pages, &body),
    )
        .into_response()
}

fn show(title: &str, path: &str, login_pages: &str, body: &Markup) -> Response {
    let link = |text, href: &str| Link {
        text,
        href: href.to_owned(),
        here: href == path,
    };
    let links = [
        link("Home", "/"),
        link("Account", "/account"),
        link("Transfer", "/transfer"),
        link("Your login", &format!("{login_pages}/welcome")),
    ];
    look::page(title, "/", &links, body)
}

fn card(demand: &str, title: &str, text: &str, href: &str, action: &str) -> Markup {
    html! {
        section.card {
            span.demand { (demand) }
            h2 { (title) }
            p { (text) }
            a.button href=(href) { (action) }
        }
    }
}

/// What this request told the bank about its sender: the identity headers, then all of them.
fn told(headers: &HeaderMap) -> Markup {
    let identity: Vec<_> = headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-user-"))
        .collect();
    html! {
        section.card {
            h2 { "What the bank was told about you" }
            @if identity.is_empty() {
                p { "Nothing. On an open page no session is looked up." }
            } @else {
                table.told { @for (name, value) in identity { (row(name.as_str(), value.as_bytes())) } }
            }
            details {
                summary { "All headers of this request" }
                table.told {
                    @for (name, value) in headers {
                        // The page is shown to people over shoulders; a session cookie is a key.
                        @if name == "cookie" { (row("cookie", b"<redacted>")) } @else { (row(name.as_str(), value.as_bytes())) }
                    }
                }
            }
        }
    }
}

fn row(name: &str, value: &[u8]) -> Markup {
    html! { tr { th scope="row" { code { (name) } } td { code { (String::from_utf8_lossy(value)) } } } }
}
