//! What is counted of each Kratos. What every check counts is found once, when the client is made; what a call counts may
//! take a lock, for a call takes a hundred times longer.

use std::{
    sync::atomic::AtomicU64,
    time::{Duration, SystemTime},
};

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::{BUCKETS, RESULT, sharded::Sharded};

const KRATOS: &str = "kratos";
const CALL: &str = "call";
const OUTCOME: &str = "outcome";

type Labels<const N: usize> = [(&'static str, String); N];
type Count = Counter<u64, Sharded<AtomicU64>>;
type MakeHistogram = fn() -> Histogram;

/// What Kratos is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Whose session a credential is: `/sessions/whoami`.
    Whoami,
    /// The second question behind a 401.
    Verify,
    /// Which second factors somebody has.
    Enrolment,
    /// Whether Kratos is ready.
    Health,
}

/// What came of a question to Kratos.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer with this status.
    Answered(u16),
    /// None in time.
    TimedOut,
    /// None: refused, reset, TLS, too long.
    Failed,
    /// It was not sent: the circuit is open.
    CircuitOpen,
    /// It was not sent: no place came free in time.
    Crowded,
    /// It was not sent: Kratos asked for quiet about this credential.
    HeldBack,
}

/// The metrics of one identity domain.
#[derive(Clone, Debug)]
pub struct Kratos {
    name: Box<str>,
    requests: Family<Labels<3>, Counter>,
    durations: [Histogram; Call::ALL.len()],
    hits: Count,
    misses: Count,
    breaker: Gauge,
    skew: Gauge<f64, AtomicU64>,
}

/// The metrics of all identity domains.
#[derive(Debug)]
pub(super) struct Domains {
    requests: Family<Labels<3>, Counter>,
    durations: Family<Labels<2>, Histogram, MakeHistogram>,
    cache: Family<Labels<2>, Count>,
    breakers: Family<Labels<1>, Gauge>,
    skews: Family<Labels<1>, Gauge<f64, AtomicU64>>,
}

impl Call {
    const ALL: [Self; 4] = [Self::Whoami, Self::Verify, Self::Enrolment, Self::Health];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Whoami => "whoami",
            Self::Verify => "verify",
            Self::Enrolment => "enrolment",
            Self::Health => "health",
        }
    }
}

impl Outcome {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered(200..=299) => "ok",
            Self::Answered(401) => "unauthorized",
            Self::Answered(403) => "forbidden",
            Self::Answered(429) => "too_many_requests",
            Self::Answered(500..) => "server_error",
            Self::Answered(_) => "other",
            Self::TimedOut => "timeout",
            Self::Failed => "failed",
            Self::CircuitOpen => "circuit_open",
            Self::Crowded => "crowded",
            Self::HeldBack => "held_back",
        }
    }

    /// Whether Kratos was called at all.
    fn was_sent(self) -> bool {
        !matches!(self, Self::CircuitOpen | Self::Crowded | Self::HeldBack)
    }
}

impl Kratos {
    /// Counts a question and, where it was sent, how long it took without the wait for a place.
    pub fn asked(&self, call: Call, outcome: Outcome, duration: Duration) {
        let labels = [
            (KRATOS, self.name.to_string()),
            (CALL, call.as_str().to_owned()),
            (OUTCOME, outcome.as_str().to_owned()),
        ];
        self.requests.get_or_create(&labels).inc();
        let place = Call::ALL.iter().position(|known| *known == call);
        let histogram = place.and_then(|place| self.durations.get(place));
        if let Some(histogram) = histogram.filter(|_| outcome.was_sent()) {
            histogram.observe(duration.as_secs_f64());
        }
    }

    /// Memory held a session that sufficed, or it didn't.
    pub fn looked_up(&self, is_hit: bool) {
        let counter = if is_hit { &self.hits } else { &self.misses };
        counter.inc();
    }

    /// Whether its circuit is open now.
    pub fn breaker(&self, is_open: bool) {
        self.breaker.set(i64::from(is_open));
    }

    /// An answer that was dated so came between these two times. `Date` is in whole seconds and an answer takes its
    /// time: what these explain is no skew, so the metric is what is certain.
    pub fn dated(&self, date: SystemTime, asked_at: SystemTime, answered_at: SystemTime) {
        let skew = match (
            date.duration_since(answered_at),
            asked_at.duration_since(date + Duration::from_secs(1)),
        ) {
            (Ok(ahead), _) => ahead.as_secs_f64(),
            (_, Ok(behind)) => -behind.as_secs_f64(),
            _ => 0.0,
        };
        self.skew.set(skew);
    }
}

impl Domains {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let histogram: MakeHistogram = || Histogram::new(BUCKETS);
        let domains = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(histogram),
            cache: Family::default(),
            breakers: Family::default(),
            skews: Family::default(),
        };
        registry.register(
            "kratos_requests",
            "Questions to Kratos, by what came of them",
            domains.requests.clone(),
        );
        registry.register_with_unit(
            "kratos_request_duration",
            "How long Kratos took, without the wait for a place",
            Unit::Seconds,
            domains.durations.clone(),
        );
        registry.register(
            "session_cache",
            "Checks that looked for a remembered session",
            domains.cache.clone(),
        );
        registry.register(
            "breaker_open",
            "1 while Kratos is left alone because it kept failing",
            domains.breakers.clone(),
        );
        registry.register_with_unit(
            "kratos_clock_skew",
            "How far Kratos' clock is ahead of ours, behind where negative, as far as its Date header tells for certain",
            Unit::Seconds,
            domains.skews.clone(),
        );
        domains
    }

    pub(super) fn get(&self, name: &str) -> Kratos {
        let own = (KRATOS, name.to_owned());
        let timed = |call: Call| [own.clone(), (CALL, call.as_str().to_owned())];
        let found = |result: &str| [own.clone(), (RESULT, result.to_owned())];
        let alone = [own.clone()];
        Kratos {
            name: name.into(),
            requests: self.requests.clone(),
            durations: Call::ALL.map(|call| self.durations.get_or_create_owned(&timed(call))),
            hits: self.cache.get_or_create_owned(&found("hit")),
            misses: self.cache.get_or_create_owned(&found("miss")),
            breaker: self.breakers.get_or_create_owned(&alone),
            skew: self.skews.get_or_create_owned(&alone),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_000 + millis)
    }

    #[test]
    #[expect(
        clippy::float_cmp,
        reason = "these are whole milliseconds, so they are exact enough to be equal"
    )]
    fn skew_is_what_neither_whole_seconds_nor_the_way_explain() {
        let kratos = Domains::register(&mut Registry::default()).get("ciam");
        let cases = [
            (2000, 2300, 2400, 0.0),
            (2000, 2999, 3500, 0.0),
            (2000, 1500, 2100, 0.0),
            (60_000, 1000, 1500, 58.5),
            (2000, 63_000, 63_500, -60.0),
        ];
        for (date, asked, answered, skew) in cases {
            kratos.dated(at(date), at(asked), at(answered));
            assert_eq!(kratos.skew.get(), skew, "{date} {asked} {answered}");
        }
    }
}
