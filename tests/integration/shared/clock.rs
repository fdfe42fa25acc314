//! A clock that all threads read, and one hand sets.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use stepgate::telemetry::clock::Clock;

/// The second factor of everybody here was given before.
const START: Duration = Duration::from_secs(1_800_000_000);
/// Ends a test that would hang.
const NEVER: Duration = Duration::from_secs(30);

/// Milliseconds since the test began.
#[derive(Clone, Debug, Default)]
pub(super) struct Hand(Arc<AtomicU64>);

impl Hand {
    pub(super) fn millis(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(super) fn advance(&self, by: Duration) {
        // Rounded up, so that it is never less than was asked for.
        let by = u64::try_from(by.as_micros().div_ceil(1000)).unwrap();
        self.0.fetch_add(by, Ordering::SeqCst);
    }

    pub(super) fn clock(&self) -> Clock {
        let hand = self.clone();
        Clock::by_hand(move || time(hand.millis()))
    }
}

/// The time so many milliseconds after the start.
pub(super) fn time(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + START + Duration::from_millis(millis)
}

/// Waits for a condition.
pub(super) async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(NEVER, waiting).await.unwrap();
}
