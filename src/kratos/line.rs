//! The way to Kratos: a closed circuit, a place in the queue, a deadline; and what a call's outcome means for the next.

use std::time::{Duration, SystemTime};

use http::StatusCode;
use quick_cache::sync::Cache;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{
    Settings,
    breaker::{Admission, Breaker, Verdict},
    client::{Answer, BuildError, CallError, Client, Endpoint},
};
use crate::{
    domain::credential::{Credential, Fingerprint},
    telemetry::{
        clock::Stopwatch,
        metrics::{self, Call, Outcome},
        traces,
    },
};

/// How many credentials that Kratos asked to leave alone are remembered.
const MAX_THROTTLED: usize = 10_000;
/// The longest that a credential is left alone, whatever Kratos asks.
const LONGEST_THROTTLE: Duration = Duration::from_secs(60);

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    #[error("Kratos failed several times in a row and is left alone for a moment")]
    Open,
    #[error("Kratos asked that this credential be left alone for a moment")]
    Throttled(Duration),
    #[error("Kratos did not answer in time")]
    TimedOut,
    #[error("too many calls to Kratos are waiting")]
    Crowded,
    #[error(transparent)]
    Call(#[from] CallError),
}

/// The time that is left for a conversation with Kratos.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    stopwatch: Stopwatch,
    total: Duration,
    started_at: SystemTime,
}

impl Budget {
    pub(super) fn new(total: Duration, now: SystemTime) -> Self {
        Self {
            stopwatch: Stopwatch::start(),
            total,
            started_at: now,
        }
    }

    fn left(&self) -> Duration {
        self.total.saturating_sub(self.stopwatch.elapsed())
    }

    fn now(&self) -> SystemTime {
        self.started_at
            .checked_add(self.stopwatch.elapsed())
            .unwrap_or(self.started_at)
    }
}

#[derive(Debug)]
pub(super) struct Line {
    name: Box<str>,
    client: Client,
    breaker: Breaker,
    places: Semaphore,
    second_places: Semaphore,
    health: Option<Endpoint>,
    throttled: Cache<Fingerprint, SystemTime>,
    metrics: metrics::Kratos,
}

impl Line {
    pub(super) fn new(settings: &Settings, metrics: metrics::Kratos) -> Result<Self, BuildError> {
        let half = settings.max_in_flight.div_ceil(2);
        let client = Client::new(settings)?;
        let health = settings.health.as_deref();
        Ok(Self {
            name: settings.name.clone(),
            health: health.map(|path| client.endpoint(path)).transpose()?,
            client,
            breaker: Breaker::new(),
            places: Semaphore::new(settings.max_in_flight),
            second_places: Semaphore::new(half),
            throttled: Cache::new(MAX_THROTTLED),
            metrics,
        })
    }

    /// The address of a path below Kratos' public API.
    pub(super) fn endpoint(&self, path: &str) -> Result<Endpoint, BuildError> {
        self.client.endpoint(path)
    }

    pub(super) fn health(&self) -> Option<&Endpoint> {
        self.health.as_ref()
    }

    /// Asks within the budget.
    pub(super) async fn ask(
        &self,
        call: Call,
        endpoint: &Endpoint,
        credential: Option<&Credential>,
        budget: Budget,
    ) -> Result<Answer, LineError> {
        let outcome = self.try_to_ask(call, endpoint, credential, budget).await;
        if let Some(untold) = outcome.as_ref().err().and_then(unsent) {
            self.metrics.asked(call, untold, Duration::ZERO);
        }
        outcome
    }

    async fn try_to_ask(
        &self,
        call: Call,
        endpoint: &Endpoint,
        credential: Option<&Credential>,
        budget: Budget,
    ) -> Result<Answer, LineError> {
        if let Some(wait) =
            credential.and_then(|credential| self.throttle(credential, budget.now()))
        {
            return Err(LineError::Throttled(wait));
        }
        // A place first: a trial that were admitted and then queued would keep the circuit waiting.
        let places = self.places(call);
        let _held = tokio::time::timeout(budget.left(), places)
            .await
            .map_err(|_| LineError::Crowded)?;
        if self.breaker.admit(budget.now()) == Admission::Refused {
            return Err(LineError::Open);
        }
        let outcome = self
            .call(call, endpoint, credential, budget.left(), budget)
            .await;
        self.learn(&outcome, credential, budget).await;
        self.metrics.breaker(self.breaker.is_open());
        outcome
    }

