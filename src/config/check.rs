//! What must hold of a file whose shape is right.

mod calls;
mod kratos;
mod lint;
mod require;
mod rule;
mod rules;
mod secret;
mod servers;
mod settings;
mod tls;
mod upstream;

use std::{
    ffi::OsStr,
    num::NonZero,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_saphyr::{Location, Spanned};
use tracing::Level;

use super::{
    Config,
    fault::{Collector, Faults},
    file::{Log, Paths},
    shape::Word,
    sources::Sources,
};
use crate::{
    domain::{duration::parse_duration, path::PathOptions, policy::Policy},
    telemetry::log::{self, Format},
};

pub(super) use secret::VARIABLE as SECRET;

/// Long enough for Envoy to have asked for health a few times.
const DEFAULT_DRAIN: Duration = Duration::from_secs(5);

/// Turns what was written into a configuration, or into all of its faults.
pub(super) fn check(sources: &Sources, given_secret: Option<&OsStr>) -> Result<Config, Faults> {
    let file = &sources.file;
    let mut faults = Collector::new(&sources.name);
    let paths = paths(&mut faults, &file.paths);
    let upstream_headers = upstream::check(&mut faults, file.upstream_headers.as_ref());
    let mut domains = kratos::check(&mut faults, &sources.name, &file.kratos, paths);
    let servers = servers::check(&mut faults, &sources.name, &file.servers);
    let log = log(&mut faults, &file.log);
    let workers = workers(&mut faults, file.workers.as_ref());
    let drain = drain(&mut faults, file.drain.as_ref());
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

fn log(faults: &mut Collector, log: &Log) -> log::Settings {
    let levels = [
        ("error", Level::ERROR),
        ("warn", Level::WARN),
        ("info", Level::INFO),
        ("debug", Level::DEBUG),
        ("trace", Level::TRACE),
    ];
    let formats = [("json", Format::Json), ("text", Format::Text)];
    let default = log::Settings::default();
    log::Settings {
        level: word(faults, "level", log.level.as_ref(), &levels).unwrap_or(default.level),
        format: word(faults, "format", log.format.as_ref(), &formats).unwrap_or(default.format),
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
    let found = words
        .iter()
        .find(|(word, _)| *word == text.value)
        .map(|(_, value)| *value);
    if found.is_none() {
        let list = words
            .iter()
            .map(|(word, _)| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(", ");
        faults.add(
            text.referenced,
            format_args!("`{key}: {}` is none of {list}", text.value),
        );
    }
    found
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
