//! Envoy's door: `envoy.service.auth.v3.Authorization` over gRPC.
//!
//! A refusal always has a status code that is not zero and a `denied_response`; an allow has code 0 and an `ok_response`.
//! Nothing else leaves: an empty response would be an allow for Envoy, and an `error_response` obeys `failure_mode_allow`.
//!
//! The one call that comes thousands of times a second is read and answered here, on bare HTTP/2. What else is asked, health,
//! goes to the library.

pub mod encode;
mod facts;
mod health;
mod unary;

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use h2::{
    Ping, PingPong, RecvStream,
    server::{self, Builder, SendResponse},
};
use http::{HeaderMap, Request};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tonic::Status;
use tonic_health::pb::health_server::{Health, HealthServer};

use super::{
    connection::Connection,
    door::{Door, told},
};
use crate::{
    authorizer::{Answer, Authorizer},
    domain::{headers::Headers, request::Facts},
};

/// The service, for which `grpc.health.v1` answers beside the empty name.
const AUTHORIZATION: &str = "envoy.service.auth.v3.Authorization";
/// Its one method.
const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";
/// How long a connection may take to begin to speak HTTP/2.
const PREFACE: Duration = Duration::from_secs(5);
/// How often a connection is asked whether it lives ...
const KEEPALIVE: Duration = Duration::from_secs(30);
/// ... and how long it may take to say so.
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(20);
/// Calls at once on a connection; for more, Envoy opens another.
const MAX_CALLS: u32 = 1024;
/// Bytes of calls that a connection, or one call, may be ahead of what is read.
const WINDOW_BYTES: u32 = 1024 * 1024;
/// Most bytes of a call's headers.
const MAX_HEADER_BYTES: u32 = 16 * 1024;
/// What is kept of a check's own deadline for the way back.
const MARGIN: Duration = Duration::from_millis(10);

/// A call that is being answered.
type Answering = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The door.
#[derive(Debug)]
pub struct ExtAuthz<H> {
    authorizer: Arc<Authorizer>,
    health: HealthServer<H>,
}

/// Opens the door: checks, and `grpc.health.v1` beside them, which says `NOT_SERVING` once `drain` holds true.
pub async fn door(authorizer: Arc<Authorizer>, drain: watch::Receiver<bool>) -> impl Door {
    let health = health::of(AUTHORIZATION, drain).await;
    Arc::new(ExtAuthz { authorizer, health })
}

impl<H: Health> Door for Arc<ExtAuthz<H>> {
    const NAME: &'static str = "grpc";

    async fn serve(self, connection: Connection, stop: watch::Receiver<bool>) {
        if let Err(error) = self.converse(connection, stop).await {
            tracing::debug!(%error, "a connection broke");
        }
    }
}

impl<H: Health> ExtAuthz<H> {
    /// Serves a connection until it ends.
    async fn converse(
        self: Arc<Self>,
        connection: Connection,
        stop: watch::Receiver<bool>,
    ) -> Result<(), h2::Error> {
        let Ok(connection) = timeout(PREFACE, http2().handshake(connection)).await else {
            return Ok(());
        };
        let mut connection = connection?;
        let mut silence = pin!(silence(connection.ping_pong()));
        let mut stopped = pin!(told(stop));
        let mut is_stopping = false;
        let mut calls = Vec::new();
        loop {
            tokio::select! {
                biased;
                ended = poll_fn(|context| self.poll_calls(&mut connection, &mut calls, context)) => return ended,
                () = &mut stopped, if !is_stopping => {
                    connection.graceful_shutdown();
                    is_stopping = true;
                }
                () = &mut silence => return Ok(()),
            }
        }
    }

    /// Reads all calls that have come, then answers them one by one, so that their answers leave together. Whichever has to
    /// wait for Kratos goes on as a task of its own.
    fn poll_calls(
        self: &Arc<Self>,
        connection: &mut server::Connection<Connection, Bytes>,
        calls: &mut Vec<Call>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), h2::Error>> {
        loop {
            while let Poll::Ready(call) = connection.poll_accept(context) {
                match call.transpose()? {
                    Some((request, sender)) => calls.push(Call::new(request, sender)),
                    None => return Poll::Ready(Ok(())),
                }
            }
            if calls.is_empty() {
                return Poll::Pending;
            }
            for call in calls.drain(..) {
                let mut answering = self.begin(call);
                if answering.as_mut().poll(context).is_pending() {
                    tokio::spawn(answering);
                }
            }
        }
    }

    /// The answer to a call, yet to be given.
    fn begin(self: &Arc<Self>, call: Call) -> Answering {
        match call {
            Call::Check(asked, sender) => Box::pin(Arc::clone(self).answer(asked, sender)),
            // A call that nobody serves is answered there, too.
            Call::Other(request, sender) => {
                Box::pin(health::answer(self.health.clone(), *request, sender))
            }
        }
    }

    /// Answers a check, unless its caller gives up first.
    async fn answer(self: Arc<Self>, asked: Asked, mut sender: Sender) {
        let checked = tokio::select! {
            biased;
            checked = self.check(asked) => checked,
            _ = poll_fn(|context| sender.poll_reset(context)) => return,
        };
        let sent = match checked {
            Ok(answer) => unary::send(encode::response(&answer, unary::PREFIX_BYTES), &mut sender),
            Err(status) => unary::fail(status, &mut sender),
        };
        tell(sent);
    }

    async fn check(&self, asked: Asked) -> Result<Answer, Status> {
        let check = unary::receive(asked.body).await?;
        let facts = Facts {
            trace: asked.trace,
            ..facts::of(check)
        };
        Ok(self.authorizer.check("grpc", &facts, asked.deadline).await)
    }
}

/// How a call is answered.
type Sender = SendResponse<Bytes>;

/// A call that is yet to be answered. It is small, since many may wait while the others are read.
enum Call {
    Check(Asked, Sender),
    Other(Box<Request<RecvStream>>, Sender),
}

impl Call {
    fn new(request: Request<RecvStream>, sender: Sender) -> Self {
        if request.uri().path() == CHECK {
            Self::Check(request.into(), sender)
        } else {
            Self::Other(Box::new(request), sender)
        }
    }
}

/// A check that is yet to be read. Of its request, which is many times as large, nothing else is kept.
struct Asked {
    deadline: Option<Duration>,
    trace: Headers,
    body: RecvStream,
}

impl From<Request<RecvStream>> for Asked {
    fn from(request: Request<RecvStream>) -> Self {
        Self {
            deadline: deadline(request.headers()),
            trace: facts::trace(request.headers()),
            body: request.into_body(),
        }
    }
}

/// Says where an answer reached nobody.
fn tell(sent: Result<(), h2::Error>) {
    if let Err(error) = sent {
        tracing::debug!(%error, "a call is answered to nobody");
    }
}

/// HTTP/2, as far as a caller may go.
fn http2() -> Builder {
    let mut http2 = Builder::new();
    http2
        .initial_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .max_concurrent_streams(MAX_CALLS)
        .max_header_list_size(MAX_HEADER_BYTES);
    http2
}

/// Ends when the other side no longer says that it is there.
async fn silence(pings: Option<PingPong>) {
    let Some(mut pings) = pings else {
        return std::future::pending().await;
    };
    loop {
        sleep(KEEPALIVE).await;
        let answered = timeout(KEEPALIVE_ANSWER, pings.ping(Ping::opaque())).await;
        if !matches!(answered, Ok(Ok(_))) {
            return;
        }
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
