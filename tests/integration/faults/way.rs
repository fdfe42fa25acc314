//! Envoy's door over a scripted Kratos, with a clock to set.

use std::{
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use stepgate::{
    authorizer::Authorizer,
    config::Config,
    servers::Doors,
    telemetry::clock::{Clock, Stopwatch},
};
use tokio::{sync::watch, task::JoinSet};
use tonic::transport::Channel;

use super::{EACH, IN_FLIGHT, fault::Outcome, latest};
use crate::{
    gate::{self, Heard, request},
    scripted::{Refusing, Script, Scripted, answer},
    trouble::strange::AAL2,
};

/// The longest that a check waits for Kratos: enough for many at once on a busy machine when nothing is wrong.
pub(super) const TIMEOUT: Duration = Duration::from_secs(2);
/// A minute and some after the second factor of [`AAL2`].
const START: u64 = 1_767_225_700;
/// Longer than Kratos is left alone, whatever it did.
const LONG: u64 = 61;
/// Ends a test that would hang.
const NEVER: Duration = Duration::from_secs(30);
const RULES: &str = "
  - { id: transfer, match: { path: /transfer }, require: aal2 }
  - { id: recent, match: { path: /recent }, require: { max_age: 24h } }
";
const SERVERS: &str = "servers: { grpc: { listen: '127.0.0.1:0' }, admin: { listen: off } }\n";

/// The whole of it, running.
pub(super) struct Way {
    client: AuthorizationClient<Channel>,
    kratos: Option<Scripted>,
    seconds: Arc<AtomicU64>,
    cookies: AtomicUsize,
    _stop: watch::Sender<bool>,
}

/// An answer, in the words of the table.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) status: i32,
    pub(super) reason: String,
    pub(super) retry_after: String,
    pub(super) took: Duration,
}

/// A Kratos without fault.
pub(super) fn well() -> Vec<(&'static str, Script)> {
    vec![("/", answer(200, "", AAL2))]
}

impl Way {
    pub(super) async fn open() -> Self {
        let kratos = Scripted::start(&well()).await;
        let url = kratos.url.clone();
        Self {
            kratos: Some(kratos),
            ..Self::to(&url, "").await
        }
    }

    /// To where nobody listens yet.
    pub(super) async fn to_nobody() -> (Self, Refusing) {
        let (url, refusing) = Scripted::refusing();
        (Self::to(&url, "").await, refusing)
    }

    /// To a Kratos at this address, with these further keys.
    pub(super) async fn to(url: &str, more: &str) -> Self {
        let seconds = Arc::new(AtomicU64::new(START));
        crate::watch::listen();
        let hand = Arc::clone(&seconds);
        let clock = Clock::by_hand(move || {
            SystemTime::UNIX_EPOCH + Duration::from_secs(hand.load(Ordering::SeqCst))
        });
        let keys = format!("timeout: 2s\n    {more}origins:");
        let text = gate::config(url, RULES).replace("origins:", &keys);
        let config = Config::parse("test.yaml", &format!("{text}\n{SERVERS}")).unwrap();
        let doors = Doors::open(config.servers.clone()).await.unwrap();
        let door = format!("http://{}", doors.grpc_address().unwrap());
        let authorizer = Arc::new(Authorizer::new(config.into_snapshot().unwrap(), clock));
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(doors.serve(authorizer, NonZero::<usize>::MIN, stopped));
        Self {
            client: AuthorizationClient::connect(door).await.unwrap(),
            kratos: None,
            seconds,
            cookies: AtomicUsize::new(0),
            _stop: stop,
        }
    }

    pub(super) fn kratos(&self) -> &Scripted {
        self.kratos.as_ref().unwrap()
    }

    /// Kratos listens from now on.
    pub(super) fn arrive(&mut self, refusing: Refusing) {
        self.kratos = Some(refusing.listen(&well()));
    }

    /// A session that nothing is remembered of yet.
    pub(super) fn new_cookie(&self) -> String {
        let number = self.cookies.fetch_add(1, Ordering::Relaxed);
        format!("ory_kratos_session=abc{number}")
    }

    pub(super) async fn ask(&self, target: &str, cookie: &str) -> Told {
        asked(self.client.clone(), target, cookie).await
    }

    /// Many at once, each of which must hear this; the longest time that one of them took.
    pub(super) async fn load(
        &self,
        target: &'static str,
        outcome: Outcome,
        told: &str,
    ) -> Duration {
        let mut callers = JoinSet::new();
        for _ in 0..IN_FLIGHT {
            let cookies: Vec<String> = (0..EACH).map(|_| self.new_cookie()).collect();
            let client = self.client.clone();
            callers.spawn(async move {
                let mut heard = Vec::new();
                for cookie in cookies {
                    heard.push(asked(client.clone(), target, &cookie).await);
                }
                heard
            });
        }
        let heard: Vec<Told> = callers.join_all().await.into_iter().flatten().collect();
        for one in &heard {
            let is_so = (one.status, &*one.reason) == (outcome.status, outcome.reason);
            assert!(is_so, "{told}: {one:?}");
            assert!(one.took <= latest(), "{told}: {one:?}");
        }
        let after = heard
            .iter()
            .filter(|one| one.retry_after == outcome.retry_after);
        // Once the circuit is open, nobody knows how long Kratos wants to be left alone.
        assert!(after.count() > 0, "{told}");
        heard.iter().map(|one| one.took).max().unwrap()
    }

    /// Kratos is well from now on, and so is everything, without a restart.
    pub(super) async fn recovers(&self, target: &'static str, told: &str) {
        let kratos = self.kratos.as_ref();
        if let Some(kratos) = kratos {
            kratos.play(&well());
            // A call whose caller has long been answered may still be under way.
            until(|| kratos.busy() == 0).await;
        }
        self.seconds.fetch_add(LONG, Ordering::SeqCst);
        let first = self.ask(target, &self.new_cookie()).await;
        assert_eq!(first.reason, "allowed", "after {told}");
        let allowed = Outcome {
            status: 200,
            reason: "allowed",
            retry_after: "",
        };
        self.load(target, allowed, &format!("after {told}")).await;
    }
}

async fn asked(mut client: AuthorizationClient<Channel>, target: &str, cookie: &str) -> Told {
    let headers = [("accept", "text/html"), ("cookie", cookie)];
    let check = request("GET", "app.test", target, &headers);
    let stopwatch = Stopwatch::start();
    let response = tokio::time::timeout(NEVER, client.check(check));
    let heard = Heard::from(response.await.unwrap().unwrap().into_inner());
    let took = stopwatch.elapsed();
    let reason = match heard.status {
        200 => "allowed".to_owned(),
        _ => heard.reason().to_owned(),
    };
    Told {
        status: heard.status,
        reason,
        retry_after: heard.header("retry-after").to_owned(),
        took,
    }
}

/// Waits for a condition.
pub(super) async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(NEVER, waiting).await.unwrap();
}
