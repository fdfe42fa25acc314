//! The one clock of the double: the wall clock plus an offset that a test moves forward.
//!
//! Sessions, flows and codes all age by it, so a test makes an hour pass without waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

/// The wall clock plus an offset; clones share the offset.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead: Arc<AtomicU64>,
}

impl Clock {
    /// The double's idea of now.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place in the double that reads the clock"
    )]
    pub fn now(&self) -> Timestamp {
        after(Timestamp::now(), self.ahead())
    }

    /// Makes `by` pass at once.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.ahead.fetch_add(by, Ordering::Relaxed);
    }

    fn ahead(&self) -> Duration {
        Duration::from_nanos(self.ahead.load(Ordering::Relaxed))
    }
}

/// The moment `by` after `start`.
pub(crate) fn after(start: Timestamp, by: Duration) -> Timestamp {
    start.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// The moment `by` before `start`.
pub(crate) fn before(start: Timestamp, by: Duration) -> Timestamp {
    start.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// As Kratos' tables keep `created_at` and `updated_at`: no finer than a microsecond.
pub(crate) fn stored(moment: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(moment.as_microsecond()).unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advance_is_seen_by_every_clone() {
        let clock = Clock::default();
        let before = clock.now();
        clock.clone().advance(Duration::from_secs(3600));
        assert!(clock.now().duration_since(before).as_secs() >= 3600);
    }

    #[test]
    fn stored_times_end_at_the_microsecond() {
        let moment: Timestamp = "2026-11-24T04:02:36.582259123Z".parse().unwrap();
        assert_eq!(stored(moment).to_string(), "2026-11-24T04:02:36.582259Z");
    }
}
