//! Envoy's door: `envoy.service.auth.v3.Authorization` over gRPC.
//!
//! A refusal always has a status code that is not zero and a `denied_response`; an allow has code 0 and an `ok_response`.
//! Nothing else leaves: an empty response would be an allow for Envoy, and an `error_response` obeys `failure_mode_allow`.
//!
//! The one call that comes thousands of times a second is read and answered here, over the HTTP/2 that hyper serves. What
//! else is asked, health, goes to the library.

pub mod encode;
mod facts;
mod unary;

use std::{convert::Infallible, sync::Arc, time::Duration};

use http::HeaderMap;
use hyper::{Request, Response, body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::watch;
use tonic::codegen::Service;
use tonic_health::{
    ServingStatus,
    pb::health_server::{Health, HealthServer},
    server::HealthReporter,
};

use super::{
    connection::Connection,
    door::{Door, drive, told},
};
use crate::{authorizer::Authorizer, domain::request::Facts};
use unary::Answer;

/// The service, for which `grpc.health.v1` answers beside the empty name.
const AUTHORIZATION: &str = "envoy.service.auth.v3.Authorization";
/// Its one method.
const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";
/// A connection that sends nothing is asked whether it lives.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// What is kept of a check's own deadline for the way back.
const MARGIN: Duration = Duration::from_millis(10);

/// The door.
#[derive(Debug)]
pub struct ExtAuthz<H> {
    authorizer: Arc<Authorizer>,
    health: HealthServer<H>,
}

/// Opens the door: checks, and `grpc.health.v1` beside them, which says `NOT_SERVING` once `drain` holds true.
pub async fn door(authorizer: Arc<Authorizer>, drain: watch::Receiver<bool>) -> impl Door {
    let (reporter, health) = tonic_health::server::health_reporter();
    report(&reporter, ServingStatus::Serving).await;
    tokio::spawn(async move {
        told(drain).await;
        report(&reporter, ServingStatus::NotServing).await;
    });
    Arc::new(ExtAuthz { authorizer, health })
}

async fn report(reporter: &HealthReporter, status: ServingStatus) {
    for service in ["", AUTHORIZATION] {
        reporter.set_service_status(service, status).await;
    }
}

impl<H: Health> Door for Arc<ExtAuthz<H>> {
    const NAME: &'static str = "grpc";

    async fn serve(self, connection: Connection, stop: watch::Receiver<bool>) {
        let service = service_fn(move |request| Arc::clone(&self).respond(request));
        let served = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEPALIVE)
            .auto_date_header(false)
            .serve_connection(TokioIo::new(connection), service);
        drive(served, stop).await;
    }
}

impl<H: Health> ExtAuthz<H> {
    async fn respond(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Answer>, Infallible> {
        if request.uri().path() == CHECK {
            return Ok(self.check(request).await);
        }
        // A call that nobody serves is answered there, too.
        let answered = Box::pin(self.health.clone().call(request)).await;
        answered.map(|response| response.map(Answer::Library))
    }

    async fn check(&self, call: Request<Incoming>) -> Response<Answer> {
        let deadline = deadline(call.headers());
        let trace = facts::trace(call.headers());
        let facts = match unary::receive(call.into_body()).await {
            Ok(check) => facts::of(check),
            Err(status) => return unary::fail(status),
        };
        let facts = Facts { trace, ..facts };
        let answer = self.authorizer.check("grpc", &facts, deadline).await;
        unary::send(&encode::response(answer))
    }
}

/// The check's own deadline, less a margin: `grpc-timeout`, up to eight digits and a unit.
fn deadline(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let amount = digits.parse::<u32>().ok()?;
    let unit = match unit {
        "H" => Duration::from_secs(3600),
        "M" => Duration::from_secs(60),
        "S" => Duration::from_secs(1),
        "m" => Duration::from_millis(1),
        "u" => Duration::from_micros(1),
        "n" => Duration::from_nanos(1),
        _ => return None,
    };
    Some(unit.saturating_mul(amount).saturating_sub(MARGIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deadline_is_the_callers_less_a_margin() {
        let of = |text: &str| {
            let value = text.parse().unwrap();
            deadline(&HeaderMap::from_iter([(
                "grpc-timeout".parse().unwrap(),
                value,
            )]))
        };
        assert_eq!(of("1000m"), Some(Duration::from_millis(990)));
        assert_eq!(of("2S"), Some(Duration::from_millis(1990)));
        assert_eq!(of("5m"), Some(Duration::ZERO));
        assert_eq!(
            of("99999999H"),
            Some(Duration::from_secs(99_999_999 * 3600) - MARGIN)
        );
        assert_eq!(deadline(&HeaderMap::new()), None);
        for text in ["", "m", "1", "1x", "-1S", "é"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
