//! Rules that are sound and may still not do what was meant: found by trying requests that two rules match.

use std::collections::BTreeSet;

use http::Method;

use super::{Rank, RuleSet};
use crate::domain::{
    host::Host,
    pattern::{HostPattern, HostRank, Methods},
    rule::Rule,
};

/// The methods that change things, beside `POST`.
const CHANGES: [Method; 3] = [Method::PUT, Method::PATCH, Method::DELETE];

/// A request that one rule answers though another is stricter.
#[derive(Clone, Debug)]
pub struct Trap<'a> {
    /// The rule that answers.
    pub rule: &'a Rule,
    /// The stricter one.
    pub stricter: &'a Rule,
    /// The request's host.
    pub host: Host,
    /// A reading of its path.
    pub reading: Vec<u8>,
    /// The method that only the stricter rule is for, or that both are for.
    pub method: Method,
}

/// A wildcard host's rule that serves a host with rules of its own.
#[derive(Clone, Debug)]
pub struct Stray<'a> {
    /// The wildcard's rule.
    pub rule: &'a Rule,
    /// The host that has its own.
    pub host: HostPattern,
    /// A reading of a path that is served so.
    pub reading: Vec<u8>,
}

impl RuleSet {
    /// Requests for these hosts that a looser rule answers by nothing but its host: going by path and methods, a stricter
    /// one would.
    #[must_use]
    pub fn won_by_host(&self, hosts: &[Host]) -> Vec<Trap<'_>> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        for host in hosts {
            let here: Vec<_> = self
                .rules
                .iter()
                .filter_map(|rule| Some((rule, host_rank(rule, host)?)))
                .collect();
            for (rule, rank) in &here {
                let lesser = here
                    .iter()
                    .filter(|(_, other)| other < rank)
                    .map(|(other, _)| *other);
                for stricter in lesser.filter(|other| !rule.requirement.implies(&other.requirement))
                {
                    let is_new = || !seen.contains(&(&*rule.id, &*stricter.id));
                    let trap = is_new()
                        .then(|| self.host_trap(rule, stricter, host))
                        .flatten();
                    seen.extend(trap.iter().map(|trap| (&*trap.rule.id, &*trap.stricter.id)));
                    found.extend(trap);
                }
            }
        }
        found
    }

    fn host_trap<'a>(
        &'a self,
        rule: &'a Rule,
        stricter: &'a Rule,
        host: &Host,
    ) -> Option<Trap<'a>> {
        let readings = meetings(rule, stricter);
        let requests = readings
            .into_iter()
            .flat_map(|reading| both(rule, stricter).map(move |method| (reading.clone(), method)));
        for (reading, method) in requests {
            let (Some(own), Some(other)) = (
                rule.rank(host, &reading, &method),
                stricter.rank(host, &reading, &method),
            ) else {
                continue;
            };
            if other.without_host() > own.without_host()
                && self.find(host, &reading, &method).id == rule.id
            {
                return Some(Trap {
                    rule,
                    stricter,
                    host: host.clone(),
                    reading,
                    method,
                });
            }
        }
        None
    }

    /// Wildcard hosts' rules that serve one of these hosts though it, or a longer wildcard, has rules of its own.
    #[must_use]
    pub fn strays(&self, hosts: &[Host]) -> Vec<Stray<'_>> {
        let mut found: Vec<Stray<'_>> = Vec::new();
        for host in hosts {
            let Some(own) = self.own_pattern(host) else {
                continue;
            };
            let is_lesser = |rule: &&Rule| {
                host_rank(rule, host).is_some_and(|rank| rank > HostRank::Any && rank < own.rank())
            };
            for rule in self.rules.iter().filter(is_lesser) {
                let is_known = found
                    .iter()
                    .any(|stray| stray.rule.id == rule.id && stray.host == own);
                if let Some(reading) = self.served(rule, host).filter(|_| !is_known) {
                    found.push(Stray {
                        rule,
                        host: own.clone(),
                        reading,
                    });
                }
            }
        }
        found
    }

    /// The most specific pattern that some rule has for this host.
    fn own_pattern(&self, host: &Host) -> Option<HostPattern> {
        let patterns = self.rules.iter().flat_map(|rule| &rule.hosts);
        let own = patterns.filter(|pattern| pattern.matches(host));
        own.max_by_key(|pattern| pattern.rank()).cloned()
    }

    /// A path that this rule answers for at this host.
    fn served(&self, rule: &Rule, host: &Host) -> Option<Vec<u8>> {
        let mut readings = meetings(rule, rule).into_iter();
        readings.find(|reading| {
            methods(rule).any(|method| self.find(host, reading, &method).id == rule.id)
        })
    }

    /// Where a POST needs less than another method that changes the same thing: frameworks that take the method from a form
    /// field make the one of the other.
    #[must_use]
    pub fn looser_posts(&self, hosts: &[Host]) -> Vec<Trap<'_>> {
        let mut found: Vec<Trap<'_>> = Vec::new();
        let listed = self.rules.iter().filter(|rule| rule.methods.is_listed());
        for rule in listed {
            for host in hosts.iter().filter(|host| host_rank(rule, host).is_some()) {
                for reading in meetings(rule, rule) {
                    let post = self.find(host, &reading, &Method::POST);
                    let others = CHANGES.map(|method| (self.find(host, &reading, &method), method));
                    for (stricter, method) in others {
                        let is_known = found
                            .iter()
                            .any(|trap| trap.rule.id == post.id && trap.stricter.id == stricter.id);
                        if !is_known && !post.requirement.implies(&stricter.requirement) {
                            let (host, reading) = (host.clone(), reading.clone());
                            found.push(Trap {
                                rule: post,
                                stricter,
                                host,
                                reading,
                                method,
                            });
                        }
                    }
                }
            }
        }
        found
    }
}

impl Rank {
    fn without_host(&self) -> Self {
        Self {
            host: HostRank::Any,
            ..*self
        }
    }
}

fn host_rank(rule: &Rule, host: &Host) -> Option<HostRank> {
    if rule.hosts.is_empty() {
        return Some(HostRank::Any);
    }
    let own = rule.hosts.iter().filter(|pattern| pattern.matches(host));
    own.map(HostPattern::rank).max()
}

/// Readings that both rules match.
fn meetings(one: &Rule, other: &Rule) -> Vec<Vec<u8>> {
    let pairs = one
        .paths
        .iter()
        .flat_map(|a| other.paths.iter().map(move |b| (a, b)));
    pairs.flat_map(|(a, b)| a.meetings(b)).collect()
}

/// The methods of a rule; one stands for all.
fn methods(rule: &Rule) -> impl Iterator<Item = Method> {
    match &rule.methods {
        Methods::All => vec![Method::GET],
        Methods::Listed(listed) => listed.clone(),
    }
    .into_iter()
}

/// Methods of both.
fn both(one: &Rule, other: &Rule) -> impl Iterator<Item = Method> {
    let all = methods(one).chain(methods(other));
    let both = all.filter(|method| one.methods.matches(method) && other.methods.matches(method));
    both.collect::<Vec<_>>().into_iter()
}
