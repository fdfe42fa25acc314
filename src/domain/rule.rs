//! A rule: what it matches and what it requires.

use std::time::Duration;

use super::{
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

/// What a session must show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The least level.
    pub aal: Aal,
    /// How old the second factor may be; `None` for any age.
    pub max_age: Option<Duration>,
    /// Which second factors count; none listed means any.
    pub factors: Vec<Factor>,
}

impl Demand {
    /// `session`: any session.
    pub const SESSION: Self = Self {
        aal: Aal::Aal1,
        max_age: None,
        factors: Vec::new(),
    };
    /// `aal2`: a second factor, whenever given.
    pub const AAL2: Self = Self {
        aal: Aal::Aal2,
        max_age: None,
        factors: Vec::new(),
    };
}
