//! One rule.

use std::time::Duration;

use serde_saphyr::Spanned;
use url::Url;

use super::{Text, kratos::Domains, require, text, word};
use crate::{
    config::{
        fault::Collector,
        file,
        shape::{OneOrMany, Word},
    },
    domain::{
        duration::parse_duration,
        path::PathOptions,
        pattern::{HostPattern, Methods, PathPattern},
        rule::{DEFAULT_RULE, Mode, Rule},
        settings::SETTINGS_RULE,
    },
};

/// Longest rule id in bytes.
const MAX_ID_BYTES: usize = 64;
const MODES: [(&str, Mode); 2] = [("enforce", Mode::Enforce), ("shadow", Mode::Shadow)];

/// A rule, as far as it is sound.
pub(super) fn check(
    faults: &mut Collector,
    rule: &file::Rule,
    options: PathOptions,
    domains: &Domains,
) -> Rule {
    let (id, at) = text(&rule.id);
    if !is_id(id) {
        faults.add(at, format_args!("`id: {id}` is not an id; use up to 64 lower-case letters, digits, `.`, `_` and `-`, a letter or digit first"));
    }
    if id == SETTINGS_RULE {
        faults.add(
            at,
            "`id: kratos.settings` is what `settings: enrol_first` goes by; choose another",
        );
    }
    if id == DEFAULT_RULE {
        faults.add(
            at,
            "`id: default` is the name of the `default` requirement; choose another",
        );
    }
    Rule {
        id: id.into(),
        hosts: hosts(faults, rule.matches.host.as_ref(), domains),
        paths: paths(faults, rule.matches.path.as_ref(), options),
        methods: methods(faults, rule.matches.methods.as_ref()),
        requirement: require::check(faults, &rule.require),
        mode: word(faults, "mode", rule.mode.as_ref(), &MODES).unwrap_or_default(),
        return_to: rule
            .return_to
            .as_ref()
            .and_then(|address| return_to(faults, address, domains)),
        resume: rule.resume,
        cache: cache(faults, rule.cache.as_ref()),
    }
}

fn is_id(id: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let starts_well = id.bytes().next().is_some_and(is_plain);
    starts_well
        && id.len() <= MAX_ID_BYTES
        && id.bytes().all(|b| is_plain(b) || b"._-".contains(&b))
}

fn hosts(
    faults: &mut Collector,
    written: Option<&Spanned<OneOrMany>>,
    domains: &Domains,
) -> Vec<HostPattern> {
    let Some(written) = written else {
        return Vec::new();
    };
    let mut hosts = Vec::new();
    for (text, at) in texts(faults, "host", written) {
        let host = faults.ok(
            at,
            format_args!("host pattern `{text}`"),
            HostPattern::parse(text),
        );
        let is_guarded = |host: &HostPattern| {
            domains
                .patterns
                .iter()
                .any(|(origin, _)| origin.host.covers(host) || host.covers(&origin.host))
        };
        if host.as_ref().is_some_and(|host| !is_guarded(host)) {
            faults.add(at, format_args!("host `{text}` is on none of the `origins`, so the rule could never match; add an origin or mend the host"));
        }
        hosts.extend(host);
    }
    hosts
}

fn paths(
    faults: &mut Collector,
    written: Option<&Spanned<OneOrMany>>,
    options: PathOptions,
) -> Vec<PathPattern> {
    let Some(written) = written else {
        return vec![PathPattern::everything()];
    };
    let mut paths = Vec::new();
    for (text, at) in texts(faults, "path", written) {
        let path = faults.ok(
            at,
            format_args!("path pattern `{text}`"),
            PathPattern::parse(text),
        );
        paths.extend(path.map(|path| {
            if options.ignore_case {
                path.ignoring_case()
            } else {
                path
            }
        }));
    }
    paths
}

fn methods(faults: &mut Collector, written: Option<&Spanned<Vec<Spanned<String>>>>) -> Methods {
    let Some(written) = written else {
        return Methods::All;
    };
    if written.value.is_empty() {
        faults.add(
            written.referenced,
            "`methods` is empty; list some, or leave it out for all",
        );
    }
    let mut names = Vec::new();
    for (name, at) in written.value.iter().map(text) {
        faults.ok(at, "methods", Methods::parse([name]));
        names.push(name);
    }
    Methods::parse(names).unwrap_or(Methods::All)
}

/// The texts of a value that may be one or many.
fn texts<'a>(faults: &mut Collector, key: &str, written: &'a Spanned<OneOrMany>) -> Vec<Text<'a>> {
    match &written.value {
        OneOrMany::One(one) => vec![(one, written.referenced)],
        OneOrMany::Many(many) => {
            if many.is_empty() {
                faults.add(
                    written.referenced,
                    format_args!("`{key}` is empty; list some, or leave it out for all"),
                );
            }
            many.iter().map(text).collect()
        }
    }
}

/// `off`, or the longest that a session is remembered for this rule.
fn cache(faults: &mut Collector, written: Option<&Spanned<Word>>) -> Option<Duration> {
    let written = written?;
    match &*written.value.0 {
        "off" => Some(Duration::ZERO),
        text => {
            let what = format!("`cache: {text}` is neither `off` nor a duration");
            faults.ok(written.referenced, what, parse_duration(text))
        }
    }
}

fn return_to(
    faults: &mut Collector,
    written: &Spanned<String>,
    domains: &Domains,
) -> Option<Box<str>> {
    let (address, at) = text(written);
    let is_plain = !address.contains('\\') && address.bytes().all(|b| b > b' ' && b != 0x7f);
    let is_path = address.starts_with('/') && !address.starts_with("//");
    let is_guarded =
        || Url::parse(address).is_ok_and(|url| domains.origins.of_link(&url).is_some());
    if is_plain && (is_path || is_guarded()) {
        return Some(address.into());
    }
    faults.add(
        at,
        format_args!("`return_to: {address}` is neither a path nor a URL on one of the `origins`"),
    );
    None
}
