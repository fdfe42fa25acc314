//! What threads share between a credential and a session: the cache, the calls in flight, the circuit.
//!
//! Real threads under load, with the answers held against a clock that is set by hand. `loom` would try every order, but it
//! must own the locks and the tasks it orders, and those here are `quick_cache`'s and tokio's, which can't run under it.

mod clock;
mod crowd;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use stepgate::telemetry::clock::Stopwatch;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    gate::Gate,
    scripted::{Script, Scripted, answer, written},
    trouble::strange::AAL2,
};
use clock::{Hand, until};
use crowd::{Crowd, RULES, ask, authorizer};

/// Callers at once.
const MANY: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn answers_are_each_ones_own_and_no_older_than_they_may_be() {
    let crowd = Arc::new(Crowd::gather().await);
    for _ in 0..crowd::ROUNDS {
        crowd.round().await;
    }
    let (checks, calls) = crowd.counts();
    assert!(
        calls > 0 && calls < checks,
        "{calls} calls for {checks} checks"
    );
    print(&format!(
        "{checks} checks on 4 threads, {calls} calls: none wrong"
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_session_asked_for_by_many_at_once_costs_one_call() {
    for _ in 0..20 {
        let kratos = Scripted::start(&[("/sessions/whoami", answer(200, "", AAL2))]).await;
        let authorizer = authorizer(&kratos.url, &Hand::default());
        let mut callers = JoinSet::new();
        for _ in 0..MANY {
            let authorizer = Arc::clone(&authorizer);
            callers.spawn(async move { ask(&authorizer, "/account", "abc").await.reason });
        }
        assert_eq!(callers.join_all().await, ["session_ok"; MANY]);
        assert_eq!(kratos.asked(), 1);
    }
}

#[tokio::test]
async fn a_new_session_asked_for_by_many_at_once_costs_one_call_through_envoys_door() {
    let gate = Gate::start(RULES).await;
    for _ in 0..20 {
        let cookie = gate.double.sign_in("totp@app.test").unwrap();
        let before = gate.double.whoami_calls();
        let mut callers = JoinSet::new();
        for _ in 0..MANY {
            let mut client = gate.client.clone();
            let cookie = cookie.header();
            callers.spawn(async move {
                let headers = [("cookie", cookie.as_str())];
                let check = crate::gate::request("GET", "app.test", "/account", &headers);
                let response = client.check(check).await.unwrap().into_inner();
                crate::gate::Heard::from(response).status
            });
        }
        assert_eq!(callers.join_all().await, [200; MANY]);
        assert_eq!(gate.double.whoami_calls(), before + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_that_give_up_cost_no_second_call() {
    for give_up in [1, MANY / 2, MANY - 1] {
        let permits = Arc::new(Semaphore::new(0));
        let held = Script::Held(Arc::clone(&permits), written(200, "", AAL2));
        let kratos = Scripted::start(&[("/sessions/whoami", held)]).await;
        let authorizer = authorizer(&kratos.url, &Hand::default());
        let begun = Arc::new(AtomicUsize::new(0));
        let callers = (0..MANY).map(|_| {
            let (authorizer, begun) = (Arc::clone(&authorizer), Arc::clone(&begun));
            tokio::spawn(async move {
                begun.fetch_add(1, Ordering::SeqCst);
                ask(&authorizer, "/account", "abc").await.reason
            })
        });
        let mut callers: Vec<_> = callers.collect();
        until(|| begun.load(Ordering::SeqCst) == MANY && kratos.asked() == 1).await;
        for caller in callers.drain(..give_up) {
            caller.abort();
        }
        permits.add_permits(MANY);
        for caller in callers {
            assert_eq!(caller.await.unwrap(), "session_ok");
        }
        assert_eq!(kratos.asked(), 1, "{give_up} gave up");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_open_circuit_lets_one_of_many_try() {
    let kratos = Scripted::start(&[("/", answer(500, "", ""))]).await;
    let hand = Hand::default();
    let authorizer = authorizer(&kratos.url, &hand);
    let crowd = |name: &'static str| {
        let authorizer = Arc::clone(&authorizer);
        async move {
            let mut callers = JoinSet::new();
            for number in 0..MANY {
                let authorizer = Arc::clone(&authorizer);
                let who = format!("{name}{number}");
                callers.spawn(async move { ask(&authorizer, "/account", &who).await.reason });
            }
            callers.join_all().await
        }
    };
    let stopwatch = Stopwatch::start();
    assert_eq!(crowd("first").await, ["kratos_unavailable"; MANY]);
    // A check counts real time from when it began, so the circuit opened no later than this.
    hand.advance(stopwatch.elapsed());
    // The first pauses are short, and a crowd on a busy machine may take as long.
    for pause in [1, 2] {
        hand.advance(Duration::from_secs(pause));
        let stopwatch = Stopwatch::start();
        let asked = kratos.asked();
        assert_eq!(
            ask(&authorizer, "/account", "one").await.reason,
            "kratos_unavailable"
        );
        assert_eq!(kratos.asked(), asked + 1, "after {pause} s");
        hand.advance(stopwatch.elapsed());
    }
    for pause in [4, 8, 10, 10] {
        let stopwatch = Stopwatch::start();
        let asked = kratos.asked();
        assert_eq!(crowd("early").await, ["kratos_unavailable"; MANY]);
        assert_eq!(kratos.asked(), asked, "open for {pause} s");
        hand.advance(Duration::from_secs(pause));
        assert_eq!(crowd("trying").await, ["kratos_unavailable"; MANY]);
        assert_eq!(kratos.asked(), asked + 1, "after {pause} s");
        hand.advance(stopwatch.elapsed());
    }
    kratos.play(&[("/", answer(200, "", AAL2))]);
    hand.advance(Duration::from_secs(11));
    assert_eq!(
        ask(&authorizer, "/account", "trial").await.reason,
        "session_ok"
    );
    assert_eq!(crowd("well").await, ["session_ok"; MANY]);
}

#[expect(
    clippy::print_stdout,
    reason = "how much was tried is what a reader of this test wants to know"
)]
fn print(line: &str) {
    println!("{line}");
}
