//! Prepared requests in a closed loop; every answer is decoded and held against what was expected.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use envoy_types::pb::envoy::service::auth::v3::{
    CheckResponse, DeniedHttpResponse, check_response::HttpResponse,
};
use tokio::{task::JoinSet, time::timeout};

use crate::{
    Outcome,
    wire::{Line, Wire},
};

/// No run takes longer than this.
pub(crate) const MAX_RUN: Duration = Duration::from_secs(60);
/// What is sent, how, and what must come back.
#[derive(Clone)]
pub(crate) struct Load {
    /// Sent in turn.
    pub(crate) messages: Arc<[Bytes]>,
    pub(crate) wire: Wire,
    pub(crate) connections: usize,
    /// Checks that wait for their answer at a time, over all connections; a multiple of theirs.
    pub(crate) in_flight: usize,
    pub(crate) expected: Expected,
}

/// The answer that a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Code 0, and nothing that denies.
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
    pub(crate) async fn run(&self, port: u16, until: Until) -> Outcome<Tally> {
        timeout(MAX_RUN, self.run_unbounded(port, until)).await?
    }

    /// Checks with an answer of that kind, as many in flight as elsewhere.
    pub(crate) fn of(messages: Vec<Bytes>, expected: Expected) -> Self {
        let (in_flight, connections) = crate::case::MANY;
        Self {
            messages: messages.into(),
            wire: Wire::Grpc,
            connections,
            in_flight,
            expected,
        }
    }

    /// The same, as the floor is asked.
    pub(crate) fn of_floor(&self) -> Self {
        let expected = match self.expected {
            Expected::Allow => Expected::Allow,
            Expected::Redirect(_) => Expected::Redirect(None),
        };
        Self {
            expected,
            ..self.clone()
        }
    }

    async fn run_unbounded(&self, port: u16, until: Until) -> Outcome<Tally> {
        let lines = Line::open(self.wire, port, self.in_flight, self.connections).await?;
        let began = now();
        let sent = Arc::new(AtomicUsize::new(0));
        let mut loops = JoinSet::new();
        for line in lines {
            let messages = Arc::clone(&self.messages);
            let caller = Caller {
                line,
                sent: Arc::clone(&sent),
                messages,
                until,
                began,
                expected: self.expected,
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
    line: Line,
    messages: Arc<[Bytes]>,
    sent: Arc<AtomicUsize>,
    until: Until,
    began: Instant,
    expected: Expected,
}

impl Caller {
    async fn run(mut self) -> Outcome<Tally> {
        let mut tally = Tally::default();
        let mut asked = now();
        while let Some(message) = self.next(asked) {
            tally.count(&self.line.ask(message, self.expected).await?);
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
            (Self::Allow, 0, None | Some(HttpResponse::OkResponse(_))) => Ok(Answer::Allowed),
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

fn has_reason(denied: &DeniedHttpResponse, reason: &str) -> bool {
    let mut headers = denied.headers.iter().filter_map(|it| it.header.as_ref());
    headers.any(|header| header.key == "x-stepgate-reason" && header.value == reason)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
