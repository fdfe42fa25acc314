use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::Markup;
use serde::Deserialize;

use super::body::{self, LOGIN, RECOVERY, SETTINGS, Session};
use super::flow::Flow;
use super::kratos::{ErrorBody, Fault, Kratos};
use crate::look::{self, Brand, Frame, Link};

#[derive(Debug, Clone)]
struct Site {
    kratos: Kratos,
    brand: Brand,
    bank: String,
}

#[derive(Debug, Deserialize)]
struct FlowId {
    flow: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ErrorId {
    id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Logout {
    logout_url: String,
}

#[derive(Debug, Deserialize)]
struct Failure {
    error: ErrorBody,
}

pub(super) fn router(kratos: Kratos, brand: Brand, bank: &str) -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::to("/welcome") }))
        .route("/login", get(login))
        .route("/settings", get(settings))
        .route("/recovery", get(recovery))
        .route("/error", get(error))
        .route("/welcome", get(welcome))
        .route("/logout", get(logout))
        .merge(look::assets())
        .fallback(missing)
        .with_state(Site {
            kratos,
            brand,
            bank: bank.to_owned(),
        })
}

async fn login(
    State(site): State<Site>,
    Query(query): Query<FlowId>,
    headers: HeaderMap,
) -> Response {
    let Some(id) = query.flow else {
        return Redirect::to(LOGIN).into_response();
    };
    match site.flow("login", &id, &headers).await {
        Ok(flow) => site.show(body::login_title(&flow), &body::login_body(&flow)),
        Err(fault) => site.broken(&fault, LOGIN),
    }
}

async fn recovery(
    State(site): State<Site>,
    Query(query): Query<FlowId>,
    headers: HeaderMap,
) -> Response {
    let Some(id) = query.flow else {
        return Redirect::to(RECOVERY).into_response();
    };
    match site.flow("recovery", &id, &headers).await {
        Ok(flow) => site.show("Recover your account", &body::recovery_body(&flow)),
        Err(fault) => site.broken(&fault, RECOVERY),
    }
}

async fn settings(
    State(site): State<Site>,
    Query(query): Query<FlowId>,
    headers: HeaderMap,
) -> Response {
    let Some(id) = query.flow else {
        return Redirect::to(SETTINGS).into_response();
    };
    match site.flow("settings", &id, &headers).await {
        Ok(flow) => site.show("Security settings", &body::settings_body(&flow)),
        // After a recovery: the factor comes first, and then this page (K-103).
        Err(Fault::Refused {
            status: 403,
            id,
            restart: Some(step_up),
            ..
        }) if id == "session_aal2_required" => Redirect::to(&step_up).into_response(),
        Err(fault) => site.broken(&fault, SETTINGS),
    }
}

async fn error(
    State(site): State<Site>,
    Query(query): Query<ErrorId>,
    headers: HeaderMap,
) -> Response {
    let id = query.id.unwrap_or_default();
    match site
        .kratos
        .get::<Failure>("/self-service/errors", &[("id", &id)], &headers)
        .await
    {
        Ok(Failure { error }) => {
            let words = if error.reason.is_empty() {
                &error.message
            } else {
                &error.reason
            };
            site.show(
                "Something went wrong",
                &body::trouble(words, &error.id, LOGIN),
            )
        }
        Err(fault) => site.broken(&fault, LOGIN),
    }
}

async fn welcome(State(site): State<Site>, headers: HeaderMap) -> Response {
    match site
        .kratos
        .get::<Session>("/sessions/whoami", &[], &headers)
        .await
    {
        Ok(session) => site.show("Your login", &body::signed_in(&session, &site.bank)),
        // The session is good, but this Kratos shows it only after the second factor (K-05).
        Err(Fault::Refused { status: 403, .. }) => {
            site.show("Your login", &body::half_signed_in(&site.bank))
        }
        Err(Fault::Refused { .. }) => site.show("Your login", &body::signed_out()),
        Err(fault) => site.broken(&fault, "/welcome"),
    }
}

/// Kratos ends the session at a URL that only the browser's own cookies yield.
async fn logout(State(site): State<Site>, headers: HeaderMap) -> Response {
    match site
        .kratos
        .get::<Logout>("/self-service/logout/browser", &[], &headers)
        .await
    {
        Ok(Logout { logout_url }) => Redirect::to(&logout_url).into_response(),
        Err(Fault::Refused { .. }) => Redirect::to("/welcome").into_response(),
        Err(fault) => site.broken(&fault, "/welcome"),
    }
}

async fn missing(State(site): State<Site>) -> Response {
    let page = site.show(
        "No such page",
        &body::trouble("There is no such page here.", "", "/welcome"),
    );
    (StatusCode::NOT_FOUND, page).into_response()
}

impl Site {
    async fn flow(&self, kind: &str, id: &str, headers: &HeaderMap) -> Result<Flow, Fault> {
        self.kratos
            .get(
                &format!("/self-service/{kind}/flows"),
                &[("id", id)],
                headers,
            )
            .await
    }

    fn show(&self, title: &str, body: &Markup) -> Response {
        let link = |text, href: &str, here| Link {
            text,
            href: href.to_owned(),
            here,
        };
        let app = match self.brand {
            Brand::Bank => "Bank",
            Brand::Staff => "Console",
        };
        let links = vec![
            link(app, &self.bank, false),
            link("Your login", "/welcome", title == "Your login"),
            link("Security", SETTINGS, title == "Security settings"),
        ];
        let frame = Frame {
            brand: self.brand,
            title: title.to_owned(),
            home: self.bank.clone(),
            links,
            connect: String::new(),
        };
        look::page(&frame, body)
    }

    /// A flow that is gone (expired, another browser's) can be started anew; all else is an outage.
    fn broken(&self, fault: &Fault, start: &str) -> Response {
        match fault {
            Fault::Refused {
                status: 403 | 404 | 410,
                id,
                restart,
                ..
            } => {
                let onward = restart.as_deref().unwrap_or(start);
                let words =
                    "This form is no longer good: it is too old, or was opened in another browser.";
                (
                    StatusCode::GONE,
                    self.show("Start again", &body::trouble(words, id, onward)),
                )
                    .into_response()
            }
            Fault::Refused {
                id,
                reason,
                restart,
                ..
            } => {
                let onward = restart.as_deref().unwrap_or(start);
                (
                    StatusCode::BAD_GATEWAY,
                    self.show("Start again", &body::trouble(reason, id, onward)),
                )
                    .into_response()
            }
            Fault::Unreachable(_) => {
                let words = "The login service can't be reached right now. Nothing is wrong with your account.";
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    self.show("Out of service", &body::trouble(words, "", start)),
                )
                    .into_response()
            }
        }
    }
}
