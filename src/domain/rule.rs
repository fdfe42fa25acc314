//! A rule: what it matches and what it requires.

use std::time::Duration;

use super::{
    claim::{Claims, Pointer, Scalar},
    pattern::{HostPattern, Methods, PathPattern},
    session::{Aal, Factor},
};

/// The id of the rule that holds where no other matches: the configuration's `default`.
pub const DEFAULT_RULE: &str = "default";

/// A rule, as the configuration writes it.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Unique; `[a-z0-9][a-z0-9._-]{0,63}`.
    pub id: Box<str>,
    /// The hosts; none means every guarded one.
    pub hosts: Vec<HostPattern>,
    /// The paths; at least one.
    pub paths: Vec<PathPattern>,
    /// The methods.
    pub methods: Methods,
    /// What a request that matches must show.
    pub requirement: Requirement,
    /// Where a challenge leads back to, for requests that a link can't repeat: a path, or a URL on a guarded origin.
    pub return_to: Option<Box<str>>,
    /// The longest that a session may be remembered for this rule; zero for never, `None` for as long as any.
    pub cache: Option<Duration>,
}

/// What a rule asks of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Nothing: no session is looked up.
    None,
    /// A session that shows this much.
    Session(Demand),
    /// Nobody passes.
    Deny,
}

impl Requirement {
    /// What it asks to know of an identity.
    pub fn pointers(&self) -> impl Iterator<Item = &Pointer> {
        let demand = match self {
            Self::Session(demand) => Some(demand),
            Self::None | Self::Deny => None,
        };
        demand
            .into_iter()
            .flat_map(|demand| demand.identity.iter().map(|test| &test.pointer))
    }
}

/// What a session must show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The least level.
    pub aal: Aal,
    /// How old the second factor may be; `None` for any age.
    pub max_age: Option<Duration>,
    /// Which second factors count; none listed means any.
    pub factors: Vec<Factor>,
    /// What the identity must be; all of it.
    pub identity: Vec<IdentityTest>,
}

/// What stands at a pointer must be one of these values, or hold one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityTest {
    /// Where to look.
    pub pointer: Pointer,
    /// The values that pass; at least one.
    pub values: Vec<Scalar>,
}

impl IdentityTest {
    /// Whether this identity passes. What is missing or of another type never does.
    #[must_use]
    pub fn is_met(&self, claims: &Claims) -> bool {
        let claim = claims.get(&self.pointer);
        claim.is_some_and(|claim| self.values.iter().any(|value| claim.holds(value)))
    }
}

impl Demand {
    /// `session`: any session.
    pub const SESSION: Self = Self {
        aal: Aal::Aal1,
        max_age: None,
        factors: Vec::new(),
        identity: Vec::new(),
    };
    /// `aal2`: a second factor, whenever given.
    pub const AAL2: Self = Self {
        aal: Aal::Aal2,
        max_age: None,
        factors: Vec::new(),
        identity: Vec::new(),
    };
}
