//! The one rule for a request: the most specific that matches it, whatever the order in the file.
//!
//! Rules compile into tables per host, so a lookup costs a hash a path segment and does not grow with the number of rules.
//! [`RuleSet::new`] refuses rules that tie on a request, so that there is always one answer.

mod considered;
mod overlap;
mod reach;
mod selection;
mod table;
mod traps;

use foldhash::HashMap;
use http::Method;

use super::{
    claim::Pointer,
    host::Host,
    pattern::{HostPattern, HostRank, PathPattern, PathRank, parents},
    rule::{DEFAULT_RULE, Mode, Requirement, Rule},
};
pub use considered::{Considered, Fit};
pub use selection::{Enforced, Selection};
use table::{Entry, Table};
pub use traps::{Stray, Trap};

/// All rules, compiled.
#[derive(Clone, Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    default: Rule,
    exact: HashMap<Host, Table>,
    below: HashMap<Host, Table>,
    any: Table,
}

/// Two rules that are equally specific on a request that both match.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "rules `{first}` and `{second}` are equally specific where `{first_path}` and `{second_path}` overlap"
)]
pub struct Tie {
    /// The id of the rule written first.
    pub first: Box<str>,
    /// The id of the other.
    pub second: Box<str>,
    /// The pattern of the first that overlaps.
    pub first_path: String,
    /// The pattern of the second.
    pub second_path: String,
}

/// How specific a match is; greater wins: host before path before method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    host: HostRank,
    path: PathRank,
    is_method_listed: bool,
}

impl RuleSet {
    /// Compiles the rules.
    ///
    /// # Errors
    /// Every pair of rules that tie.
    pub fn new(rules: Vec<Rule>, default: Requirement) -> Result<Self, Vec<Tie>> {
        let mut set = Self {
            rules: Vec::new(),
            default: Rule::everywhere(DEFAULT_RULE, default),
            exact: HashMap::default(),
            below: HashMap::default(),
            any: Table::default(),
        };
        for (place, rule) in rules.iter().enumerate() {
            set.insert(place, rule);
        }
        set.rules = rules;
        set.tables_mut().for_each(Table::sort);
        let pairs = set.tables().flat_map(Table::ties);
        let ties: Vec<_> = pairs.filter_map(|(a, b)| set.tie(a, b)).collect();
        if ties.is_empty() { Ok(set) } else { Err(ties) }
    }

    /// The rules as configured, without the default.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What the rules ask to know of an identity.
    pub fn pointers(&self) -> impl Iterator<Item = &Pointer> {
        let requirements = self
            .rules
            .iter()
            .chain([&self.default])
            .map(|rule| &rule.requirement);
        requirements.flat_map(Requirement::pointers)
    }

    /// The most specific rule that matches one reading of a path, or the default.
    #[must_use]
    pub fn find(&self, host: &Host, reading: &[u8], method: &Method) -> &Rule {
        self.find_where(host, reading, method, |_| true)
    }

    /// The same among the rules that are enforced.
    fn find_enforced(&self, host: &Host, reading: &[u8], method: &Method) -> &Rule {
        self.find_where(host, reading, method, |place| {
            let rule = self.rules.get(place);
            rule.is_some_and(|rule| rule.mode == Mode::Enforce)
        })
    }

    fn find_where(
        &self,
        host: &Host,
        reading: &[u8],
        method: &Method,
        counts: impl Fn(usize) -> bool,
    ) -> &Rule {
        let mut tables = self.tables_of(host).map(|(_, table)| table);
        let found = tables.find_map(|table| table.find(reading, method, &counts));
        found
            .and_then(|place| self.rules.get(place))
            .unwrap_or(&self.default)
    }

    /// The rules that name this host, or none, by how specifically they name it, the most specific first.
    fn tables_of(&self, host: &Host) -> impl Iterator<Item = (HostRank, &Table)> {
        let exact = self.exact.get(host).map(|table| (HostRank::Exact, table));
        let below = self.wildcards(parents(host.as_str()));
        let any = (HostRank::Any, &self.any);
        exact.into_iter().chain(below).chain([any])
    }

    /// The rules for every host below one of these.
    fn wildcards<'a>(
        &self,
        suffixes: impl Iterator<Item = &'a str>,
    ) -> impl Iterator<Item = (HostRank, &Table)> {
        suffixes.filter_map(|suffix| Some((HostRank::below(suffix), self.below.get(suffix)?)))
    }

    fn insert(&mut self, place: usize, rule: &Rule) {
        if rule.hosts.is_empty() {
            self.any.insert(place, rule);
        }
        for host in &rule.hosts {
            let table = match host {
                HostPattern::Exact(host) => self.exact.entry(host.clone()).or_default(),
                HostPattern::Below(suffix) => self.below.entry(suffix.clone()).or_default(),
            };
            table.insert(place, rule);
        }
    }

    fn tables(&self) -> impl Iterator<Item = &Table> {
        self.exact
            .values()
            .chain(self.below.values())
            .chain([&self.any])
    }

    fn tables_mut(&mut self) -> impl Iterator<Item = &mut Table> {
        self.exact
            .values_mut()
            .chain(self.below.values_mut())
            .chain([&mut self.any])
    }

    fn tie(&self, a: &Entry, b: &Entry) -> Option<Tie> {
        let id = |entry: &Entry| self.rules.get(entry.rule).map(|rule| rule.id.clone());
        Some(Tie {
            first: id(a)?,
            second: id(b)?,
            first_path: a.path.to_string(),
            second_path: b.path.to_string(),
        })
    }
}

impl Rule {
    /// How specific this rule is on a request, if it matches. The compiled tables agree with the greatest of these.
    #[must_use]
    pub fn rank(&self, host: &Host, reading: &[u8], method: &Method) -> Option<Rank> {
        let hosts = self
            .hosts
            .iter()
            .filter(|pattern| pattern.matches(host))
            .map(HostPattern::rank);
        let host = if self.hosts.is_empty() {
            Some(HostRank::Any)
        } else {
            hosts.max()
        };
        let path = self
            .paths
            .iter()
            .filter(|pattern| pattern.matches(reading))
            .map(PathPattern::rank)
            .max();
        let is_method = self.methods.matches(method);
        Some(Rank {
            host: host?,
            path: path?,
            is_method_listed: self.methods.is_listed(),
        })
        .filter(|_| is_method)
    }
}

#[cfg(test)]
mod pairwise;
#[cfg(test)]
mod tests;
