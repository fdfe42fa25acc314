//! The admin door: health, readiness, metrics and what is running. It asks nobody, Kratos least of all: a Stepgate whose
//! Kratos is down still has an answer for every check.

use std::{convert::Infallible, time::Duration};

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::watch;

use super::{
    connection::Connection,
    door::{Door, drive},
};
use crate::telemetry::{
    loads::{self, Loads},
    metrics,
};

/// How long a connection may wait for its next request.
const IDLE: Duration = Duration::from_secs(150);
const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

/// The door.
#[derive(Clone, Debug)]
pub struct Admin {
    drain: watch::Receiver<bool>,
}

/// What `/version` tells.
#[derive(Debug, Serialize)]
struct Version {
    version: &'static str,
    config: Config,
}

#[derive(Debug, Serialize)]
struct Config {
    loaded_at: String,
    rules: usize,
    /// What was wrong at the last reload, where it failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<String>,
}

impl Admin {
    /// A door that says that it is ready until `drain` holds true.
    #[must_use]
    pub fn door(drain: watch::Receiver<bool>) -> impl Door {
        Self { drain }
    }

    /// HEAD is answered as GET; hyper leaves the body out.
    fn respond(&self, method: &Method, path: &str) -> Response<String> {
        let page: fn(&Self) -> Response<String> = match path {
            "/health/alive" | "/healthz" => |_| response(StatusCode::OK, TEXT, "alive\n"),
            "/health/ready" | "/readyz" => Self::ready,
            "/metrics" => |_| metrics(),
            "/version" => |_| version(loads::current()),
            _ => return response(StatusCode::NOT_FOUND, TEXT, "not found\n"),
        };
        if method == Method::GET || method == Method::HEAD {
            return page(self);
        }
        let refused = response(StatusCode::METHOD_NOT_ALLOWED, TEXT, "GET or HEAD\n");
        with(refused, header::ALLOW, "GET, HEAD")
    }

    fn ready(&self) -> Response<String> {
        if *self.drain.borrow() {
            response(StatusCode::SERVICE_UNAVAILABLE, TEXT, "draining\n")
        } else {
            response(StatusCode::OK, TEXT, "ready\n")
        }
    }
}

impl Door for Admin {
    const NAME: &'static str = "admin";

    async fn serve(self, connection: Connection, stop: watch::Receiver<bool>) {
        let service = service_fn(|request: Request<Incoming>| {
            let response = self.respond(request.method(), request.uri().path());
            std::future::ready(Ok::<_, Infallible>(response))
        });
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE)
            .serve_connection(TokioIo::new(connection), service);
        drive(served, stop).await;
    }
}

fn metrics() -> Response<String> {
    match metrics::text() {
        Ok(text) => response(StatusCode::OK, metrics::MEDIA_TYPE, text),
        Err(_) => response(StatusCode::INTERNAL_SERVER_ERROR, TEXT, "no metrics\n"),
    }
}

fn version(loads: Loads) -> Response<String> {
    let version = Version {
        version: env!("CARGO_PKG_VERSION"),
        config: Config {
            loaded_at: Timestamp::try_from(loads.loaded_at)
                .unwrap_or_default()
                .to_string(),
            rules: loads.rules,
            faults: loads.faults,
        },
    };
    match serde_json::to_string(&version) {
        Ok(text) => response(StatusCode::OK, JSON, text + "\n"),
        Err(_) => response(StatusCode::INTERNAL_SERVER_ERROR, TEXT, "no version\n"),
    }
}

fn response(
    status: StatusCode,
    media_type: &'static str,
    body: impl Into<String>,
) -> Response<String> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let response = with(response, header::CONTENT_TYPE, media_type);
    with(response, header::CACHE_CONTROL, "no-store")
}

fn with(mut response: Response<String>, name: HeaderName, value: &'static str) -> Response<String> {
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
    response
}
