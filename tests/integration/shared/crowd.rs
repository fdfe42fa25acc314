//! Many callers with few sessions, and a Kratos that stamps its answers: whose session it is, its level, and the time.
//!
//! The clock moves while checks are under way, a step at a time. A step waits for the checks that began before the one
//! before it, so a call that a check joins began at most one step earlier, and all that is older came from memory.
#![expect(
    clippy::indexing_slicing,
    reason = "a remainder is within the list that it was divided by"
)]

use std::{
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use stepgate::{
    authorizer::{Answer, Authorizer},
    config::Config,
    domain::{
        headers::Headers,
        reply::Reply,
        request::{Facts, Reach},
    },
};
use tokio::task::JoinSet;

use super::clock::{Hand, time, until};
use crate::{
    gate,
    scripted::{Script, Scripted, Teller, written},
};

pub(super) const RULES: &str = "
  - { id: account, match: { path: /account }, require: session }
  - { id: brief, match: { path: /brief }, require: session, cache: 300ms }
  - { id: careful, match: { path: /careful }, require: session, cache: off }
  - { id: transfer, match: { path: /transfer }, require: aal2 }
";
/// How old an answer may be under each rule, in milliseconds: the ttl, the rule's own, a call that was under way.
const AGES: [(&str, u64); 4] = [
    ("/account", 1000),
    ("/brief", 300),
    ("/careful", STEP + 1),
    ("/transfer", 1000),
];
/// How long a session lasts from when Kratos tells of it, if its name says that it is short.
const SHORT: u64 = 700;
const STEP: u64 = 100;
/// Rounds, each with sessions of its own.
pub(super) const ROUNDS: usize = 12;
const SESSIONS: usize = 6;
const CALLERS: usize = 24;
/// Checks that a caller makes in a round.
const CHECKS: usize = 40;

pub(super) struct Crowd {
    hand: Hand,
    kratos: Scripted,
    authorizer: Arc<Authorizer>,
    /// Whether those signed in have given a second factor.
    is_lifted: Arc<AtomicBool>,
    /// Checks under way, by whether their step is even or odd.
    under_way: [AtomicUsize; 2],
    /// The step that checks begin in; held while one begins.
    step: RwLock<usize>,
    rounds: AtomicUsize,
    checks: AtomicUsize,
}

/// An authorizer over this Kratos.
pub(super) fn authorizer(url: &str, hand: &Hand) -> Arc<Authorizer> {
    crate::watch::listen();
    let config = gate::config(url, RULES).replace("origins:", "timeout: 20s\n    origins:");
    let headers = "upstream_headers: { X-Who: identity.id, X-When: session.id }";
    let config = Config::parse("test.yaml", &format!("{config}\n{headers}\n")).unwrap();
    Arc::new(Authorizer::new(
        config.into_snapshot().unwrap(),
        hand.clock(),
    ))
}

/// Asks for a page, as whoever has this session.
pub(super) async fn ask(authorizer: &Authorizer, target: &'static str, who: &str) -> Answer {
    let cookie = format!("ory_kratos_session={who}");
    let facts = Facts {
        method: "GET".into(),
        host: "app.test".into(),
        target: target.into(),
        headers: Headers::raw(vec![("cookie".into(), cookie.into())]),
        context: vec![],
        body: None,
        reach: Reach::Edits,
        trace: Headers::default(),
    };
    authorizer.check("grpc", &facts, None).await
}

impl Crowd {
    pub(super) async fn gather() -> Self {
        let hand = Hand::default();
        let is_lifted = Arc::new(AtomicBool::new(false));
        let teller = {
            let (hand, is_lifted) = (hand.clone(), Arc::clone(&is_lifted));
            Teller::new(move |head| tell(head, hand.millis(), is_lifted.load(Ordering::SeqCst)))
        };
        let kratos = Scripted::start(&[("/", Script::Tells(teller))]).await;
        Self {
            authorizer: authorizer(&kratos.url, &hand),
            hand,
            kratos,
            is_lifted,
            under_way: Default::default(),
            step: RwLock::default(),
            rounds: AtomicUsize::new(0),
            checks: AtomicUsize::new(0),
        }
    }

    pub(super) fn counts(&self) -> (usize, usize) {
        (self.checks.load(Ordering::SeqCst), self.kratos.asked())
    }

    /// New sessions, all at AAL1; half-way through they are lifted.
    pub(super) async fn round(self: &Arc<Self>) {
        self.is_lifted.store(false, Ordering::SeqCst);
        let round = self.rounds.fetch_add(1, Ordering::SeqCst);
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            let crowd = Arc::clone(self);
            callers.spawn(async move {
                for check in 0..CHECKS {
                    crowd.check(round, caller + check * 7).await;
                }
            });
        }
        let mut steps = 0;
        while !callers.is_empty() {
            self.step().await;
            steps += 1;
            if steps == 3 {
                self.is_lifted.store(true, Ordering::SeqCst);
            }
            while let Some(done) = callers.try_join_next() {
                done.unwrap();
            }
        }
        assert!(steps > 3, "the clock stood still");
    }

    /// Moves the clock, once those that began a step before are answered.
    async fn step(&self) {
        let ended = {
            let mut step = self.step.write().unwrap();
            self.hand.advance(Duration::from_millis(STEP));
            *step += 1;
            (*step + 1) % 2
        };
        until(|| self.under_way[ended].load(Ordering::SeqCst) == 0).await;
    }

    async fn check(&self, round: usize, number: usize) {
        let (target, age) = AGES[number % AGES.len()];
        let session = number / AGES.len() % SESSIONS;
        let kind = if session.is_multiple_of(2) {
            "short"
        } else {
            "long"
        };
        let who = format!("{kind}-{round}-{session}");
        let (parity, was_lifted, began) = {
            let step = self.step.read().unwrap();
            self.under_way[*step % 2].fetch_add(1, Ordering::SeqCst);
            let was_lifted = self.is_lifted.load(Ordering::SeqCst);
            (*step % 2, was_lifted, self.hand.millis())
        };
        let answer = ask(&self.authorizer, target, &who).await;
        let (ended, is_lifted) = (self.hand.millis(), self.is_lifted.load(Ordering::SeqCst));
        self.under_way[parity].fetch_sub(1, Ordering::SeqCst);
        self.checks.fetch_add(1, Ordering::SeqCst);
        let told = format!("{who} at {target} from {began} to {ended}: {answer:?}");
        if target == "/transfer" {
            assert!(
                answer.decision == "allow" || !was_lifted,
                "lifted before: {told}"
            );
            assert!(
                answer.decision != "allow" || is_lifted,
                "not lifted yet: {told}"
            );
        } else {
            assert_eq!(answer.decision, "allow", "{told}");
        }
        if answer.decision == "allow" {
            let age = if kind == "short" { age.min(SHORT) } else { age };
            holds(&answer, &who, began.saturating_sub(age), ended, &told);
        }
    }
}

