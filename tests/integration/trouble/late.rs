//! A request that joins a call late does not make what that call told any younger.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use stepgate::{authorizer::Authorizer, config::Config, telemetry::clock::Clock};
use tokio::sync::Semaphore;

use super::{NEVER, RULES, WHOAMI, page, strange::AAL2};
use crate::{
    gate,
    scripted::{Script, Scripted, answer},
};

const COOKIE: &str = "ory_kratos_session=abc";

#[tokio::test]
async fn a_session_is_remembered_from_when_its_call_began() {
    let permits = Arc::new(Semaphore::new(0));
    let Script::Says(whole) = answer(200, "", AAL2) else {
        panic!("an answer says something")
    };
    let held = Script::Held(Arc::clone(&permits), whole);
    let kratos = Scripted::start(&[(WHOAMI, held)]).await;
    let millis = Arc::new(AtomicU64::new(0));
    let authorizer = stepgate(&kratos, &millis);
    let first = page(&authorizer, "/transfer", COOKIE);
    let late = async {
        until(|| kratos.asked() == 1).await;
        millis.store(900, Ordering::SeqCst);
        let release = async { permits.add_permits(1) };
        // In this order: the second joins before the first is answered.
        let (answer, ()) = tokio::join!(page(&authorizer, "/transfer", COOKIE), release);
        answer
    };
    let (first, late) = tokio::join!(first, late);
    assert_eq!((first.reason, late.reason), ("session_ok", "session_ok"));
    assert_eq!(kratos.asked(), 1, "they share one call");
    millis.store(999, Ordering::SeqCst);
    page(&authorizer, "/transfer", COOKIE).await;
    assert_eq!(kratos.asked(), 1, "remembered for a second");
    millis.store(1000, Ordering::SeqCst);
    kratos.play(&[(WHOAMI, answer(500, "", ""))]);
    let after = page(&authorizer, "/transfer", COOKIE).await;
    assert_eq!(after.reason, "kratos_unavailable");
    assert_eq!(kratos.asked(), 2, "and no longer");
}

fn stepgate(kratos: &Scripted, millis: &Arc<AtomicU64>) -> Authorizer {
    crate::watch::listen();
    let millis = Arc::clone(millis);
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let clock =
        Clock::by_hand(move || start + Duration::from_millis(millis.load(Ordering::SeqCst)));
    let config = gate::config(&kratos.url, RULES).replace("origins:", "timeout: 20s\n    origins:");
    let config = Config::parse("test.yaml", &config).unwrap();
    Authorizer::new(config.into_snapshot().unwrap(), clock)
}

async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(NEVER, waiting).await.unwrap();
}
