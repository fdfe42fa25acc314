//! From a credential to a session: what Kratos says of it, how far that is believed, and how long it is remembered.
//!
//! Kratos is asked with the one credential and nothing else of the client's. A failure never counts as "signed out", and
//! neither does a bare 401: Kratos says that too when its database is down.
//!
//! ```text
//! remembered? ── cache      a session that let a request through, for a second
//!     │ no
//! joined?     ── flight     one call for all who ask the same at the same time
//!     │ no
//! believed?   ── belief     what an answer proves, and the second question where it proves nothing
//!     │
//! asked       ── line       a place in the queue, a closed circuit (breaker), a deadline
//!     │
//! called      ── client     HTTP: one credential, bounded body, no redirects
//! ```

mod belief;
mod breaker;
pub mod cache;
mod client;
mod flight;
mod line;
mod survey;
mod wire;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::HeaderValue;
use quick_cache::sync::Cache;
use rustls::pki_types::TrustAnchor;

use crate::{
    domain::{
        claim::Pointer,
        credential::{Credential, Fingerprint},
        id::Id,
        session::{Aal, Enrolment, Session, Standing},
    },
    telemetry::metrics,
};
use belief::Belief;
use cache::{Remembered, Sessions};
pub use client::BuildError;
use flight::{Flights, Landed};
use line::Line;
pub use survey::{Finding, survey};

/// How long "has no second factor" is remembered of a session. It only chooses between two refusals, and enrolling lifts
/// the session itself.
const UNENROLLED_FOR: Duration = Duration::from_secs(30);
/// Of how many sessions.
const MAX_UNENROLLED: usize = 10_000;

/// Where one Kratos is and how it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The identity domain's name, for the metrics.
    pub name: Box<str>,
    /// Kratos' public API, http or https, without a slash at its end.
    pub api_url: Box<str>,
    /// The name of its session cookie.
    pub cookie: Box<str>,
    /// The longest that a check waits for it in all.
    pub timeout: Duration,
    /// What is asked to be known of an identity.
    pub pointers: Vec<Pointer>,
    /// What is remembered.
    pub cache: cache::Settings,
    /// Calls at once; the rest queue.
    pub max_in_flight: usize,
    /// Whether a 401 is verified by a second question before it counts as "signed out".
    pub verifies_signed_out: bool,
    /// The path that says whether Kratos is ready; `None` where there is none.
    pub health: Option<Box<str>>,
    /// The roots for an https `api_url`; `None` for the system's.
    pub ca: Option<Vec<TrustAnchor<'static>>>,
}

/// What Kratos told of a request.
#[derive(Clone, Debug)]
pub struct Told {
    /// Who presents the credential.
    pub standing: Standing,
    /// The `Set-Cookie` line by which whoami renews a session cookie. It is a secret, and only its owner's.
    pub renewal: Option<HeaderValue>,
    /// Whether the call began before this request asked, so that a refusal from it may be out of date.
    pub is_joined: bool,
    /// Since when and until when a session may be remembered: the time its call began, and its end.
    remembered: Option<(SystemTime, SystemTime)>,
}

impl Told {
    fn to_remember(&self) -> Option<Remembered> {
        match (&self.standing, self.remembered) {
            (Standing::Session(session), Some((asked_at, until))) => Some(Remembered {
                session: Arc::clone(session),
                asked_at,
                until,
            }),
            _ => None,
        }
    }
}

impl From<Remembered> for Told {
    fn from(remembered: Remembered) -> Self {
        Self {
            remembered: Some((remembered.asked_at, remembered.until)),
            ..Standing::Session(remembered.session).into()
        }
    }
}

impl From<Standing> for Told {
    fn from(standing: Standing) -> Self {
        Self {
            standing,
            renewal: None,
            is_joined: false,
            remembered: None,
        }
    }
}

/// One Kratos.
#[derive(Debug)]
pub struct Kratos {
    settings: Settings,
    metrics: metrics::Kratos,
    belief: Arc<Belief>,
    sessions: Arc<Sessions>,
    unenrolled: Cache<Id, SystemTime>,
    asked: Flights<Fingerprint, Told>,
    enrolments: Flights<(Fingerprint, Aal), Result<Enrolment, Standing>>,
    readiness: Flights<(), Standing>,
}

impl Kratos {
    /// A client for one Kratos. It is first called when a check needs it.
    ///
    /// # Errors
    /// [`BuildError`] where TLS can't be set up.
    pub fn new(settings: &Settings) -> Result<Self, BuildError> {
        let metrics = metrics::kratos(&settings.name);
        let line = Line::new(settings, metrics.clone())?;
        Ok(Self {
            settings: settings.clone(),
            metrics,
            belief: Arc::new(Belief::new(settings, line)?),
            sessions: Arc::new(Sessions::new(settings.cache)),
            unenrolled: Cache::new(MAX_UNENROLLED),
            asked: Flights::new(),
            enrolments: Flights::new(),
            readiness: Flights::new(),
        })
    }

