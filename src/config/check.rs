//! What must hold of a file whose shape is right.

mod kratos;
mod require;
mod rules;
mod secret;

use std::{ffi::OsStr, net::SocketAddr, num::NonZero};

use serde_saphyr::{Location, Spanned};
use tracing::Level;

use super::{
    Config,
    fault::{Collector, Faults},
    file::{File, Log, Server},
};
use crate::{
    domain::{path::PathOptions, policy::Policy, upstream_headers::UpstreamHeaders},
    servers::listen::Listen,
    telemetry::log::{self, Format},
};

pub(super) use secret::VARIABLE as SECRET;

const DEFAULT_GRPC: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 9191);

/// Turns a file into a configuration, or into all of its faults.
pub(super) fn check(
    name: &str,
    file: &File,
    given_secret: Option<&OsStr>,
) -> Result<Config, Faults> {
    let mut faults = Collector::new(name);
    let domains = kratos::check(&mut faults, &file.kratos);
    let rules = rules::check(&mut faults, &file.rules, &file.default, &domains);
    let grpc = listen(&mut faults, &file.servers.grpc, DEFAULT_GRPC);
    let log = log(&mut faults, &file.log);
    let workers = workers(&mut faults, file.workers.as_ref());
    let secret = secret::check(&mut faults, name, &file.secret, given_secret);
    let config = rules.zip(secret).map(|(rules, chosen)| Config {
        policy: Policy {
            identity_domains: domains.identity_domains,
            origins: domains.origins,
            rules,
            paths: PathOptions::default(),
            upstream_headers: UpstreamHeaders::default(),
            context_ignore: Vec::new(),
            secret: chosen.secret,
        },
        kratos: domains.settings,
        grpc,
        workers,
        log,
        is_secret_random: chosen.is_random,
    });
    faults.finish(config)
}

fn listen(faults: &mut Collector, server: &Server, default: SocketAddr) -> Listen {
    let address = server.listen.as_ref().and_then(|text| {
        let hint = format!(
            "`{}` is not an address to listen on; write one as in `{default}`",
            text.value
        );
        text.value
            .parse()
            .map_err(|_| faults.add(text.referenced, hint))
            .ok()
    });
    Listen(address.unwrap_or(default))
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

/// A text and where it stands.
type Text<'a> = (&'a str, Location);

fn text(spanned: &Spanned<String>) -> Text<'_> {
    (&spanned.value, spanned.referenced)
}
