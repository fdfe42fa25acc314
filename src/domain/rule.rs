//! A rule: what it matches and what it requires.

use std::{fmt, time::Duration};

use super::{
    claim::{Claims, Pointer, Scalar},
    duration::in_words,
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
    /// Whether its requirement is enforced.
    pub mode: Mode,
    /// Where a challenge leads back to, for requests that a link can't repeat: a path, or a URL on a guarded origin.
    pub return_to: Option<Box<str>>,
    /// Whether a form that needs a challenge is kept in the browser and sent after it.
    pub resume: bool,
    /// The longest that a session may be remembered for this rule; zero for never, `None` for as long as any.
    pub cache: Option<Duration>,
}

/// What becomes of a request that doesn't meet its rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It is refused.
    #[default]
    Enforce,
    /// It is logged and counted, and judged as if the rule were not there.
    Shadow,
}

impl Mode {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Shadow => "shadow",
        }
    }
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

impl Rule {
    /// What holds for every request that nothing else names.
    pub(super) fn everywhere(id: &str, requirement: Requirement) -> Self {
        Self {
            id: id.into(),
            hosts: Vec::new(),
            paths: vec![PathPattern::everything()],
            methods: Methods::All,
            requirement,
            mode: Mode::Enforce,
            return_to: None,
            resume: false,
            cache: None,
        }
    }
}

impl Requirement {
    /// Whether whoever meets this meets the other too, as far as the two can be compared.
    #[must_use]
    pub fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::None) | (Self::Deny, _) => true,
            (Self::Session(own), Self::Session(other)) => own.implies(other),
            (Self::None, _) | (Self::Session(_), Self::Deny) => false,
        }
    }

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

    fn implies(&self, other: &Self) -> bool {
        let is_as_fresh = other
            .max_age
            .is_none_or(|age| self.max_age.is_some_and(|own| own <= age));
        let are_counted = |own: &[Factor]| {
            !own.is_empty() && own.iter().all(|factor| other.factors.contains(factor))
        };
        self.aal >= other.aal
            && is_as_fresh
            && (other.factors.is_empty() || are_counted(&self.factors))
            && other
                .identity
                .iter()
                .all(|test| self.identity.contains(test))
    }
}

/// As it is written, or nearly.
impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Deny => f.write_str("deny"),
            Self::Session(demand) => demand.fmt(f),
        }
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain =
            self.max_age.is_none() && self.factors.is_empty() && self.identity.is_empty();
        match (self.aal, is_plain) {
            (Aal::Aal1, true) => return f.write_str("session"),
            (aal, true) => return f.write_str(aal.as_str()),
            (aal, false) => write!(f, "{{aal: {}", aal.as_str())?,
        }
        if let Some(age) = self.max_age {
            write!(f, ", max_age: {}", in_words(age))?;
        }
        if !self.factors.is_empty() {
            let factors: Vec<_> = self.factors.iter().map(|factor| factor.as_str()).collect();
            write!(f, ", factors: [{}]", factors.join(", "))?;
        }
        if !self.identity.is_empty() {
            let tests: Vec<_> = self.identity.iter().map(IdentityTest::to_string).collect();
            write!(f, ", identity: {{{}}}", tests.join(", "))?;
        }
        f.write_str("}")
    }
}

impl fmt::Display for IdentityTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<_> = self.values.iter().map(Scalar::to_string).collect();
        write!(f, "{}: [{}]", self.pointer.as_str(), values.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stricter_implies_what_is_looser_and_not_the_other_way() {
        let session = |demand| Requirement::Session(demand);
        let minutes = |minutes: u64| Some(Duration::from_secs(60 * minutes));
        let fresh = Demand {
            max_age: minutes(5),
            ..Demand::AAL2
        };
        let fresher = Demand {
            max_age: minutes(1),
            ..Demand::AAL2
        };
        let key = Demand {
            factors: vec![Factor::Webauthn],
            ..fresh.clone()
        };
        let keys = Demand {
            factors: vec![Factor::Webauthn, Factor::Totp],
            ..Demand::AAL2
        };
        let rising = [
            Requirement::None,
            session(Demand::SESSION),
            session(Demand::AAL2),
            session(fresh),
            session(fresher.clone()),
            Requirement::Deny,
        ];
        for (place, strict) in rising.iter().enumerate() {
            for (other, loose) in rising.iter().enumerate() {
                assert_eq!(strict.implies(loose), place >= other, "{strict} {loose}");
            }
        }
        assert!(session(key.clone()).implies(&session(keys.clone())));
        assert!(!session(keys).implies(&session(key.clone())));
        assert!(!session(fresher).implies(&session(key)));
    }

    #[test]
    fn a_requirement_prints_as_it_is_written() {
        let pointer = Pointer::parse("/metadata_public/role").unwrap();
        let values = vec![Scalar::Text("admin".into())];
        let demand = Demand {
            max_age: Some(Duration::from_secs(5400)),
            factors: vec![Factor::Totp],
            identity: vec![IdentityTest { pointer, values }],
            ..Demand::AAL2
        };
        let text = "{aal: aal2, max_age: 1h30m, factors: [totp], identity: {/metadata_public/role: [admin]}}";
        assert_eq!(Requirement::Session(demand).to_string(), text);
        assert_eq!(Requirement::Session(Demand::SESSION).to_string(), "session");
        assert_eq!(Requirement::Session(Demand::AAL2).to_string(), "aal2");
    }
}
