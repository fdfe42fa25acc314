//! Rules that are sound and may still not do what was meant: found by trying requests that two rules match.

use std::collections::{BTreeSet, HashSet};

use http::Method;

use super::{Rank, RuleSet};
use crate::domain::{
    host::Host,
    pattern::{HostPattern, HostRank, Methods, parents},
    rule::Rule,
};

/// The methods that change things, beside `POST`.
pub(super) const CHANGES: [Method; 3] = [Method::PUT, Method::PATCH, Method::DELETE];

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
        let mut seen = HashSet::new();
        for host in hosts {
            for (rule, stricter) in self.outranked(host) {
                let is_stricter = !rule.requirement.implies(&stricter.requirement);
                if is_stricter
                    && !seen.contains(&(&*rule.id, &*stricter.id))
                    && let Some(trap) = self.host_trap(rule, stricter, host)
                {
                    seen.insert((&*rule.id, &*stricter.id));
                    found.push(trap);
                }
            }
        }
        found
    }

    /// Every rule for a host with those that name it less specifically and whose paths begin like its own, in their order.
    fn outranked(&self, host: &Host) -> impl Iterator<Item = (&Rule, &Rule)> {
        let tables: Vec<_> = self.tables_of(host).map(|(_, table)| table).collect();
        let mut pairs = BTreeSet::new();
        for (at, lesser) in tables.iter().enumerate() {
            for other in lesser.entries() {
                let prefix = other.path.literal_prefix();
                let greater = tables.iter().take(at);
                let own = greater.flat_map(|table| table.along(&prefix));
                pairs.extend(own.map(|own| (own.rule, other.rule)));
            }
        }
        let rules = pairs.into_iter();
        rules.filter_map(|(own, other)| Some((self.rules.get(own)?, self.rules.get(other)?)))
    }

    pub(super) fn host_trap<'a>(
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
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        for host in hosts {
            let Some(own) = self.own_pattern(host) else {
                continue;
            };
            for rule in self.strangers(host) {
                if let Some(reading) = self.served(rule, host)
                    && seen.insert((&*rule.id, own.clone()))
                {
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
        let is_exact = self.exact.contains_key(host);
        let mut wildcards = parents(host.as_str())
            .filter_map(|parent| self.below.get_key_value(parent))
            .map(|(suffix, _)| HostPattern::Below(suffix.clone()));
        if is_exact {
            Some(HostPattern::Exact(host.clone()))
        } else {
            wildcards.next()
        }
    }

    /// The rules of wildcards for this host that don't name its most specific pattern, in their order.
    fn strangers(&self, host: &Host) -> impl Iterator<Item = &Rule> {
        let named = self
            .tables_of(host)
            .filter(|(rank, _)| *rank > HostRank::Any);
        let mut places = named.map(|(_, table)| table.entries().map(|entry| entry.rule));
        let own: HashSet<_> = places.next().into_iter().flatten().collect();
        let others: BTreeSet<_> = places.flatten().collect();
        let strangers = others.into_iter().filter(move |place| !own.contains(place));
        strangers.filter_map(|place| self.rules.get(place))
    }

    /// A path that this rule answers for at this host.
    pub(super) fn served(&self, rule: &Rule, host: &Host) -> Option<Vec<u8>> {
        let mut readings = meetings(rule, rule).into_iter();
        readings.find(|reading| {
            methods(rule).any(|method| self.find(host, reading, &method).id == rule.id)
        })
    }

    /// Where a POST needs less than another method that changes the same thing: frameworks that take the method from a form
    /// field make the one of the other.
    #[must_use]
    pub fn looser_posts(&self, hosts: &[Host]) -> Vec<Trap<'_>> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        for (rule, host) in self.listed(hosts) {
            for reading in meetings(rule, rule) {
                let post = self.find(host, &reading, &Method::POST);
                for method in CHANGES {
                    let stricter = self.find(host, &reading, &method);
                    if !post.requirement.implies(&stricter.requirement)
                        && seen.insert((&*post.id, &*stricter.id))
                    {
                        found.push(Trap {
                            rule: post,
                            stricter,
                            host: host.clone(),
                            reading: reading.clone(),
                            method,
                        });
                    }
                }
            }
        }
        found
    }

    /// The rules that list methods, in their order, with each of these hosts that they are for.
    fn listed<'a>(&'a self, hosts: &'a [Host]) -> impl Iterator<Item = (&'a Rule, &'a Host)> {
        let mut pairs = BTreeSet::new();
        for (at, host) in hosts.iter().enumerate() {
            let entries = self.tables_of(host).flat_map(|(_, table)| table.entries());
            pairs.extend(entries.map(|entry| (entry.rule, at)));
        }
        pairs
            .into_iter()
            .filter_map(|(place, at)| Some((self.rules.get(place)?, hosts.get(at)?)))
            .filter(|(rule, _)| rule.methods.is_listed())
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

/// Readings that both rules match.
pub(super) fn meetings(one: &Rule, other: &Rule) -> Vec<Vec<u8>> {
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
