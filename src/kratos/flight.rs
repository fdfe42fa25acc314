//! One call for all who ask the same at the same time.
//!
//! The call runs in a task of its own, so a caller that gives up neither cancels nor repeats it. Who joins a call that began
//! before is told so: a refusal from it may be out of date.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

use crate::telemetry::traces;

/// Calls under way, by what they ask.
#[derive(Debug)]
pub(super) struct Flights<K, V> {
    calls: Arc<Mutex<HashMap<K, watch::Receiver<Option<V>>>>>,
}

/// An answer, and whether its call began before it was asked for here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Landed<V> {
    pub(super) value: V,
    pub(super) is_joined: bool,
}

impl<K, V> Flights<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(super) fn new() -> Self {
        Self {
            calls: Arc::default(),
        }
    }

    /// Joins the call for this key, or begins it; `None` where the call ended without an answer.
    ///
    /// Where none is under way, `recall` may answer instead, from what a call left behind before it was over. That answer is
    /// this caller's alone: another may not want one so old.
    pub(super) async fn share<F>(
        &self,
        key: K,
        recall: impl FnOnce() -> Option<V>,
        call: impl FnOnce() -> F,
    ) -> Option<Landed<V>>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let (mut answer, is_joined) = match self.board(key, recall, call) {
            Boarded::Recalled(value) => {
                return Some(Landed {
                    value,
                    is_joined: false,
                });
            }
            Boarded::Call { answer, is_joined } => (answer, is_joined),
        };
        let value = answer.wait_for(Option::is_some).await.ok()?.clone()?;
        Some(Landed { value, is_joined })
    }

    fn board<F>(
        &self,
        key: K,
        recall: impl FnOnce() -> Option<V>,
        call: impl FnOnce() -> F,
    ) -> Boarded<V>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(under_way) = calls.get(&key) {
            return Boarded::Call {
                answer: under_way.clone(),
                is_joined: true,
            };
        }
        if let Some(value) = recall() {
            return Boarded::Recalled(value);
        }
        let (sender, receiver) = watch::channel(None);
        calls.insert(key.clone(), receiver.clone());
        let landing = Landing {
            calls: Arc::clone(&self.calls),
            key,
        };
        let call = call();
        // In a box, for a task is moved when it begins and when it ends.
        tokio::spawn(Box::pin(traces::carried(async move {
            let value = call.await;
            // From here on a new caller begins a new call.
            drop(landing);
            sender.send_replace(Some(value));
        })));
        Boarded::Call {
            answer: receiver,
            is_joined: false,
        }
    }
}

/// What a caller got in place of a call of its own.
enum Boarded<V> {
    Recalled(V),
    Call {
        answer: watch::Receiver<Option<V>>,
        is_joined: bool,
    },
}

/// Takes a call off the list when it ends, however it ends.
struct Landing<K: Eq + Hash, V> {
    calls: Arc<Mutex<HashMap<K, watch::Receiver<Option<V>>>>>,
    key: K,
}

impl<K: Eq + Hash, V> Drop for Landing<K, V> {
    fn drop(&mut self) {
        self.calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    struct Slow {
        flights: Flights<&'static str, u32>,
        calls: Arc<AtomicU32>,
        gate: Arc<Semaphore>,
    }

    impl Slow {
        fn new() -> Arc<Self> {
            let gate = Arc::new(Semaphore::new(0));
            Arc::new(Self {
                flights: Flights::new(),
                calls: Arc::default(),
                gate,
            })
        }

        async fn ask(&self, key: &'static str) -> Option<Landed<u32>> {
            let (calls, gate) = (Arc::clone(&self.calls), Arc::clone(&self.gate));
            self.flights
                .share(
                    key,
                    || None,
                    || async move {
                        let number = calls.fetch_add(1, Ordering::SeqCst);
                        gate.acquire().await.unwrap().forget();
                        number
                    },
                )
                .await
        }

        fn under_way(&self) -> usize {
            self.flights.calls.lock().unwrap().len()
        }
    }

    async fn until(condition: impl Fn() -> bool) {
        while !condition() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn many_callers_share_one_call_and_know_who_joined() {
        let slow = Slow::new();
        let callers: Vec<_> = (0..10)
            .map(|_| {
                let slow = Arc::clone(&slow);
                tokio::spawn(async move { slow.ask("a").await.unwrap() })
            })
            .collect();
        until(|| slow.calls.load(Ordering::SeqCst) == 1).await;
        slow.gate.add_permits(10);
        let mut joined = 0;
        for caller in callers {
            let landed = caller.await.unwrap();
            assert_eq!(landed.value, 0);
            joined += u32::from(landed.is_joined);
        }
        assert_eq!((joined, slow.calls.load(Ordering::SeqCst)), (9, 1));
        assert_eq!(slow.under_way(), 0);
    }

    #[tokio::test]
    async fn another_key_is_another_call_and_a_later_caller_begins_anew() {
        let slow = Slow::new();
        slow.gate.add_permits(3);
        let numbers = [
            slow.ask("a").await,
            slow.ask("b").await,
            slow.ask("a").await,
        ];
        let numbers = numbers.map(|landed| landed.map(|landed| (landed.value, landed.is_joined)));
        assert_eq!(
            numbers,
            [Some((0, false)), Some((1, false)), Some((2, false))]
        );
    }

    #[tokio::test]
    async fn a_caller_that_gives_up_neither_cancels_nor_repeats_the_call() {
        let slow = Slow::new();
        let first = tokio::spawn({
            let slow = Arc::clone(&slow);
            async move { slow.ask("a").await }
        });
        until(|| slow.calls.load(Ordering::SeqCst) == 1).await;
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        let second = tokio::spawn({
            let slow = Arc::clone(&slow);
            async move { slow.ask("a").await.unwrap() }
        });
        tokio::task::yield_now().await;
        slow.gate.add_permits(1);
        let landed = second.await.unwrap();
        assert_eq!((landed.value, landed.is_joined), (0, true));
        assert_eq!(slow.calls.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn what_is_recalled_is_one_callers_alone_and_never_asked_for_under_a_call() {
        let slow = Slow::new();
        let recalled = slow.flights.share("a", || Some(7), || async { 8 }).await;
        assert_eq!(recalled.unwrap().value, 7);
        assert_eq!(slow.under_way(), 0);
        let first = tokio::spawn({
            let slow = Arc::clone(&slow);
            async move { slow.ask("a").await.unwrap() }
        });
        until(|| slow.under_way() == 1).await;
        slow.gate.add_permits(1);
        let recall = || panic!("a call is under way");
        let joined = slow.flights.share("a", recall, || async { 8 }).await;
        let joined = joined.unwrap();
        assert_eq!((joined.value, joined.is_joined), (0, true));
        assert_eq!(first.await.unwrap().value, 0);
    }

    #[tokio::test]
    async fn a_call_that_panics_answers_nobody_and_leaves_nothing_behind() {
        let flights: Flights<&str, u32> = Flights::new();
        let landed = flights
            .share("a", || None, || async { panic!("as asked") })
            .await;
        assert_eq!(landed, None);
        assert_eq!(flights.calls.lock().unwrap().len(), 0);
    }
}
