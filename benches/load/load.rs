//! Checks over bare HTTP/2, in a closed loop; every answer is decoded and held against what was expected.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use envoy_types::pb::envoy::service::auth::v3::{CheckResponse, check_response::HttpResponse};
use h2::{RecvStream, client::SendRequest};
use http::Request;
use prost::Message;
use tokio::{net::TcpStream, task::JoinSet, time::timeout};

use crate::Outcome;

/// Where Envoy asks.
const CHECK: &str = "http://127.0.0.1/envoy.service.auth.v3.Authorization/Check";
/// No run takes longer than this.
pub(crate) const MAX_RUN: Duration = Duration::from_secs(60);
/// What stands before a message of gRPC.
const PREFIX: usize = 5;
/// What small answers that are not read yet may cost.
const DATA_FRAME_BUDGET: usize = 64 * 1024 * 1024;

/// What is sent, how, and what must come back.
pub(crate) struct Load {
    /// Sent in turn.
    pub(crate) messages: Arc<[Bytes]>,
    pub(crate) connections: usize,
    /// Checks that wait for their answer at a time, over all connections; a multiple of theirs.
    pub(crate) in_flight: usize,
    /// From Stepgate.
    pub(crate) expected: Expected,
    /// From the floor.
    pub(crate) floor: Expected,
}

/// The answer that a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Code 0 and an `ok_response`.
    Allow,
    /// Another code and a `denied_response` with a 303; and Stepgate's reason for it.
    Redirect(Option<&'static str>),
}

/// When a run ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    Sent(usize),
    Past(Duration),
}

/// What came back, counted from the answers.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) allowed: usize,
    pub(crate) denied: usize,
    pub(crate) took: Duration,
    pub(crate) latencies: Vec<Duration>,
}

impl Load {
    /// Asks the server at that port until the end, and waits for every answer.
    pub(crate) async fn run(&self, port: u16, until: Until, expected: &Expected) -> Outcome<Tally> {
        timeout(MAX_RUN, self.run_unbounded(port, until, *expected)).await?
    }

    /// Checks with an answer of that kind, as many in flight as elsewhere.
    pub(crate) fn of(messages: Vec<Bytes>, expected: Expected) -> Self {
        let (in_flight, connections) = crate::case::MANY;
        Self {
            messages: messages.into(),
            connections,
            in_flight,
            expected,
            floor: expected,
        }
    }

    async fn run_unbounded(&self, port: u16, until: Until, expected: Expected) -> Outcome<Tally> {
        let mut connections = Vec::new();
        for _ in 0..self.connections {
            connections.push(connect(port).await?);
        }
        let began = now();
        let sent = Arc::new(AtomicUsize::new(0));
        let mut loops = JoinSet::new();
        for connection in connections.iter().cycle().take(self.in_flight) {
            let messages = Arc::clone(&self.messages);
            let caller = Caller {
                connection: connection.clone(),
                sent: Arc::clone(&sent),
                messages,
                until,
                began,
                expected,
            };
            loops.spawn(caller.run());
        }
        let mut all = Tally::default();
        while let Some(one) = loops.join_next().await {
            all.add(one??);
        }
        all.took = began.elapsed();
        Ok(all)
    }
}

impl Tally {
    pub(crate) fn count(&mut self, answer: &Answer) {
        match answer {
            Answer::Allowed => self.allowed = self.allowed.saturating_add(1),
            Answer::Denied => self.denied = self.denied.saturating_add(1),
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.allowed = self.allowed.saturating_add(other.allowed);
        self.denied = self.denied.saturating_add(other.denied);
        self.latencies.extend(other.latencies);
    }

    pub(crate) fn answers(&self) -> usize {
        self.allowed.saturating_add(self.denied)
    }
}

/// One of the checks in flight: the next is sent when its answer is there.
struct Caller {
    connection: SendRequest<Bytes>,
    messages: Arc<[Bytes]>,
    sent: Arc<AtomicUsize>,
    until: Until,
    began: Instant,
    expected: Expected,
}

impl Caller {
    async fn run(self) -> Outcome<Tally> {
        let mut tally = Tally::default();
        let mut asked = now();
        while let Some(message) = self.next(asked) {
            let response = ask(self.connection.clone(), message).await?;
            tally.count(&self.expected.hold(&response)?);
            let answered = now();
            tally.latencies.push(answered.duration_since(asked));
            asked = answered;
        }
        Ok(tally)
    }

    fn next(&self, now: Instant) -> Option<Bytes> {
        let sent = self.sent.fetch_add(1, Ordering::Relaxed);
        let goes_on = match self.until {
            Until::Sent(most) => sent < most,
            Until::Past(time) => now.duration_since(self.began) < time,
        };
        let place = sent.checked_rem(self.messages.len())?;
        goes_on.then(|| self.messages.get(place).cloned()).flatten()
    }
}

pub(crate) enum Answer {
    Allowed,
    Denied,
}

impl Expected {
    /// Counts by what the answer says, and refuses one that is not the case's.
    pub(crate) fn hold(self, response: &CheckResponse) -> Outcome<Answer> {
        let code = response.status.as_ref().map_or(0, |status| status.code);
        match (self, code, &response.http_response) {
            (Self::Allow, 0, Some(HttpResponse::OkResponse(_))) => Ok(Answer::Allowed),
            (Self::Redirect(reason), 1.., Some(HttpResponse::DeniedResponse(denied)))
                if denied.status.as_ref().is_some_and(|it| it.code == 303)
                    && reason.is_none_or(|reason| has_reason(denied, reason)) =>
            {
                Ok(Answer::Denied)
            }
            _ => Err(format!("expected {self:?}, but the answer is {response:?}").into()),
        }
    }
}

fn has_reason(
    denied: &envoy_types::pb::envoy::service::auth::v3::DeniedHttpResponse,
    reason: &str,
) -> bool {
    let mut headers = denied.headers.iter().filter_map(|it| it.header.as_ref());
    headers.any(|header| header.key == "x-stepgate-reason" && header.value == reason)
}

pub(crate) async fn connect(port: u16) -> Outcome<SendRequest<Bytes>> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.set_nodelay(true)?;
    // Answers are small, and wait where the load falls behind.
    let mut http2 = h2::client::Builder::new();
    http2.data_frame_budget(DATA_FRAME_BUDGET);
    let (requests, connection) = http2.handshake(stream).await?;
    // It ends with the last request; what breaks it breaks that request too, which tells.
    tokio::spawn(connection);
    Ok(requests)
}

pub(crate) async fn ask(connection: SendRequest<Bytes>, message: Bytes) -> Outcome<CheckResponse> {
    let request = Request::post(CHECK)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())?;
    let (response, mut body) = connection.ready().await?.send_request(request, false)?;
    body.send_data(message, true)?;
    let bytes = read(response.await?.into_body()).await?;
    let message = bytes.get(PREFIX..).ok_or("an answer without a message")?;
    Ok(CheckResponse::decode(message)?)
}

/// A body whole, and that gRPC calls it good.
async fn read(mut body: RecvStream) -> Outcome<Bytes> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        bytes.extend_from_slice(&chunk);
    }
    let trailers = body.trailers().await?.unwrap_or_default();
    let is_good = trailers
        .get("grpc-status")
        .is_some_and(|status| status == "0");
    is_good
        .then(|| bytes.freeze())
        .ok_or_else(|| format!("gRPC failed: {trailers:?}").into())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