    /// Calls, counts it and leaves its span.
    async fn call(
        &self,
        call: Call,
        endpoint: &Endpoint,
        credential: Option<&Credential>,
        time: Duration,
        budget: Budget,
    ) -> Result<Answer, LineError> {
        let span = traces::call(call, &self.name);
        let (stopwatch, asked_at) = (Stopwatch::start(), budget.now());
        // In a box: it is big, and whatever holds it is moved.
        let asking = Box::pin(self.client.get(endpoint, credential, asked_at));
        let answer = tokio::time::timeout(time, asking).await;
        let answer = answer
            .map_err(|_| LineError::TimedOut)
            .and_then(|answer| Ok(answer?));
        let outcome = sent(&answer);
        self.metrics.asked(call, outcome, stopwatch.elapsed());
        span.end(outcome);
        if let Some(date) = answer.as_ref().ok().and_then(|answer| answer.date) {
            self.metrics.dated(date, asked_at, budget.now());
        }
        answer
    }

    /// A place among all calls and, for a question that a check could do without, among those too: they take no more than
    /// half of the places. Neither is ever closed.
    async fn places(
        &self,
        call: Call,
    ) -> (Option<SemaphorePermit<'_>>, Option<SemaphorePermit<'_>>) {
        let second = match call {
            Call::Whoami | Call::Health => None,
            Call::Verify | Call::Enrolment => self.second_places.acquire().await.ok(),
        };
        (second, self.places.acquire().await.ok())
    }

    fn throttle(&self, credential: &Credential, now: SystemTime) -> Option<Duration> {
        let until = self.throttled.get(&credential.fingerprint())?;
        let wait = until.duration_since(now).ok()?;
        // A clock that was set back must not keep anyone out for longer.
        (!wait.is_zero() && wait <= LONGEST_THROTTLE).then_some(wait)
    }

    /// Lets the circuit and the queue know how a call went.
    async fn learn(
        &self,
        outcome: &Result<Answer, LineError>,
        credential: Option<&Credential>,
        budget: Budget,
    ) {
        if !is_failure(outcome) {
            self.breaker.succeeded();
        } else if self
            .breaker
            .failed(credential.map(Credential::fingerprint), budget.now())
            == Verdict::AskHealth
        {
            self.ask_health(budget).await;
        }
        if let (Ok(answer), Some(credential)) = (outcome, credential) {
            self.heed(answer, credential, budget.now());
        }
    }

    /// After 429 the credential is not asked about again before Kratos' own time is over.
    fn heed(&self, answer: &Answer, credential: &Credential, now: SystemTime) {
        if answer.status != StatusCode::TOO_MANY_REQUESTS {
            return;
        }
        let wait = answer
            .retry_after
            .unwrap_or(Duration::from_secs(1))
            .min(LONGEST_THROTTLE);
        if let Some(until) = now.checked_add(wait) {
            self.throttled.insert(credential.fingerprint(), until);
        }
    }

    async fn ask_health(&self, budget: Budget) {
        let Some(health) = &self.health else {
            return self.breaker.unknown(budget.now());
        };
        let answer = self
            .call(Call::Health, health, None, budget.total, budget)
            .await;
        match answer {
            Ok(answer) if answer.status == StatusCode::OK => self.breaker.well(),
            Ok(answer) if answer.status == StatusCode::NOT_FOUND => {
                self.breaker.unknown(budget.now());
            }
            _ => self.breaker.unwell(budget.now()),
        }
    }
}

/// What came of a call.
fn sent(outcome: &Result<Answer, LineError>) -> Outcome {
    match outcome {
        Ok(answer) => Outcome::Answered(answer.status.as_u16()),
        Err(LineError::TimedOut) => Outcome::TimedOut,
        Err(_) => Outcome::Failed,
    }
}

/// Why there was no call.
fn unsent(error: &LineError) -> Option<Outcome> {
    match error {
        LineError::Open => Some(Outcome::CircuitOpen),
        LineError::Throttled(_) => Some(Outcome::HeldBack),
        LineError::Crowded => Some(Outcome::Crowded),
        LineError::TimedOut | LineError::Call(_) => None,
    }
}

/// What one client alone can't provoke: refused, reset, timed out, 5xx. Odd bodies and 4xx are not.
fn is_failure(outcome: &Result<Answer, LineError>) -> bool {
    match outcome {
        Ok(answer) => answer.status.is_server_error(),
        Err(
            LineError::TimedOut | LineError::Call(CallError::Transport(_) | CallError::Body(_)),
        ) => true,
        Err(_) => false,
    }
}