    /// The longest that a check waits for it in all.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.settings.timeout
    }

    /// Where it is and how it is asked.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is counted of it.
    #[must_use]
    pub fn metrics(&self) -> &metrics::Kratos {
        &self.metrics
    }

    /// The session that is remembered of a credential, no older than the rule's own time where it has one.
    #[must_use]
    pub fn remembered(
        &self,
        credential: &Credential,
        rule_ttl: Option<Duration>,
        now: SystemTime,
    ) -> Option<Arc<Session>> {
        let remembered = self.sessions.get(credential, rule_ttl, now);
        remembered.map(|remembered| remembered.session)
    }

    /// Remembers a session that let a request through, from when its call began: a request that joined the call late must
    /// not make it younger.
    pub fn remember(&self, credential: &Credential, told: &Told) {
        if let Some(remembered) = told.to_remember() {
            self.sessions.insert(credential, remembered);
        }
    }

    /// Who presents this credential. The caller bounds the wait.
    ///
    /// An answer that `suffices` is remembered before its call is over, and whoever finds no call to join looks at what was
    /// remembered meanwhile: so whoever comes at any moment joins the call or finds its answer. What is found so is no
    /// older than this rule allows, and is shared with nobody, whose rule may allow less.
    pub async fn ask(
        &self,
        credential: &Credential,
        rule_ttl: Option<Duration>,
        now: SystemTime,
        suffices: impl Fn(&Standing) -> bool + Clone + Send + 'static,
    ) -> Told {
        let (belief, sessions) = (Arc::clone(&self.belief), Arc::clone(&self.sessions));
        let own = credential.clone();
        let is_enough = suffices.clone();
        let recall = || {
            let known = self.sessions.get(credential, rule_ttl, now)?;
            Some(Told::from(known)).filter(|known| is_enough(&known.standing))
        };
        let call = || async move {
            let told = belief.of_credential(&own, now).await;
            if let Some(remembered) = told.to_remember().filter(|_| suffices(&told.standing)) {
                sessions.insert(&own, remembered);
            }
            told
        };
        let told = self
            .asked
            .share(credential.fingerprint(), recall, call)
            .await;
        told.map_or_else(unanswered, |Landed { value, is_joined }| Told {
            is_joined,
            ..value
        })
    }

    /// Who presents nothing, or nothing that could be a credential: nobody, given a young proof that Kratos is ready. `None`
    /// where there is none.
    #[must_use]
    pub fn nobody(&self, now: SystemTime) -> Option<Standing> {
        self.belief.of_readiness(now)
    }

    /// The same, by asking Kratos whether it is ready.
    pub async fn ask_of_nobody(&self, now: SystemTime) -> Standing {
        let belief = Arc::clone(&self.belief);
        let call = || async move { belief.of_absence(now).await };
        let told = self.readiness.share((), || None, call).await;
        told.map_or(Standing::Unavailable { retry_after: None }, |landed| {
            landed.value
        })
    }

    /// Which second factors the owner of a session has.
    ///
    /// # Errors
    /// The new standing, where the session has ended meanwhile.
    pub async fn enrolment(
        &self,
        credential: &Credential,
        session: &Session,
        now: SystemTime,
    ) -> Result<Enrolment, Standing> {
        if session.aal < Aal::Aal2 && self.is_unenrolled(session, now) {
            return Ok(Enrolment::NotEnrolled);
        }
        let (belief, own, aal) = (Arc::clone(&self.belief), credential.clone(), session.aal);
        let call = || async move { belief.of_enrolment(&own, aal, now).await };
        let landed = self
            .enrolments
            .share((credential.fingerprint(), aal), || None, call)
            .await;
        let enrolment = landed.map_or(Err(Standing::Unavailable { retry_after: None }), |landed| {
            landed.value
        });
        if enrolment == Ok(Enrolment::NotEnrolled) {
            self.unenrolled.insert(session.id.clone(), now);
        }
        enrolment
    }

    fn is_unenrolled(&self, session: &Session, now: SystemTime) -> bool {
        let since = self.unenrolled.get(&session.id);
        since
            .and_then(|since| now.duration_since(since).ok())
            .is_some_and(|age| age < UNENROLLED_FOR)
    }
}

/// The call ended without an answer.
fn unanswered() -> Told {
    Standing::Unavailable { retry_after: None }.into()
}

/// What a 200 of whoami with this body says at this time, of its identity what stands at these pointers.
#[must_use]
pub fn read_whoami(body: &[u8], pointers: &[Pointer], now: SystemTime) -> Standing {
    wire::standing(body, pointers, now).0
}
