//! A circuit per identity domain: after five failures in a row Kratos is not asked for a while.
//!
//! Closed, calls go through and failures in a row are counted. After five, `health` is asked; unless Kratos says that it is
//! well, the circuit opens: every call is refused at once, for one second. Then a single trial goes through; if it fails the
//! circuit opens for twice as long, up to ten seconds, and if it succeeds the circuit closes.
//!
//! Only what one client can't provoke counts as a failure: refused, reset, timed out, 5xx. Where `health` can't be asked, a
//! client could still provoke 5xx with odd credentials, so the failures must then come from three different credentials, or
//! from calls that carry none.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use crate::domain::credential::Fingerprint;

/// Failures in a row before `health` is asked.
const MAX_FAILURES: u32 = 5;
/// Different credentials that must have failed, where `health` can't be asked.
const MIN_CREDENTIALS: usize = 3;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Whether a call may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It may.
    Call,
    /// It may, and its outcome decides whether the circuit closes.
    Trial,
    /// Kratos is not asked now.
    Refused,
}

/// What a failure leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing yet.
    GoOn,
    /// `health` must be asked: [`Breaker::unwell`] or [`Breaker::well`] is to be told the answer.
    AskHealth,
}

/// Whose call failed: a credential's, or nobody's.
pub(super) type Caller = Option<Fingerprint>;

