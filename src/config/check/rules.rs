//! All rules together: ids that are unique, no two that tie, each within reach, and none in the way of a challenge.

use http::Method;
use url::Url;

use super::{
    kratos::Domains,
    lint::{self, Places, Subject},
    require, rule, text,
};
use crate::{
    config::{fault::Collector, sources::Sources},
    domain::{
        host::{Authority, Host},
        origin::Serves,
        path::{Path, PathOptions},
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
            let subject = Subject {
                sources,
                rules: &rules,
                domains,
                places: &written,
            };
            lint::lint(faults, &subject);
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
    let (origin, domain) = domains.origins.locate(&authority)?;
    let is_open_anyway = origin.serves() != Serves::Apps
        && domains.identity_domains.get(domain)?.enrol_first.is_some();
    if is_open_anyway {
        return None;
    }
    let base = url.path().trim_end_matches('/');
    let login = format!("{base}/self-service/login/browser");
    let path = Path::parse(login.as_bytes(), PathOptions::default()).ok()?;
    let selection = rules.select(&authority.host, &path, &Method::GET);
    let is_guarded = selection.is_denied || !selection.demands.is_empty();
    is_guarded.then(|| selection.rule.id.clone())
}

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
