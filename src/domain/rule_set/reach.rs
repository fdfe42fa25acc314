//! Rules that no request can reach, since more specific ones take all of theirs.

use std::{collections::BTreeSet, iter::once};

use super::{RuleSet, table::Table};
use crate::domain::{
    pattern::{HostPattern, HostRank, PathPattern, parents},
    rule::{Mode, Rule},
};

impl RuleSet {
    /// Rules that are never reached by requests for these hosts, each with a rule that is more specific.
    ///
    /// Only what one other rule covers is found, not what several cover together.
    #[must_use]
    pub fn unreachable(&self, guarded: &[HostPattern]) -> Vec<(&Rule, &Rule)> {
        let reached = |rule| self.is_covered(rule, guarded).map(|other| (rule, other));
        self.rules.iter().filter_map(reached).collect()
    }

    /// A rule that takes a request of this one, if each of its requests is taken by some rule.
    fn is_covered<'a>(&'a self, rule: &'a Rule, guarded: &[HostPattern]) -> Option<&'a Rule> {
        let mut last = None;
        for host in spaces(rule, guarded) {
            for path in &rule.paths {
                last = Some(self.taker(rule, &host, path)?);
            }
        }
        last
    }

    /// The first rule that takes every request of this one on this host and path. It names the host more specifically and
    /// begins like the path, so only such rules are looked at.
    fn taker(&self, rule: &Rule, host: &HostPattern, path: &PathPattern) -> Option<&Rule> {
        let prefix = path.literal_prefix();
        let own = rank(&rule.hosts, host);
        let above = self.tables_above(host).into_iter();
        let above = above.filter(|(rank, _)| Some(*rank) > own);
        let entries = above.flat_map(|(_, table)| table.along(&prefix));
        let places: BTreeSet<_> = entries.map(|entry| entry.rule).collect();
        let mut rules = places.into_iter().filter_map(|at| self.rules.get(at));
        rules.find(|other| takes(other, rule, host, path))
    }

    /// The rules that name this host, or hosts that it is among, by how specifically they name it.
    fn tables_above(&self, host: &HostPattern) -> Vec<(HostRank, &Table)> {
        match host {
            HostPattern::Exact(host) => self.tables_of(host).collect(),
            HostPattern::Below(suffix) => {
                let suffix = suffix.as_str();
                self.wildcards(once(suffix).chain(parents(suffix)))
                    .collect()
            }
        }
    }
}

/// The hosts that a rule's requests are for: those that both it and an origin name.
pub(super) fn spaces(rule: &Rule, guarded: &[HostPattern]) -> Vec<HostPattern> {
    let narrower = |own: &HostPattern, origin: &HostPattern| {
        if origin.covers(own) {
            Some(own.clone())
        } else {
            own.covers(origin).then(|| origin.clone())
        }
    };
    if rule.hosts.is_empty() {
        return guarded.to_vec();
    }
    let pairs = rule
        .hosts
        .iter()
        .flat_map(|own| guarded.iter().map(move |origin| (own, origin)));
    pairs
        .filter_map(|(own, origin)| narrower(own, origin))
        .collect()
}

/// Whether `other` is more specific for every request of `rule` on this host and path.
pub(super) fn takes(other: &Rule, rule: &Rule, host: &HostPattern, path: &PathPattern) -> bool {
    let covers_path = || other.paths.iter().any(|pattern| pattern.covers(path));
    let is_more_specific = rank(&other.hosts, host) > rank(&rule.hosts, host);
    // What a rule in shadow takes is judged by others.
    other.mode == Mode::Enforce
        && other.id != rule.id
        && is_more_specific
        && other.methods.covers(&rule.methods)
        && covers_path()
}

/// How specifically these hosts name all of that one.
fn rank(hosts: &[HostPattern], host: &HostPattern) -> Option<HostRank> {
    if hosts.is_empty() {
        return Some(HostRank::Any);
    }
    let covering = hosts.iter().filter(|pattern| pattern.covers(host));
    covering.map(HostPattern::rank).max()
}
