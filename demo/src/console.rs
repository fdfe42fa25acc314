//! The staff's console, a host that takes a second factor as a whole. Like the bank it holds no auth code: who may
//! grant a role is a rule of Stepgate's.

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use maud::{Markup, html};
use serde::Deserialize;
use tokio::net::TcpListener;

use crate::admin::Admin;
use crate::backstage::Backstage;
use crate::bank::{Ledger, record, told};
use crate::look::{self, Brand, Frame, Link};
use crate::server::Server;
use crate::story::Customer;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    email: String,
}

/// Serves the console on `listener`; what reaches it is written into `ledger`.
///
/// # Errors
///
/// When the listener has no address of its own.
pub fn start(
    listener: TcpListener,
    backstage: Backstage,
    ledger: Ledger,
) -> std::io::Result<Server> {
    let app = Router::new()
        .route("/", get(overview))
        .route("/grant", get(ask).post(grant))
        .route("/customers/remove-factor", post(remove_factor))
        .merge(look::assets())
        .with_state(backstage)
        .layer(middleware::from_fn_with_state(ledger, record));
    Server::start(listener, app)
}

async fn overview(State(backstage): State<Backstage>, headers: HeaderMap) -> Response {
    let customers = table(&backstage.ciam, &backstage.customers, true).await;
    let staff = table(&backstage.iam, &backstage.staff, false).await;
    let body = html! {
        h1 { "Console" }
        p.lead { "Every page of this host takes a second factor, and so does this one." }
        section.card { h2 { "Customers" } (customers) }
        section.card { h2 { "Staff" } (staff) p { a.button href="/grant" { "Grant the admin role" } } }
        (told(&headers))
    };
    show(&backstage, "Console", "/", &body)
}

async fn table(admin: &Admin, people: &[Customer], removable: bool) -> Markup {
    let mut rows = Vec::new();
    for person in people {
        let identity = admin.person(&person.email).await.unwrap_or_default();
        let has = |kind: &str| identity.pointer(&format!("/credentials/{kind}")).is_some();
        let factors = match (has("totp"), has("lookup_secret")) {
            (true, true) => "app, backup codes",
            (true, false) => "app",
            (false, true) => "backup codes",
            (false, false) => "none",
        };
        let role = identity
            .pointer("/metadata_public/role")
            .and_then(|role| role.as_str());
        rows.push((
            person.email.clone(),
            factors,
            role.unwrap_or("–").to_owned(),
        ));
    }
    html! {
        table {
            thead { tr { th { "Person" } th { "Second factor" } th { @if removable { "Lost it?" } @else { "Role" } } } }
            @for (email, factors, role) in &rows {
                tr {
                    td { (email) } td { (factors) }
                    td {
                        @if !removable { (role) } @else if *factors != "none" {
                            form method="post" action="/customers/remove-factor" {
                                input type="hidden" name="email" value=(email);
                                button.quiet.small type="submit" aria-label={ "Remove the second factor of " (email) } { "Remove" }
                            }
                        }
                    }
                }
            }
        }
    }
}

async fn remove_factor(
    State(backstage): State<Backstage>,
    headers: HeaderMap,
    Form(named): Form<Named>,
) -> Response {
    let identity = backstage
        .ciam
        .person(&named.email)
        .await
        .unwrap_or_default();
    let Some(id) = identity.get("id").and_then(|id| id.as_str()) else {
        return done(
            &backstage,
            StatusCode::NOT_FOUND,
            "There is no such customer.",
            &headers,
        );
    };
    for kind in ["totp", "lookup_secret"] {
        backstage.ciam.remove_factor(id, kind).await;
    }
    done(
        &backstage,
        StatusCode::OK,
        "The lost factor is gone. A new one can be set up now.",
        &headers,
    )
}

async fn ask(State(backstage): State<Backstage>, headers: HeaderMap) -> Response {
    let body = html! {
        h1 { "Grant the admin role" }
        p.lead { "You are an admin, with a second factor of the last five minutes: so says the rule." }
        form.card method="post" action="/grant" {
            label for="email" { "To" }
            input #email name="email" type="email" required value="viewer@bank.localhost";
            button type="submit" { "Grant" }
        }
        (told(&headers))
    };
    show(&backstage, "Grant", "/grant", &body)
}

async fn grant(
    State(backstage): State<Backstage>,
    headers: HeaderMap,
    Form(named): Form<Named>,
) -> Response {
    let identity = backstage.iam.person(&named.email).await.unwrap_or_default();
    let granted = match identity.get("id").and_then(|id| id.as_str()) {
        Some(id) => backstage.iam.set_role(id, "admin").await,
        None => false,
    };
    if !granted {
        return done(
            &backstage,
            StatusCode::NOT_FOUND,
            "There is no such member of staff.",
            &headers,
        );
    }
    done(&backstage, StatusCode::OK, "Granted.", &headers)
}

fn done(backstage: &Backstage, status: StatusCode, words: &str, headers: &HeaderMap) -> Response {
    let kind = if status.is_success() {
        "note success"
    } else {
        "note error"
    };
    let body = html! {
        h1 { "Console" }
        p class=(kind) role="status" { (words) }
        p { a href="/" { "Back to the console" } }
        (told(headers))
    };
    (status, show(backstage, "Console", "", &body)).into_response()
}

fn show(backstage: &Backstage, title: &str, path: &str, body: &Markup) -> Response {
    let link = |text, href: &str| Link {
        text,
        href: href.to_owned(),
        here: href == path,
    };
    let frame = Frame {
        brand: Brand::Staff,
        title: title.to_owned(),
        home: "/".to_owned(),
        links: vec![
            link("Console", "/"),
            link("Grant", "/grant"),
            link("Your login", &format!("{}/welcome", backstage.origins.iam)),
            link("Bank", &backstage.origins.app),
        ],
        connect: String::new(),
    };
    look::page(&frame, body)
}
