//! The facts of a Kratos session: who, at which level, by which methods and when.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{claim::Claims, id::Id};

/// How far ahead of our clock a completion may lie before it counts as unreadable.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(30);

/// Kratos' authenticator assurance level, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aal {
    /// No authentication to speak of.
    Aal0,
    /// One factor.
    Aal1,
    /// Two factors.
    Aal2,
}

impl Aal {
    /// The level that Kratos names so, if it is a known one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Aal0, Self::Aal1, Self::Aal2]
            .into_iter()
            .find(|aal| aal.as_str() == text)
    }

    /// Kratos' name for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aal0 => "aal0",
            Self::Aal1 => "aal1",
            Self::Aal2 => "aal2",
        }
    }
}

/// A method that Kratos accepts as a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    /// A code from an authenticator app.
    Totp,
    /// A security key.
    Webauthn,
    /// A backup code.
    LookupSecret,
    /// A code sent by mail or SMS.
    Code,
}

impl Factor {
    /// Every factor.
    pub const ALL: [Self; 4] = [Self::Totp, Self::Webauthn, Self::LookupSecret, Self::Code];

    /// The factor that Kratos names so, if it is a known one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|factor| factor.as_str() == text)
    }

    /// Kratos' name for it, as in `authentication_methods[].method`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Webauthn => "webauthn",
            Self::LookupSecret => "lookup_secret",
            Self::Code => "code",
        }
    }
}

/// One entry of Kratos' `authentication_methods`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// Kratos' name, such as `password` or `totp`.
    pub name: Cow<'static, str>,
    /// The level it counts for; `None` where Kratos names one we don't know.
    pub aal: Option<Aal>,
    /// When it was completed; `None` where missing or unreadable.
    pub completed_at: Option<SystemTime>,
}

/// An active session as Kratos' whoami tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Kratos' session id.
    pub id: Id,
    /// The Kratos identity's id.
    pub subject: Id,
    /// The level the session has now.
    pub aal: Aal,
    /// All methods used, in Kratos' order.
    pub methods: Vec<Method>,
    /// What the configuration asks to know of the identity.
    pub claims: Claims,
}

impl Session {
    /// When a second factor was last completed, of the listed ones where any are listed.
    #[must_use]
    pub fn second_factor_at(&self, factors: &[Factor]) -> Option<SystemTime> {
        self.second_factors(factors)
            .filter_map(|method| method.completed_at)
            .max()
    }

    /// Whether a second factor of the listed ones was ever completed; of any, where none are listed.
    #[must_use]
    pub fn used_second_factor(&self, factors: &[Factor]) -> bool {
        factors.is_empty() || self.second_factors(factors).next().is_some()
    }

    fn second_factors<'a>(&'a self, factors: &'a [Factor]) -> impl Iterator<Item = &'a Method> {
        let is_listed =
            |method: &Method| factors.iter().any(|factor| factor.as_str() == method.name);
        let counts = move |method: &&Method| {
            method.aal == Some(Aal::Aal2) && (factors.is_empty() || is_listed(method))
        };
        self.methods.iter().filter(counts)
    }
}

/// Whether something completed then is at most `max_age` old now. Further ahead than clocks differ is not fresh.
#[must_use]
pub fn is_fresh(completed_at: Option<SystemTime>, max_age: Duration, now: SystemTime) -> bool {
    let Some(completed_at) = completed_at else {
        return false;
    };
    match now.duration_since(completed_at) {
        Ok(age) => age <= max_age,
        Err(ahead) => ahead.duration() <= MAX_CLOCK_SKEW,
    }
}

/// What Kratos said of a credential, or why it could not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Kratos did not answer, or not in a way that proves anything.
    Unavailable {
        /// When to ask again, where Kratos said so.
        retry_after: Option<Duration>,
    },
    /// There is no session, and Kratos is well.
    SignedOut,
    /// A session that has a second factor, which Kratos won't serve before it is used: whoami's 403 under
    /// `session.whoami.required_aal: highest_available`.
    SecondFactorDue,
    /// An active session.
    Session(Arc<Session>),
}

impl Standing {
    /// The session, where there is one.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        match self {
            Self::Session(session) => Some(session),
            Self::Unavailable { .. } | Self::SignedOut | Self::SecondFactorDue => None,
        }
    }
}

/// What Kratos' settings flow told of an identity's second factors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enrolment {
    /// Nobody asked, or the answer proves nothing: then a factor is taken to be there.
    Unknown,
    /// A second factor is set up.
    Enrolled,
    /// None is.
    NotEnrolled,
    /// The flow, open to this session, shows these set up.
    SetUp(Vec<Factor>),
    /// Kratos could not be asked.
    Unavailable {
        /// When to ask again, where Kratos said so.
        retry_after: Option<Duration>,
    },
}