#[derive(Debug)]
pub(super) struct Breaker {
    circuit: Mutex<Circuit>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Circuit {
    Closed(Failures),
    Open {
        since: SystemTime,
        pause: Duration,
    },
    /// A trial is under way since then; should it never report back, another follows after the pause.
    Trying {
        since: SystemTime,
        pause: Duration,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Failures {
    count: u32,
    callers: Vec<Caller>,
}

impl Breaker {
    pub(super) fn new() -> Self {
        Self {
            circuit: Mutex::new(Circuit::Closed(Failures::default())),
        }
    }

    /// Asks to make a call.
    pub(super) fn admit(&self, now: SystemTime) -> Admission {
        self.with(|circuit| circuit.admit(now))
    }

    /// A call was answered.
    pub(super) fn succeeded(&self) {
        self.with(|circuit| *circuit = Circuit::Closed(Failures::default()));
    }

    /// A call failed.
    pub(super) fn failed(&self, caller: Caller, now: SystemTime) -> Verdict {
        self.with(|circuit| circuit.fail(caller, now))
    }

    /// `health` says that Kratos is well: the failures count no more.
    pub(super) fn well(&self) {
        self.succeeded();
    }

    /// `health` says otherwise, or does not answer.
    pub(super) fn unwell(&self, now: SystemTime) {
        self.with(|circuit| circuit.open(FIRST_PAUSE, now));
    }

    /// `health` can't be asked: enough different callers must have failed.
    pub(super) fn unknown(&self, now: SystemTime) {
        self.with(|circuit| {
            if circuit.is_beyond_one_client() {
                circuit.open(FIRST_PAUSE, now);
            }
        });
    }

    /// Whether calls are refused.
    pub(super) fn is_open(&self) -> bool {
        self.with(|circuit| !matches!(circuit, Circuit::Closed(_)))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Circuit) -> T) -> T {
        // Nothing panics while the lock is held, and the circuit is sound after every step.
        act(&mut self.circuit.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Circuit {
    fn admit(&mut self, now: SystemTime) -> Admission {
        match *self {
            Self::Closed(_) => Admission::Call,
            Self::Open { since, pause } | Self::Trying { since, pause } => {
                // Another thread may have read the clock a moment before this circuit opened, and is no reason for a second
                // trial; but a clock that was set back must not keep it open for long.
                let apart = now
                    .duration_since(since)
                    .unwrap_or_else(|early| early.duration());
                if apart < pause {
                    return Admission::Refused;
                }
                *self = Self::Trying { since: now, pause };
                Admission::Trial
            }
        }
    }

    fn fail(&mut self, caller: Caller, now: SystemTime) -> Verdict {
        match self {
            Self::Closed(failures) => failures.add(caller),
            Self::Trying { pause, .. } => {
                let longer = pause.saturating_mul(2).min(LONGEST_PAUSE);
                self.open(longer, now);
                Verdict::GoOn
            }
            // A call from before it opened.
            Self::Open { .. } => Verdict::GoOn,
        }
    }

    fn open(&mut self, pause: Duration, now: SystemTime) {
        *self = Self::Open { since: now, pause };
    }

    fn is_beyond_one_client(&self) -> bool {
        match self {
            Self::Closed(failures) => {
                failures.callers.contains(&None) || failures.callers.len() >= MIN_CREDENTIALS
            }
            Self::Open { .. } | Self::Trying { .. } => true,
        }
    }
}

impl Failures {
    fn add(&mut self, caller: Caller) -> Verdict {
        self.count = self.count.saturating_add(1);
        if self.callers.len() < MIN_CREDENTIALS && !self.callers.contains(&caller) {
            self.callers.push(caller);
        }
        if self.count >= MAX_FAILURES {
            Verdict::AskHealth
        } else {
            Verdict::GoOn
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_000 + millis)
    }

    fn failed(times: u8) -> Breaker {
        let breaker = Breaker::new();
        for time in 0..times {
            breaker.failed(Some(time.into()), at(0));
        }
        breaker
    }

    #[test]
    fn five_failures_in_a_row_ask_for_health() {
        let breaker = failed(4);
        assert_eq!(breaker.failed(None, at(0)), Verdict::AskHealth);
        assert_eq!(
            breaker.admit(at(0)),
            Admission::Call,
            "until health has answered"
        );
    }

    #[test]
    fn a_success_between_starts_the_count_anew() {
        let breaker = failed(4);
        breaker.succeeded();
        assert_eq!(breaker.failed(None, at(0)), Verdict::GoOn);
    }

    #[test]
    fn a_kratos_that_is_well_keeps_the_circuit_closed() {
        let breaker = failed(5);
        breaker.well();
        assert_eq!(breaker.admit(at(0)), Admission::Call);
        assert!(!breaker.is_open());
    }

    #[test]
    fn an_open_circuit_refuses_and_lets_one_trial_through_after_its_pause() {
        let breaker = failed(5);
        breaker.unwell(at(0));
        assert!(breaker.is_open());
        assert_eq!(breaker.admit(at(999)), Admission::Refused);
        assert_eq!(breaker.admit(at(1000)), Admission::Trial);
        assert_eq!(
            breaker.admit(at(1001)),
            Admission::Refused,
            "one trial at a time"
        );
        breaker.succeeded();
        assert_eq!(breaker.admit(at(1002)), Admission::Call);
    }

    #[test]
    fn a_trial_that_fails_doubles_the_pause_up_to_ten_seconds() {
        let breaker = failed(5);
        breaker.unwell(at(0));
        let mut now = 0;
        for pause in [1000, 2000, 4000, 8000, 10_000, 10_000] {
            assert_eq!(
                breaker.admit(at(now + pause - 1)),
                Admission::Refused,
                "{pause}"
            );
            now += pause;
            assert_eq!(breaker.admit(at(now)), Admission::Trial, "{pause}");
            breaker.failed(None, at(now));
        }
    }

    #[test]
    fn a_trial_that_never_reports_back_is_followed_by_another() {
        let breaker = failed(5);
        breaker.unwell(at(0));
        assert_eq!(breaker.admit(at(1000)), Admission::Trial);
        assert_eq!(breaker.admit(at(2000)), Admission::Trial);
    }

    #[test]
    fn a_late_failure_from_before_it_opened_changes_nothing() {
        let breaker = failed(5);
        breaker.unwell(at(0));
        breaker.failed(None, at(500));
        assert_eq!(breaker.admit(at(1000)), Admission::Trial);
    }

    #[test]
    fn where_health_cannot_be_asked_one_client_opens_nothing() {
        let by = |callers: &[Option<u8>]| {
            let breaker = Breaker::new();
            for caller in callers {
                breaker.failed(caller.map(Fingerprint::from), at(0));
            }
            breaker.unknown(at(0));
            breaker.is_open()
        };
        assert!(!by(&[Some(1); 50]));
        assert!(!by(&[Some(1), Some(2), Some(1), Some(2), Some(1)]));
        assert!(by(&[Some(1), Some(2), Some(3), Some(1), Some(1)]));
        assert!(by(&[Some(1), Some(1), Some(1), Some(1), None]));
    }

    #[test]
    fn a_caller_that_read_the_clock_a_moment_earlier_is_no_second_trial() {
        let breaker = failed(5);
        breaker.unwell(at(0));
        assert_eq!(breaker.admit(at(1001)), Admission::Trial);
        assert_eq!(breaker.admit(at(1000)), Admission::Refused);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_keep_it_open() {
        let breaker = failed(5);
        breaker.unwell(at(60_000));
        assert_eq!(breaker.admit(at(0)), Admission::Trial);
    }
}
