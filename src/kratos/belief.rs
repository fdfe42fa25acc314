//! How far an answer of Kratos is believed.

use std::{
    error::Error,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use http::StatusCode;

use super::{
    Settings, Told,
    client::{Answer, BuildError, Endpoint},
    line::{Budget, Line, LineError},
    wire,
};
use crate::{
    domain::{
        claim::Pointer,
        credential::{Credential, CredentialKind},
        session::{Aal, Enrolment, Factor, Standing},
    },
    telemetry::metrics::Call,
};

const WHOAMI: &str = "/sessions/whoami";
/// A signed-out visitor is told `session_aal1_required` here; when a query fails, it is a 500.
const TRUTH: &str = "/self-service/login/browser?aal=aal2";
/// For a cookie; a token is asked about at `/self-service/settings/api`, with the same answers.
const SETTINGS: &str = "/self-service/settings/browser";
const SETTINGS_OF_TOKEN: &str = "/self-service/settings/api";
/// How long a proof that Kratos is ready holds.
const PROOF: Duration = Duration::from_secs(1);

/// Asks Kratos, and makes of its answers what they prove.
#[derive(Debug)]
pub(super) struct Belief {
    line: Line,
    endpoints: Endpoints,
    pointers: Vec<Pointer>,
    timeout: Duration,
    verifies_signed_out: bool,
    /// When Kratos was last known to be ready, in milliseconds since 1970.
    ready_at: AtomicU64,
    has_warned: AtomicBool,
}

/// What is asked besides `health`.
#[derive(Debug)]
struct Endpoints {
    whoami: Endpoint,
    truth: Endpoint,
    settings: Endpoint,
    settings_of_token: Endpoint,
}

type Asked = Result<Answer, LineError>;

impl Belief {
    pub(super) fn new(settings: &Settings, line: Line) -> Result<Self, BuildError> {
        let endpoints = Endpoints {
            whoami: line.endpoint(WHOAMI)?,
            truth: line.endpoint(TRUTH)?,
            settings: line.endpoint(SETTINGS)?,
            settings_of_token: line.endpoint(SETTINGS_OF_TOKEN)?,
        };
        Ok(Self {
            line,
            endpoints,
            pointers: settings.pointers.clone(),
            timeout: settings.timeout,
            verifies_signed_out: settings.verifies_signed_out,
            ready_at: AtomicU64::new(0),
            has_warned: AtomicBool::new(false),
        })
    }

    /// Who presents this credential.
    pub(super) async fn of_credential(&self, credential: &Credential, now: SystemTime) -> Told {
        let budget = Budget::new(self.timeout, now);
        match self.whoami(credential, now, budget).await {
            Whoami::Says(told) => told,
            Whoami::Unauthorized if self.verifies_signed_out => {
                self.verified(credential, now, budget).await
            }
            Whoami::Unauthorized => Standing::SignedOut.into(),
        }
    }

    /// Nobody presents anything, which is "signed out" given a young proof that Kratos is ready; `None` where there is none.
    pub(super) fn of_readiness(&self, now: SystemTime) -> Option<Standing> {
        let proven_at = SystemTime::UNIX_EPOCH
            .checked_add(Duration::from_millis(self.ready_at.load(Ordering::Relaxed)))?;
        let is_young = now.duration_since(proven_at).is_ok_and(|age| age < PROOF);
        (is_young || self.line.health().is_none()).then_some(Standing::SignedOut)
    }

    /// The same, by asking: a login page that can't answer helps nobody.
    pub(super) async fn of_absence(&self, now: SystemTime) -> Standing {
        let Some(health) = self.line.health() else {
            return Standing::SignedOut;
        };
        let budget = Budget::new(self.timeout, now);
        match self.line.ask(Call::Health, health, None, budget).await {
            Ok(answer) if answer.status == StatusCode::OK => {
                self.is_ready(now);
                Standing::SignedOut
            }
            Ok(answer) if answer.status == StatusCode::NOT_FOUND => {
                self.warn_once(health);
                self.is_ready(now);
                Standing::SignedOut
            }
            other => unavailable(&other),
        }
    }

    fn is_ready(&self, now: SystemTime) {
        let since = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        self.ready_at.store(
            u64::try_from(since.as_millis()).unwrap_or_default(),
            Ordering::Relaxed,
        );
    }

    fn warn_once(&self, health: &Endpoint) {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                path = health.path(),
                "Kratos does not serve its health there, so it is taken to be ready"
            );
        }
    }

    /// Which second factors the owner of a session has.
    pub(super) async fn of_enrolment(
        &self,
        credential: &Credential,
        aal: Aal,
        now: SystemTime,
    ) -> Result<Enrolment, Standing> {
        let budget = Budget::new(self.timeout, now);
        let flow = match credential.kind() {
            CredentialKind::Cookie => &self.endpoints.settings,
            CredentialKind::SessionToken | CredentialKind::Bearer => {
                &self.endpoints.settings_of_token
            }
        };
        let asked = self
            .line
            .ask(Call::Enrolment, flow, Some(credential), budget)
            .await;
        match &asked {
            Ok(answer) if answer.status == StatusCode::OK => Ok(enrolment(answer, aal)),
            Ok(answer) if is_second_factor_due(answer) => Ok(Enrolment::Enrolled),
            Ok(answer) if answer.status == StatusCode::UNAUTHORIZED => {
                match self.of_credential(credential, now).await.standing {
                    Standing::Session(_) | Standing::SecondFactorDue => Ok(Enrolment::Unknown),
                    standing => Err(standing),
                }
            }
            Ok(answer) if !is_trouble(answer.status) => Ok(Enrolment::Unknown),
            trouble => Err(unavailable(trouble)),
        }
    }

    async fn whoami(&self, credential: &Credential, now: SystemTime, budget: Budget) -> Whoami {
        let asked = self
            .line
            .ask(
                Call::Whoami,
                &self.endpoints.whoami,
                Some(credential),
                budget,
            )
            .await;
        let standing = match &asked {
            Ok(answer) if answer.status == StatusCode::OK => {
                self.is_ready(now);
                return Whoami::Says(self.session(credential, answer, now));
            }
            Ok(answer) if answer.status == StatusCode::UNAUTHORIZED => return Whoami::Unauthorized,
            Ok(answer) if is_second_factor_due(answer) => Standing::SecondFactorDue,
            other => unavailable(other),
        };
        Whoami::Says(standing.into())
    }

    /// A renewed cookie goes to nobody but those who sent the old.
    fn session(&self, credential: &Credential, answer: &Answer, now: SystemTime) -> Told {
        let is_cookie = credential.kind() == CredentialKind::Cookie;
        let (standing, expires_at) = wire::standing(&answer.body, &self.pointers, now);
        let allowed = answer.cache_for.and_then(|time| now.checked_add(time));
        let until = expires_at.map(|end| allowed.map_or(end, |allowed| allowed.min(end)));
        Told {
            standing,
            renewal: answer.renewal.clone().filter(|_| is_cookie),
            is_joined: false,
            remembered: until.map(|until| (now, until)),
        }
    }

    /// A second question before a 401 is believed, put so that a broken Kratos answers it differently.
    async fn verified(&self, credential: &Credential, now: SystemTime, budget: Budget) -> Told {
        let asked = self
            .line
            .ask(
                Call::Verify,
                &self.endpoints.truth,
                Some(credential),
                budget,
            )
            .await;
        match &asked {
            Ok(answer) if is_signed_out(answer) => Standing::SignedOut.into(),
            Ok(answer) if !is_trouble(answer.status) => {
                match self.whoami(credential, now, budget).await {
                    Whoami::Unauthorized => Standing::SignedOut.into(),
                    Whoami::Says(told) => told,
                }
            }
            trouble => unavailable(trouble).into(),
        }
    }
}

