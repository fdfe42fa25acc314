//! The JSON API: for scripts of the bank's pages, native apps, and whoever holds a bearer token.

use axum::extract::State;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, VARY,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use super::socket;
use crate::backstage::Backstage;

pub(super) fn router(backstage: Backstage) -> Router {
    Router::new()
        .route("/balance", get(balance))
        .route("/transfer", get(balance).post(transfer))
        .route("/customer", axum::routing::delete(erase).options(ahead))
        .route("/trading", get(socket::trade))
        .fallback(|| async { (StatusCode::NOT_FOUND, Json(json!({ "error": "not found" }))) })
        .with_state(backstage)
}

async fn balance(headers: HeaderMap) -> Json<serde_json::Value> {
    let aal = headers.get("x-user-aal").and_then(|aal| aal.to_str().ok());
    Json(json!({ "balance": "12480.15", "aal": aal }))
}

async fn transfer() -> Json<serde_json::Value> {
    Json(json!({ "sent": true }))
}

async fn erase(State(backstage): State<Backstage>) -> Response {
    (cors(&backstage), Json(json!({ "deleted": true }))).into_response()
}

/// What a browser asks before its script may call across origins.
async fn ahead(State(backstage): State<Backstage>) -> Response {
    let allowed = [
        (ACCESS_CONTROL_ALLOW_METHODS, "DELETE"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "accept"),
    ];
    (StatusCode::NO_CONTENT, cors(&backstage), allowed).into_response()
}

/// The bank's own pages may read the answer, and send their cookies.
fn cors(backstage: &Backstage) -> [(axum::http::HeaderName, String); 3] {
    [
        (ACCESS_CONTROL_ALLOW_ORIGIN, backstage.origins.app.clone()),
        (ACCESS_CONTROL_ALLOW_CREDENTIALS, "true".to_owned()),
        (VARY, "Origin".to_owned()),
    ]
}
