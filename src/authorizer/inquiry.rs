//! What Kratos is asked for one check: nothing where memory suffices, else who it is, and where it matters which second
//! factors they have.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::HeaderValue;

use crate::{
    domain::{
        credential::{Credential, Presented},
        decision::{Decision, decide, turns_on_enrolment},
        rule::Demand,
        session::{Enrolment, Session, Standing},
    },
    kratos::{Kratos, Told},
    telemetry::{clock::Stopwatch, traces::CheckSpan},
};

/// What is asked on behalf of one check.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inquiry<'a> {
    pub(super) kratos: &'a Kratos,
    pub(super) demands: &'a [Demand],
    /// Those that a refusal may come of. Nobody is asked for second factors on behalf of a rule in shadow.
    pub(super) enforced: &'a [Demand],
    pub(super) presented: &'a Presented,
    /// Whether it matters which second factors somebody has.
    pub(super) asks_enrolment: bool,
    /// The longest that this rule lets a session be remembered.
    pub(super) rule_ttl: Option<Duration>,
    pub(super) now: SystemTime,
    /// What the calls to Kratos are below.
    pub(super) span: &'a CheckSpan,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) standing: Standing,
    pub(super) enrolment: Enrolment,
    /// The `Set-Cookie` line of a renewed session cookie.
    pub(super) renewal: Option<HeaderValue>,
    pub(super) memory: Memory,
    /// How long Kratos was waited for.
    pub(super) waited: Duration,
}

/// What memory gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Memory {
    /// It was not looked into.
    #[default]
    Unasked,
    /// A session that suffices.
    Hit,
    /// None, or none that suffices.
    Miss,
}

impl Memory {
    /// The word for it in log and metric.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Unasked => "",
            Self::Hit => "hit",
            Self::Miss => "miss",
        }
    }
}

impl Found {
    /// Kratos did not answer in time.
    pub(super) fn late() -> Self {
        Standing::Unavailable { retry_after: None }.into()
    }
}

impl From<Standing> for Found {
    fn from(standing: Standing) -> Self {
        Self {
            standing,
            enrolment: Enrolment::Unknown,
            renewal: None,
            memory: Memory::Unasked,
            waited: Duration::ZERO,
        }
    }
}

impl Inquiry<'_> {
    /// Asks, for no longer than this. What waits lies in a box of its own, so that a check that needn't wait stays small: it is
    /// moved several times on its way.
    pub(super) async fn within(&self, budget: Duration) -> Found {
        match self.presented {
            Presented::One(credential) => {
                let remembered = self.remembered(credential);
                self.kratos.metrics().looked_up(remembered.is_some());
                match remembered {
                    Some(found) => found,
                    None => Box::pin(self.bounded(budget, self.of(credential))).await,
                }
            }
            Presented::Nothing | Presented::Malformed(_) => match self.kratos.nobody(self.now) {
                Some(standing) => standing.into(),
                None => Box::pin(self.bounded(budget, self.of_nobody())).await,
            },
        }
    }

    async fn bounded(&self, budget: Duration, asking: impl Future<Output = Found>) -> Found {
        let stopwatch = Stopwatch::start();
        let found = tokio::time::timeout(budget, self.span.around(asking)).await;
        Found {
            waited: stopwatch.elapsed(),
            ..found.unwrap_or_else(|_| Found::late())
        }
    }

    async fn of_nobody(&self) -> Found {
        self.kratos.ask_of_nobody(self.now).await.into()
    }

    /// Memory can only allow; where it doesn't suffice, Kratos is asked.
    fn remembered(&self, credential: &Credential) -> Option<Found> {
        let session = self
            .kratos
            .remembered(credential, self.rule_ttl, self.now)?;
        let standing = Standing::Session(session);
        let is_met = self.is_met(&standing);
        is_met.then(|| Found {
            memory: Memory::Hit,
            ..standing.into()
        })
    }

    async fn of(&self, credential: &Credential) -> Found {
        let told = self.told(credential).await;
        // Whoever began the call demanded more, perhaps; what suffices them is remembered already.
        if told.is_joined && self.is_met(&told.standing) {
            self.kratos.remember(credential, &told);
        }
        let (standing, enrolment) = self.enrolment(credential, told.standing).await;
        Found {
            standing,
            enrolment,
            renewal: told.renewal,
            memory: Memory::Miss,
            waited: Duration::ZERO,
        }
    }

    /// A refusal from a call that began before the request arrived may be out of date, so it is asked for once more.
    async fn told(&self, credential: &Credential) -> Told {
        let told = self.ask(credential).await;
        if told.is_joined && !self.is_met(&told.standing) {
            return self.ask(credential).await;
        }
        told
    }

    async fn ask(&self, credential: &Credential) -> Told {
        let (demands, now) = (self.demands.to_vec(), self.now);
        let suffices = move |standing: &Standing| is_met(&demands, standing, now);
        let told = self.kratos.ask(credential, self.rule_ttl, now, suffices);
        told.await
    }

    async fn enrolment(
        &self,
        credential: &Credential,
        standing: Standing,
    ) -> (Standing, Enrolment) {
        match self.turns_on(&standing) {
            Some(session) => match self.kratos.enrolment(credential, &session, self.now).await {
                Ok(enrolment) => (standing, enrolment),
                Err(standing) => (standing, Enrolment::Unknown),
            },
            None => (standing, Enrolment::Unknown),
        }
    }

    /// The session whose second factors would change the outcome.
    fn turns_on(&self, standing: &Standing) -> Option<Arc<Session>> {
        let turns = self.asks_enrolment && turns_on_enrolment(self.enforced, standing, self.now);
        match standing {
            Standing::Session(session) if turns => Some(Arc::clone(session)),
            _ => None,
        }
    }

    fn is_met(&self, standing: &Standing) -> bool {
        is_met(self.demands, standing, self.now)
    }
}

fn is_met(demands: &[Demand], standing: &Standing, now: SystemTime) -> bool {
    let decision = decide(demands, standing, &Enrolment::Unknown, now);
    matches!(decision, Decision::Allow(_))
}
