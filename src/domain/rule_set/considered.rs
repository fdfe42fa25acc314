//! Why a rule won: every rule against one request.

use std::cmp::Reverse;

use http::Method;

use super::{Rank, RuleSet};
use crate::domain::{host::Host, rule::Rule};

/// A rule held against a request.
#[derive(Clone, Copy, Debug)]
pub struct Considered<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// How it fits.
    pub fit: Fit,
}

/// How a rule fits a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It matches, this specifically.
    Matches(Rank),
    /// It is for other hosts.
    OtherHost,
    /// It is for other paths.
    OtherPath,
    /// It is for other methods.
    OtherMethod,
}

impl RuleSet {
    /// Every rule against one reading of a path: those that match, the winner first and the default last, then the others
    /// in their order.
    #[must_use]
    pub fn consider(&self, host: &Host, reading: &[u8], method: &Method) -> Vec<Considered<'_>> {
        let hold = |rule| {
            let fit = fit(rule, host, reading, method);
            Considered { rule, fit }
        };
        let held = self.rules.iter().map(hold);
        let (mut all, others): (Vec<_>, Vec<_>) =
            held.partition(|held| matches!(held.fit, Fit::Matches(_)));
        all.sort_by_key(|held| Reverse(rank(held.fit)));
        all.push(hold(&self.default));
        all.extend(others);
        all
    }
}

fn fit(rule: &Rule, host: &Host, reading: &[u8], method: &Method) -> Fit {
    let is_host = || rule.hosts.is_empty() || rule.hosts.iter().any(|own| own.matches(host));
    let is_path = || rule.paths.iter().any(|own| own.matches(reading));
    match rule.rank(host, reading, method) {
        Some(rank) => Fit::Matches(rank),
        None if !is_host() => Fit::OtherHost,
        None if !is_path() => Fit::OtherPath,
        None => Fit::OtherMethod,
    }
}

fn rank(fit: Fit) -> Option<Rank> {
    match fit {
        Fit::Matches(rank) => Some(rank),
        _ => None,
    }
}

impl Rank {
    /// By what this wins over a lesser one.
    #[must_use]
    pub fn wins_by(&self, lesser: &Self) -> &'static str {
        if self.host != lesser.host {
            "its host is more specific"
        } else if self.path != lesser.path {
            "its path is more specific"
        } else {
            "it lists methods"
        }
    }
}
