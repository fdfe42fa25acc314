//! All rules together: ids that are unique, no two that tie, each within reach, and none in the way of a challenge.

use std::collections::HashMap;

use http::Method;
use serde_saphyr::Location;
use url::Url;

use super::{kratos::Domains, require, rule, text};
use crate::{
    config::{fault::Collector, sources::Sources},
    domain::{
        host::{Authority, Host},
        path::{Path, PathOptions},
        pattern::PathPattern,
        rule::Requirement,
        rule_set::{RuleSet, Tie},
    },
};

/// The compiled rules; `None` where some tie, which is noted.
pub(super) fn check(
    faults: &mut Collector,
    sources: &Sources,
    options: PathOptions,
    domains: &Domains,
) -> Option<RuleSet> {
    let default = require::check(faults, &sources.file.default);
    let mut rules = Vec::new();
    for (file, written) in sources.rules() {
        faults.enter(file);
        rules.push(rule::check(faults, written, options, domains));
    }
    let written = by_id(faults, sources);
    let compiled = match RuleSet::new(rules, default) {
        Ok(rules) => {
            warn_of_unreachable(faults, &rules, domains, &written);
            warn_of_kratos_paths(faults, &rules, &written);
            challenges_are_open(faults, sources, &rules, domains);
            Some(rules)
        }
        Err(ties) => {
            note_ties(faults, &ties, &written);
            None
        }
    };
    faults.enter(&sources.name);
    compiled
}

/// Kratos guards its own pages; a rule there mostly keeps people from meeting a challenge.
fn warn_of_kratos_paths(faults: &mut Collector, rules: &RuleSet, places: &Places<'_>) {
    let is_kratos = |path: &PathPattern| {
        let own = ["/self-service/**", "/sessions/**"].map(PathPattern::parse);
        own.iter().flatten().any(|own| own.covers(path))
    };
    let asks = rules
        .rules()
        .iter()
        .filter(|rule| rule.requirement != Requirement::None);
    for rule in asks.filter(|rule| rule.paths.iter().any(is_kratos)) {
        if let Some((file, at)) = places.get(&*rule.id) {
            faults.enter(file);
            faults.warn(*at, format_args!("rule `{}` guards Kratos' own paths, which people must reach to log in; Kratos guards them itself", rule.id));
        }
    }
}

/// A challenge that is itself guarded would send people in a circle.
fn challenges_are_open(
    faults: &mut Collector,
    sources: &Sources,
    rules: &RuleSet,
    domains: &Domains,
) {
    faults.enter(&sources.name);
    for kratos in sources.file.kratos.value.values() {
        let (browser_url, at) = text(&kratos.value.browser_url);
        if let Some(rule) = guard_of(browser_url, rules, domains) {
            faults.add(at, format_args!("`browser_url: {browser_url}` is guarded: rule `{rule}` would challenge its login page; give `/self-service/**` there `require: none`"));
        }
    }
}

/// The rule that asks for a session on the login page below this URL, if its origin is guarded.
fn guard_of(browser_url: &str, rules: &RuleSet, domains: &Domains) -> Option<Box<str>> {
    let url = Url::parse(browser_url).ok()?;
    let host = Host::parse(url.host_str()?.as_bytes()).ok()?;
    let authority = Authority {
        host,
        port: url.port(),
    };
    domains.origins.locate(&authority)?;
    let login = format!("{}/self-service/login/browser", url.path());
    let path = Path::parse(login.as_bytes(), PathOptions::default()).ok()?;
    let selection = rules.select(&authority.host, &path, &Method::GET);
    let is_guarded = selection.is_denied || !selection.demands.is_empty();
    is_guarded.then(|| selection.rule.id.clone())
}

/// Where each rule stands.
type Places<'a> = HashMap<&'a str, (&'a str, Location)>;

fn by_id<'a>(faults: &mut Collector, sources: &'a Sources) -> Places<'a> {
    let mut places = Places::new();
    for (file, rule) in sources.rules() {
        let (id, at) = text(&rule.id);
        if let Some((other, first)) = places.get(id) {
            faults.enter(file);
            faults.add(
                at,
                format_args!(
                    "rule id `{id}` is taken, at {other}:{}; give each rule its own",
                    first.line()
                ),
            );
        } else {
            places.insert(id, (file, at));
        }
    }
    places
}

fn note_ties(faults: &mut Collector, ties: &[Tie], places: &Places<'_>) {
    for tie in ties {
        if let Some((file, at)) = places.get(&*tie.second) {
            faults.enter(file);
            faults.add(
                *at,
                format_args!("{tie}; make one more specific by host, path or methods"),
            );
        }
    }
}

fn warn_of_unreachable(
    faults: &mut Collector,
    rules: &RuleSet,
    domains: &Domains,
    places: &Places<'_>,
) {
    let hosts: Vec<_> = domains
        .patterns
        .iter()
        .map(|origin| origin.host.clone())
        .collect();
    for (rule, other) in rules.unreachable(&hosts) {
        if let Some((file, at)) = places.get(&*rule.id) {
            faults.enter(file);
            faults.warn(
                *at,
                format_args!(
                    "rule `{}` is never reached: `{}` is more specific wherever it matches",
                    rule.id, other.id
                ),
            );
        }
    }
}