enum Whoami {
    Says(Told),
    Unauthorized,
}

/// A settings flow that opens at AAL1 means that there is no second factor, unless it shows one: then the session was
/// lifted meanwhile, or Kratos runs with `settings.required_aal: aal1`. A key may be a first factor, so it proves nothing.
fn enrolment(answer: &Answer, aal: Aal) -> Enrolment {
    let shown = wire::factors_set_up(&answer.body);
    let is_second = |factor: &Factor| matches!(factor, Factor::Totp | Factor::LookupSecret);
    match shown {
        // A 200 that is no flow is somebody else's page.
        None => Enrolment::Unknown,
        Some(factors) if aal >= Aal::Aal2 => Enrolment::SetUp(factors),
        Some(factors) if factors.iter().any(is_second) => Enrolment::Enrolled,
        Some(_) => Enrolment::NotEnrolled,
    }
}

fn is_second_factor_due(answer: &Answer) -> bool {
    answer.status == StatusCode::FORBIDDEN && wire::is_error(&answer.body, "session_aal2_required")
}

fn is_signed_out(answer: &Answer) -> bool {
    answer.status == StatusCode::UNAUTHORIZED
        && wire::is_error(&answer.body, "session_aal1_required")
}

fn is_trouble(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

/// Leaves a line about what was wrong: its status or its chain of causes, never a body.
fn unavailable(asked: &Asked) -> Standing {
    match asked {
        Ok(answer) => tracing::warn!(
            status = answer.status.as_u16(),
            "Kratos gave an answer that proves nothing"
        ),
        Err(LineError::Open | LineError::Throttled(_)) => {}
        Err(error) => {
            let error: &dyn Error = error;
            tracing::warn!(error, "Kratos gave no answer");
        }
    }
    Standing::Unavailable {
        retry_after: retry_after(asked),
    }
}

fn retry_after(asked: &Asked) -> Option<Duration> {
    match asked {
        Ok(answer) => answer.retry_after,
        Err(LineError::Throttled(wait)) => Some(*wait),
        Err(_) => None,
    }
}
