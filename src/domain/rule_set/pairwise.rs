//! What `new`, `unreachable`, `strays`, `won_by_host` and `looser_posts` find by tables, found by holding every rule against every other.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{
    tests::{any_rule, without_ties},
    traps::CHANGES,
    *,
};
use crate::domain::rule::Demand;

/// Rules with ids of their own and all kinds of requirements.
fn any_rules() -> impl Strategy<Value = Vec<Rule>> {
    let requirement = prop::sample::select(vec![
        Requirement::None,
        Requirement::Session(Demand::SESSION),
        Requirement::Session(Demand::AAL2),
        Requirement::Deny,
    ]);
    prop::collection::vec((any_rule(), requirement), 0..10).prop_map(|rules| {
        let numbered = rules.into_iter().enumerate();
        let rule = |(at, (rule, requirement))| Rule {
            id: format!("r{at}").into(),
            requirement,
            ..rule
        };
        numbered.map(rule).collect()
    })
}

fn guarded() -> [HostPattern; 3] {
    ["a.x.test", "*.x.test", "*.test"].map(|text| HostPattern::parse(text).unwrap())
}

fn hosts() -> [Host; 4] {
    ["a.x.test", "any.x.test", "b.x.test", "any.test"]
        .map(|text| Host::parse(text.as_bytes()).unwrap())
}

/// The ids and patterns of each tie.
fn ties(rules: &[Rule]) -> BTreeSet<[String; 4]> {
    let mut ties = BTreeSet::new();
    for (at, first) in rules.iter().enumerate() {
        for second in rules.iter().skip(at + 1) {
            let is_same_host = first.hosts.is_empty() && second.hosts.is_empty()
                || first.hosts.iter().any(|host| second.hosts.contains(host));
            if !is_same_host || !first.methods.ties(&second.methods) {
                continue;
            }
            for a in &first.paths {
                for b in second
                    .paths
                    .iter()
                    .filter(|b| a.rank() == b.rank() && a.overlaps(b))
                {
                    ties.insert([
                        first.id.to_string(),
                        second.id.to_string(),
                        a.to_string(),
                        b.to_string(),
                    ]);
                }
            }
        }
    }
    ties
}

/// How specifically a rule names a host, if it is for it.
fn host_rank(rule: &Rule, host: &Host) -> Option<HostRank> {
    if rule.hosts.is_empty() {
        return Some(HostRank::Any);
    }
    let own = rule.hosts.iter().filter(|pattern| pattern.matches(host));
    own.map(HostPattern::rank).max()
}

/// The id of each stray rule, the host and a path.
fn strays(set: &RuleSet) -> Vec<(String, HostPattern, Vec<u8>)> {
    let mut found: Vec<(String, HostPattern, Vec<u8>)> = Vec::new();
    for host in hosts() {
        let patterns = set.rules.iter().flat_map(|rule| &rule.hosts);
        let own = patterns
            .filter(|pattern| pattern.matches(&host))
            .max_by_key(|pattern| pattern.rank());
        let Some(own) = own else { continue };
        let is_lesser = |rule: &&Rule| {
            host_rank(rule, &host).is_some_and(|rank| rank > HostRank::Any && rank < own.rank())
        };
        for rule in set.rules.iter().filter(is_lesser) {
            let is_known = found
                .iter()
                .any(|(id, known, _)| **id == *rule.id && known == own);
            if let Some(reading) = set.served(rule, &host).filter(|_| !is_known) {
                found.push((rule.id.to_string(), own.clone(), reading));
            }
        }
    }
    found
}

/// The ids of each rule and of the stricter one that it wins over by its host.
fn won_by_host(set: &RuleSet) -> Vec<[String; 2]> {
    let mut found = Vec::new();
    for host in hosts() {
        for rule in &set.rules {
            for stricter in &set.rules {
                let pair = [rule.id.to_string(), stricter.id.to_string()];
                if host_rank(stricter, &host) < host_rank(rule, &host)
                    && !rule.requirement.implies(&stricter.requirement)
                    && !found.contains(&pair)
                    && set.host_trap(rule, stricter, &host).is_some()
                {
                    found.push(pair);
                }
            }
        }
    }
    found
}

/// The ids of each POST's rule and the stricter one.
fn looser_posts(set: &RuleSet) -> Vec<[String; 2]> {
    let mut found = Vec::new();
    for rule in set.rules.iter().filter(|rule| rule.methods.is_listed()) {
        for host in hosts()
            .iter()
            .filter(|host| host_rank(rule, host).is_some())
        {
            for reading in traps::meetings(rule, rule) {
                let post = set.find(host, &reading, &Method::POST);
                for method in CHANGES {
                    let stricter = set.find(host, &reading, &method);
                    let pair = [post.id.to_string(), stricter.id.to_string()];
                    if !post.requirement.implies(&stricter.requirement) && !found.contains(&pair) {
                        found.push(pair);
                    }
                }
            }
        }
    }
    found
}

/// The ids of each rule that is never reached and of the one that takes its last path.
fn unreachable(set: &RuleSet) -> Vec<[String; 2]> {
    let mut found = Vec::new();
    for rule in &set.rules {
        let mut last = None;
        let spaces = reach::spaces(rule, &guarded());
        let all = spaces
            .iter()
            .flat_map(|host| rule.paths.iter().map(move |path| (host, path)));
        let is_taken = all.into_iter().all(|(host, path)| {
            last = set
                .rules
                .iter()
                .find(|other| reach::takes(other, rule, host, path));
            last.is_some()
        });
        if let Some(other) = last.filter(|_| is_taken) {
            found.push([rule.id.to_string(), other.id.to_string()]);
        }
    }
    found
}

fn ids(traps: Vec<Trap<'_>>) -> Vec<[String; 2]> {
    let ids = |trap: Trap<'_>| [trap.rule.id.to_string(), trap.stricter.id.to_string()];
    traps.into_iter().map(ids).collect()
}

proptest! {
    #[test]
    fn ties_are_those_of_all_pairs(rules in any_rules()) {
        let found = RuleSet::new(rules.clone(), Requirement::Deny).err().unwrap_or_default();
        let found: BTreeSet<_> = found
            .into_iter()
            .map(|tie| [tie.first.into(), tie.second.into(), tie.first_path, tie.second_path])
            .collect();
        prop_assert_eq!(found, ties(&rules));
    }

    #[test]
    fn warnings_are_those_of_all_pairs(rules in any_rules()) {
        let set = RuleSet::new(without_ties(rules), Requirement::None).unwrap();
        let strays_found: Vec<_> = set
            .strays(&hosts())
            .into_iter()
            .map(|stray| (stray.rule.id.to_string(), stray.host, stray.reading))
            .collect();
        prop_assert_eq!(strays_found, strays(&set));
        prop_assert_eq!(ids(set.won_by_host(&hosts())), won_by_host(&set));
        prop_assert_eq!(ids(set.looser_posts(&hosts())), looser_posts(&set));
        let taken: Vec<_> = set
            .unreachable(&guarded())
            .into_iter()
            .map(|(rule, other)| [rule.id.to_string(), other.id.to_string()])
            .collect();
        prop_assert_eq!(taken, unreachable(&set));
    }
}
