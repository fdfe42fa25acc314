//! Rules seen beside one another.

use std::collections::HashSet;

use http::Method;

use super::Subject;
use crate::{
    config::fault::Collector,
    domain::{
        host::Host,
        pattern::{HostPattern, PathPattern},
        rule::{DEFAULT_RULE, Mode, Requirement, Rule},
        rule_set::Trap,
    },
};

pub(super) fn lint(faults: &mut Collector, subject: &Subject<'_>) {
    let hosts = hosts(subject);
    unreachable(faults, subject);
    strays(faults, subject, &hosts);
    won_by_host(faults, subject, &hosts);
    looser_posts(faults, subject, &hosts);
    kratos_paths(faults, subject);
    idle_resumes(faults, subject);
    idle_shadows(faults, subject);
}

/// A host of each kind that requests may name: those of the origins and, within the origins, those of the rules.
fn hosts(subject: &Subject<'_>) -> Vec<Host> {
    let origins: Vec<_> = subject
        .domains
        .patterns
        .iter()
        .map(|(origin, _)| &origin.host)
        .collect();
    let own = subject.rules.rules().iter().flat_map(|rule| &rule.hosts);
    let guarded = own.filter(|own| origins.iter().any(|origin| origin.covers(own)));
    let all = origins.iter().copied().chain(guarded).filter_map(one_of);
    let mut seen = HashSet::new();
    all.filter(|host| seen.insert(host.clone())).collect()
}

/// A host that this pattern names, and hardly any other does.
fn one_of(pattern: &HostPattern) -> Option<Host> {
    match pattern {
        HostPattern::Exact(host) => Some(host.clone()),
        HostPattern::Below(suffix) => Host::parse(format!("any.{suffix}").as_bytes()).ok(),
    }
}

fn unreachable(faults: &mut Collector, subject: &Subject<'_>) {
    let origins = subject.domains.patterns.iter();
    let hosts: Vec<_> = origins.map(|(origin, _)| origin.host.clone()).collect();
    for (rule, other) in subject.rules.unreachable(&hosts) {
        let (id, other) = (&rule.id, &other.id);
        subject.warn(faults, id, format_args!("rule `{id}` is never reached: `{other}` is more specific wherever it matches; take one of them away"));
    }
}

fn strays(faults: &mut Collector, subject: &Subject<'_>, hosts: &[Host]) {
    for stray in subject.rules.strays(hosts) {
        let (id, host, path) = (&stray.rule.id, &stray.host, shown(&stray.reading));
        subject.warn(faults, id, format_args!("rule `{id}` of a wildcard host also serves `{host}`, which has rules of its own, as for `{path}`; if that is not meant, give `{host}` a rule for `/**`"));
    }
}

fn won_by_host(faults: &mut Collector, subject: &Subject<'_>, hosts: &[Host]) {
    for trap in subject.rules.won_by_host(hosts) {
        let Trap {
            rule,
            stricter,
            host,
            reading,
            method,
        } = &trap;
        let (id, other, path) = (&rule.id, &stricter.id, shown(reading));
        let (own, theirs) = (&rule.requirement, &stricter.requirement);
        subject.warn(faults, id, format_args!("rule `{id}` ({own}) wins over the stricter `{other}` ({theirs}) by its host alone, as for `{method} {host}{path}`; name that host in `{other}` too"));
    }
}

fn looser_posts(faults: &mut Collector, subject: &Subject<'_>, hosts: &[Host]) {
    for trap in subject.rules.looser_posts(hosts) {
        let Trap {
            rule,
            stricter,
            host,
            reading,
            method,
        } = &trap;
        let path = shown(reading);
        let at = if &*rule.id == DEFAULT_RULE {
            stricter
        } else {
            rule
        };
        let (own, theirs) = (told(rule), told(stricter));
        subject.warn(faults, &at.id, format_args!("for `{host}{path}` POST needs less ({own}) than {method} ({theirs}); an application that takes the method from a form field would do one for the other, so list POST with {method}"));
    }
}

fn told(rule: &Rule) -> String {
    format!("`{}`: {}", rule.id, rule.requirement)
}

/// Kratos guards its own pages; a rule there mostly keeps people from meeting a challenge.
fn kratos_paths(faults: &mut Collector, subject: &Subject<'_>) {
    let own = ["/self-service/**", "/sessions/**"].map(PathPattern::parse);
    let is_kratos = |path: &PathPattern| own.iter().flatten().any(|own| own.covers(path));
    let asks = |rule: &&Rule| rule.requirement != Requirement::None;
    for rule in subject.rules.rules().iter().filter(asks) {
        if rule.paths.iter().any(is_kratos) {
            let id = &rule.id;
            subject.warn(faults, id, format_args!("rule `{id}` guards Kratos' own paths, which people must reach to log in; Kratos guards them itself, so take the rule away"));
        }
    }
}

/// `resume` where no form is ever sent to a challenge.
fn idle_resumes(faults: &mut Collector, subject: &Subject<'_>) {
    for rule in subject.rules.rules().iter().filter(|rule| rule.resume) {
        let id = &rule.id;
        if !rule.methods.matches(&Method::POST) {
            subject.warn(faults, id, format_args!("rule `{id}` has `resume: true` and is for no POST, so there is no form to keep; list POST or take `resume` away"));
        } else if !matches!(rule.requirement, Requirement::Session(_)) {
            let require = &rule.requirement;
            subject.warn(faults, id, format_args!("rule `{id}` has `resume: true` and `require: {require}`, which sends nobody to a challenge; take `resume` away"));
        }
    }
}

fn idle_shadows(faults: &mut Collector, subject: &Subject<'_>) {
    let is_idle = |rule: &&Rule| rule.mode == Mode::Shadow && rule.requirement == Requirement::None;
    for rule in subject.rules.rules().iter().filter(is_idle) {
        let id = &rule.id;
        subject.warn(faults, id, format_args!("rule `{id}` asks for nothing, so in shadow it does nothing: its requests are judged as if it were not there; take `mode: shadow` away if it is to open them"));
    }
}

fn shown(reading: &[u8]) -> String {
    match reading {
        [] => "/".to_owned(),
        some => String::from_utf8_lossy(some).into_owned(),
    }
}
