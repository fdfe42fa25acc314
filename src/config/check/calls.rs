//! `kratos.<name>`: how a Kratos is called, how far it is believed and what is remembered of it.

use std::time::Duration;

use rustls::pki_types::TrustAnchor;
use serde_saphyr::Spanned;

use super::{kratos::base_url, text, tls::Reader, word};
use crate::{
    config::{fault::Collector, file, shape::Word},
    domain::duration::parse_duration,
    kratos::{Settings, cache},
    servers::tls::Certificates,
};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);
const DEFAULT_MAX_IN_FLIGHT: usize = 64;
/// More would be more sockets than a process is commonly given.
const LARGEST_MAX_IN_FLIGHT: usize = 65_536;
const DEFAULT_HEALTH: &str = "/health/ready";

/// The settings of the calls of the identity domain `domain`; `name` is the configuration file's.
pub(super) fn check(
    faults: &mut Collector,
    name: &str,
    domain: &str,
    kratos: &file::Kratos,
    cookie: &str,
) -> Option<Settings> {
    let words = [("verify", true), ("trust", false)];
    let settings = Settings {
        name: domain.into(),
        api_url: "".into(),
        cookie: cookie.into(),
        timeout: timeout(faults, kratos.timeout.as_ref()),
        pointers: Vec::new(),
        cache: cache(faults, &kratos.cache),
        max_in_flight: max_in_flight(faults, kratos.max_in_flight.as_ref()),
        verifies_signed_out: word(faults, "signed_out", kratos.signed_out.as_ref(), &words)
            .unwrap_or(true),
        health: health(faults, kratos.health.as_ref()),
        ca: ca(faults, name, kratos.ca_file.as_ref()),
    };
    let api_url = base_url(faults, "api_url", &kratos.api_url)?;
    Some(Settings {
        api_url: api_url.as_str().into(),
        ..settings
    })
}

fn timeout(faults: &mut Collector, written: Option<&Spanned<String>>) -> Duration {
    let Some((text, at)) = written.map(text) else {
        return DEFAULT_TIMEOUT;
    };
    let timeout = faults.ok(at, format_args!("`timeout: {text}`"), parse_duration(text));
    if timeout == Some(Duration::ZERO) {
        faults.add(
            at,
            "`timeout: 0s` would refuse every check; write the longest wait, as in `1s`",
        );
    }
    timeout.unwrap_or(DEFAULT_TIMEOUT)
}

fn cache(faults: &mut Collector, written: &file::Cache) -> cache::Settings {
    let default = cache::Settings::default();
    let ttl = written
        .ttl
        .as_ref()
        .map(text)
        .and_then(|(ttl, at)| faults.ok(at, format_args!("`ttl: {ttl}`"), parse_duration(ttl)));
    let capacity = written.capacity.as_ref().map(|capacity| {
        if capacity.value == 0 {
            faults.add(
                capacity.referenced,
                "`capacity` is at least 1; to remember nothing, write `ttl: 0s`",
            );
        }
        capacity.value
    });
    cache::Settings {
        ttl: ttl.unwrap_or(default.ttl),
        capacity: capacity.unwrap_or(default.capacity),
    }
}

fn max_in_flight(faults: &mut Collector, written: Option<&Spanned<usize>>) -> usize {
    let Some(written) = written else {
        return DEFAULT_MAX_IN_FLIGHT;
    };
    if !(1..=LARGEST_MAX_IN_FLIGHT).contains(&written.value) {
        faults.add(
            written.referenced,
            format_args!("`max_in_flight` is from 1 to {LARGEST_MAX_IN_FLIGHT}"),
        );
    }
    written.value.clamp(1, LARGEST_MAX_IN_FLIGHT)
}

/// A path below `api_url`, or `off`.
fn health(faults: &mut Collector, written: Option<&Spanned<Word>>) -> Option<Box<str>> {
    let Some(written) = written else {
        return Some(DEFAULT_HEALTH.into());
    };
    let path = &*written.value.0;
    let is_path = path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic() && b != b'#');
    if path == "off" {
        return None;
    }
    if !is_path {
        faults.add(written.referenced, format_args!("`health: {path}` is neither a path below `api_url`, as in `{DEFAULT_HEALTH}`, nor `off`"));
    }
    Some(path.into())
}

fn ca(
    faults: &mut Collector,
    name: &str,
    written: Option<&Spanned<String>>,
) -> Option<Vec<TrustAnchor<'static>>> {
    let roots = |pem: &[u8]| Certificates::parse(pem)?.roots();
    let roots = Reader::new(faults, name).read("ca_file", written?, roots)?;
    Some(roots.roots)
}
