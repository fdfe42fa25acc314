//! Olympus Bank, the application behind Envoy: its pages at `app.bank.localhost`, its JSON API at `api.bank.localhost`.
//!
//! It holds no auth code: it serves whoever reaches it, shows what it was told of them, and writes each request into a
//! [`Ledger`], so that a test sees at the app itself what got through.

mod api;
mod home;
mod ledger;
mod reading;
mod site;
mod socket;
mod told;

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::HOST;
use axum::response::Response;
use axum::{Router, middleware};
use tokio::net::TcpListener;
use tower_service::Service as _;

pub(crate) use ledger::record;
pub use ledger::{Ledger, Visit};
pub(crate) use told::told;

use crate::backstage::Backstage;
use crate::server::Server;

/// Serves the bank on `listener`; what reaches it is written into `ledger`.
///
/// # Errors
///
/// When the listener has no address of its own.
pub fn start(
    listener: TcpListener,
    backstage: Backstage,
    ledger: Ledger,
) -> std::io::Result<Server> {
    let (site, api) = (site::router(backstage.clone()), api::router(backstage));
    let app = Router::new()
        .fallback(move |request| by_host(request, site.clone(), api.clone()))
        .layer(middleware::from_fn_with_state(ledger, record));
    Server::start(listener, app)
}

/// Shows on `listener` what reached the bank, for a reader in another process; see [`Ledger::at`].
///
/// # Errors
///
/// When the listener has no address of its own.
pub fn open_ledger(listener: TcpListener, ledger: Ledger) -> std::io::Result<Server> {
    Server::start(listener, reading::router(ledger))
}

/// Envoy lets through two hosts: the API's, and the bank's own.
async fn by_host(request: Request, mut site: Router, mut api: Router) -> Response {
    let host = request.headers().get(HOST).map(HeaderValue::as_bytes);
    let answer = match host {
        Some(host) if host.starts_with(b"api.") => api.call(request).await,
        _ => site.call(request).await,
    };
    match answer {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
