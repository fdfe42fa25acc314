//! Counters that no two cores write to at the same time.

use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

use prometheus_client::metrics::counter::Atomic;

/// How many threads count without meeting one another; of more, some share.
const SHARDS: usize = 64;

/// One value for each of many threads.
#[derive(Debug)]
pub(super) struct Sharded<T>([Padded<T>; SHARDS]);

/// As far from its neighbours as caches need.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Padded<T>(T);

impl<T: Default> Default for Sharded<T> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Padded::default()))
    }
}

impl<T> Sharded<T> {
    /// This thread's own.
    pub(super) fn own(&self) -> Option<&T> {
        self.0.get(place()).map(|padded| &padded.0)
    }

    /// Everybody's.
    pub(super) fn all(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|padded| &padded.0)
    }
}

/// Where this thread counts: places are given out in the order in which threads first count something.
fn place() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static PLACE: Cell<Option<usize>> = const { Cell::new(None) };
    }
    PLACE.with(|place| {
        place.get().unwrap_or_else(|| {
            let new = NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS;
            place.set(Some(new));
            new
        })
    })
}

impl Atomic<u64> for Sharded<AtomicU64> {
    fn inc(&self) -> u64 {
        self.inc_by(1)
    }

    /// It gives back what this thread's own value was: nobody asks for the sum that often.
    fn inc_by(&self, more: u64) -> u64 {
        self.own()
            .map_or(0, |own| own.fetch_add(more, Ordering::Relaxed))
    }

    fn get(&self) -> u64 {
        let all = self.all().map(|one| one.load(Ordering::Relaxed));
        all.fold(0, u64::wrapping_add)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn what_many_threads_count_adds_up() {
        let counter = Sharded::<AtomicU64>::default();
        thread::scope(|scope| {
            for _ in 0..SHARDS + 6 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        counter.inc();
                    }
                });
            }
        });
        assert_eq!(counter.get(), 100 * (SHARDS as u64 + 6));
    }
}
