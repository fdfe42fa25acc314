//! Envoy's door: `envoy.service.auth.v3.Authorization` over gRPC.
//!
//! A refusal always has a status code that is not zero and a `denied_response`; an allow has code 0 and an `ok_response`.
//! Nothing else leaves: an empty response would be an allow for Envoy, and an `error_response` obeys `failure_mode_allow`.

pub mod encode;
mod facts;

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tonic::{Request, Response, Status, metadata::MetadataMap, transport::Server};
use tonic_health::{
    ServingStatus,
    pb::health_server::{Health, HealthServer},
    server::HealthReporter,
};

use super::runtime::{Connections, Door, told};
use crate::{
    authorizer::Authorizer,
    proto::{
        CheckRequest, CheckResponse,
        authorization_server::{Authorization, AuthorizationServer},
    },
};

/// The service that `grpc.health.v1` answers for beside the empty name.
const AUTHORIZATION: &str = "envoy.service.auth.v3.Authorization";
/// A connection that sends nothing is asked whether it lives.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// Longest message that is read.
const MAX_MESSAGE_BYTES: usize = 1024 * 1024;
/// What is kept of a check's own deadline for the way back.
const MARGIN: Duration = Duration::from_millis(10);

/// The service.
#[derive(Clone, Debug)]
pub struct ExtAuthz {
    authorizer: Arc<Authorizer>,
}

impl ExtAuthz {
    /// The door: the service, with `grpc.health.v1` beside it, which says `NOT_SERVING` once `drain` holds true.
    pub async fn door(authorizer: Arc<Authorizer>, drain: watch::Receiver<bool>) -> impl Door {
        let (reporter, health) = tonic_health::server::health_reporter();
        let leaving = reporter.clone();
        tokio::spawn(async move {
            told(drain).await;
            report(&leaving, ServingStatus::NotServing).await;
        });
        report(&reporter, ServingStatus::Serving).await;
        GrpcDoor {
            checks: Self { authorizer },
            reporter,
            health,
        }
    }

    fn service(self) -> AuthorizationServer<Self> {
        AuthorizationServer::new(self).max_decoding_message_size(MAX_MESSAGE_BYTES)
    }
}

struct GrpcDoor<H> {
    checks: ExtAuthz,
    reporter: HealthReporter,
    health: HealthServer<H>,
}

impl<H> Clone for GrpcDoor<H> {
    fn clone(&self) -> Self {
        Self {
            checks: self.checks.clone(),
            reporter: self.reporter.clone(),
            health: self.health.clone(),
        }
    }
}

impl<H: Health> Door for GrpcDoor<H> {
    const NAME: &'static str = "grpc";

    /// Health is told first, so that no new check comes while the last ones are answered.
    async fn serve(self, connections: Connections, stop: watch::Receiver<bool>) {
        let reporter = self.reporter;
        let stopped = async move {
            told(stop).await;
            report(&reporter, ServingStatus::NotServing).await;
        };
        let served = Server::builder()
            .http2_keepalive_interval(Some(KEEPALIVE))
            .add_service(self.checks.service())
            .add_service(self.health)
            .serve_with_incoming_shutdown(connections, stopped)
            .await;
        if let Err(error) = served {
            tracing::error!(%error, "a worker stopped");
        }
    }
}

async fn report(reporter: &HealthReporter, status: ServingStatus) {
    for service in ["", AUTHORIZATION] {
        reporter.set_service_status(service, status).await;
    }
}

#[tonic::async_trait]
impl Authorization for ExtAuthz {
    async fn check(
        &self,
        request: Request<CheckRequest>,
    ) -> Result<Response<CheckResponse>, Status> {
        let deadline = deadline(request.metadata());
        let trace = facts::trace(request.metadata());
        let mut facts = facts::of(request.into_inner());
        facts.trace = trace;
        let answer = self.authorizer.check("grpc", &facts, deadline).await;
        Ok(Response::new(encode::response(answer)))
    }
}

/// The check's own deadline, less a margin: `grpc-timeout`, up to eight digits and a unit.
fn deadline(metadata: &MetadataMap) -> Option<Duration> {
    let text = metadata.get("grpc-timeout")?.to_str().ok()?;
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
            let mut metadata = MetadataMap::new();
            metadata.insert("grpc-timeout", text.parse().unwrap());
            deadline(&metadata)
        };
        assert_eq!(of("1000m"), Some(Duration::from_millis(990)));
        assert_eq!(of("2S"), Some(Duration::from_millis(1990)));
        assert_eq!(of("5m"), Some(Duration::ZERO));
        assert_eq!(
            of("99999999H"),
            Some(Duration::from_secs(99_999_999 * 3600) - MARGIN)
        );
        for text in ["", "m", "1", "1x", "-1S", "é"] {
            assert_eq!(deadline(&MetadataMap::new()), None);
            assert_eq!(
                text.parse()
                    .map(|value: tonic::metadata::MetadataValue<_>| {
                        let mut metadata = MetadataMap::new();
                        metadata.insert("grpc-timeout", value);
                        deadline(&metadata)
                    })
                    .unwrap_or(None),
                None,
                "{text}"
            );
        }
    }
}