/// An allow is about who asked, and from after the one time, up to the other.
fn holds(answer: &Answer, who: &str, after: u64, until: u64, told: &str) {
    let Reply::Through(through) = &answer.reply else {
        panic!("no allow: {told}")
    };
    let value = |name: &str| {
        let mut set = through.mutations.set.iter();
        let found = set.find(|(set, _)| set == name).unwrap();
        found.1.to_str().unwrap().to_owned()
    };
    assert_eq!(value("x-who"), who, "{told}");
    let when: u64 = value("x-when").parse().unwrap();
    assert!(when <= until, "from the future: {told}");
    assert!(when > after || after == 0, "too old: {told}");
}

/// What Kratos says of whoever asks, at this time.
fn tell(head: &str, millis: u64, is_lifted: bool) -> String {
    let cookie = head.split("ory_kratos_session=").nth(1).unwrap_or_default();
    let who = cookie.split("\r\n").next().unwrap_or_default();
    if !head.starts_with("GET /sessions/whoami") {
        // Has a second factor.
        return written(403, "", r#"{"error":{"id":"session_aal2_required"}}"#);
    }
    let lasts = if who.starts_with("short") {
        SHORT
    } else {
        3_600_000
    };
    let expires_at = Timestamp::try_from(time(millis + lasts)).unwrap();
    let aal = if is_lifted { "aal2" } else { "aal1" };
    let body = format!(
        r#"{{"id":"{millis}","active":true,"expires_at":"{expires_at}","authenticator_assurance_level":"{aal}",
        "authentication_methods":[{{"method":"totp","aal":"{aal}","completed_at":"2026-01-01T00:00:00Z"}}],
        "identity":{{"id":"{who}"}}}}"#
    );
    written(200, "", &body)
}
