//! Rules that no request can reach, since more specific ones take all of theirs.

use super::RuleSet;
use crate::domain::{
    pattern::{HostPattern, HostRank, PathPattern},
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
                last = Some(
                    self.rules
                        .iter()
                        .find(|other| takes(other, rule, &host, path))?,
                );
            }
        }
        last
    }
}

/// The hosts that a rule's requests are for: those that both it and an origin name.
fn spaces(rule: &Rule, guarded: &[HostPattern]) -> Vec<HostPattern> {
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
fn takes(other: &Rule, rule: &Rule, host: &HostPattern, path: &PathPattern) -> bool {
    let rank = |hosts: &[HostPattern]| match hosts {
        [] => Some(HostRank::Any),
        some => some
            .iter()
            .filter(|pattern| pattern.covers(host))
            .map(HostPattern::rank)
            .max(),
    };
    let covers_path = || other.paths.iter().any(|pattern| pattern.covers(path));
    let is_more_specific = rank(&other.hosts) > rank(&rule.hosts);
    // What a rule in shadow takes is judged by others.
    other.mode == Mode::Enforce
        && other.id != rule.id
        && is_more_specific
        && other.methods.covers(&rule.methods)
        && covers_path()
}
