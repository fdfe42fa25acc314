//! What must hold of a file whose shape is right.

mod calls;
mod kratos;
mod lint;
mod log;
mod require;
mod rule;
mod rules;
mod secret;
mod servers;
mod settings;
mod tls;
mod upstream;

use std::{
    fmt,
    num::NonZero,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_saphyr::{Location, Spanned};

use super::{
    Config,
    fault::{Collector, Faults},
    file::Paths,
    given::Given,
    shape::Word,
    sources::Sources,
};
use crate::domain::{duration::parse_duration, path::PathOptions, policy::Policy};

/// Long enough for Envoy to have asked for health a few times.
const DEFAULT_DRAIN: Duration = Duration::from_secs(5);

/// Turns what was written into a configuration, or into all of its faults.
pub(super) fn check(sources: &Sources, given: &Given) -> Result<Config, Faults> {
    let file = &sources.file;
    let mut faults = Collector::new(&sources.name);
    let paths = paths(&mut faults, &file.paths);
    let upstream_headers = upstream::check(&mut faults, file.upstream_headers.as_ref());
    let mut domains = kratos::check(&mut faults, &sources.name, &file.kratos, paths);
    let servers = servers::check(&mut faults, &sources.name, &file.servers);
    let log = log::check(&mut faults, &file.log, given);
    let workers = workers(&mut faults, file.workers.as_ref());
    let drain = drain(&mut faults, file.drain.as_ref());
    let given_secret = given.secret.as_deref();
    let secret = secret::check(&mut faults, &sources.name, &file.secret, given_secret);
    let rules = rules::check(&mut faults, sources, paths, &domains);
    let config = rules.zip(secret).map(|(rules, chosen)| {
        let rule_places = sources.rule_places();
        domains.ask_for(rules.pointers().chain(upstream_headers.pointers()));
        let policy = Policy {
            identity_domains: domains.identity_domains,
            origins: domains.origins,
            rules,
            paths,
            upstream_headers,
            context_ignore: boxed(&file.context.ignore),
            secret: chosen.secret,
        };
        Config {
            policy,
            kratos: domains.settings,
            origins: domains.patterns,
            rule_places,
            servers,
            workers,
            drain,
            log,
            is_secret_random: chosen.is_random,
            warnings: Vec::new(),
        }
    });
    let (config, warnings) = faults.finish(config)?;
    Ok(Config { warnings, ..config })
}

fn boxed(texts: &[String]) -> Vec<Box<str>> {
    texts.iter().map(|text| text.as_str().into()).collect()
}

fn paths(faults: &mut Collector, paths: &Paths) -> PathOptions {
    let case = [("sensitive", false), ("insensitive", true)];
    let semicolon = [("reject", false), ("keep", true)];
    PathOptions {
        ignore_case: word(faults, "case", paths.case.as_ref(), &case).unwrap_or_default(),
        keep_semicolon: word(faults, "semicolon", paths.semicolon.as_ref(), &semicolon)
            .unwrap_or_default(),
    }
}

fn workers(faults: &mut Collector, workers: Option<&Spanned<usize>>) -> Option<NonZero<usize>> {
    let written = workers?;
    let workers = NonZero::new(written.value);
    if workers.is_none() {
        faults.add(
            written.referenced,
            "`workers` is at least 1; leave it out for one a core",
        );
    }
    workers
}

fn drain(faults: &mut Collector, written: Option<&Spanned<String>>) -> Duration {
    let drain = written.map(text).and_then(|(drain, at)| {
        faults.ok(at, format_args!("`drain: {drain}`"), parse_duration(drain))
    });
    drain.unwrap_or(DEFAULT_DRAIN)
}

/// One word of a list, or a fault that names the list.
fn word<T: Copy>(
    faults: &mut Collector,
    key: &str,
    text: Option<&Spanned<String>>,
    words: &[(&str, T)],
) -> Option<T> {
    let text = text?;
    let what = format_args!("{key}: {}", text.value);
    pick(faults, text.referenced, what, &text.value, words)
}

/// The same for a text from anywhere; `what` shows it with its name.
fn pick<T: Copy>(
    faults: &mut Collector,
    at: Location,
    what: impl fmt::Display,
    text: &str,
    words: &[(&str, T)],
) -> Option<T> {
    let found = words.iter().find(|(word, _)| *word == text);
    if found.is_none() {
        let list: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        faults.add(at, format_args!("`{what}` is none of {}", list.join(", ")));
    }
    found.map(|(_, value)| *value)
}

/// The same for a word that may be written as a boolean.
fn switch<T: Copy>(
    faults: &mut Collector,
    key: &str,
    text: Option<&Spanned<Word>>,
    words: &[(&str, T)],
) -> Option<T> {
    let text = text?;
    word(faults, key, Some(&spelled(text)), words)
}

/// The word as a text.
fn spelled(word: &Spanned<Word>) -> Spanned<String> {
    Spanned {
        value: word.value.0.clone(),
        referenced: word.referenced,
        defined: word.defined,
    }
}

/// A text and where it stands.
type Text<'a> = (&'a str, Location);

fn text(spanned: &Spanned<String>) -> Text<'_> {
    (&spanned.value, spanned.referenced)
}

/// A path as the configuration file means it: from its own folder.
pub(super) fn beside(name: &str, path: &str) -> PathBuf {
    let folder = Path::new(name).parent().unwrap_or(Path::new(""));
    folder.join(path)
}
