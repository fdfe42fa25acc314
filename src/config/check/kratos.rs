//! `kratos`: the identity domains, their origins and how each Kratos is called.

use std::collections::BTreeMap;

use serde_saphyr::{Location, Spanned};

use super::{calls, settings, switch, text, word};
use crate::{
    config::{fault::Collector, file},
    domain::{
        claim::Pointer,
        credential::CredentialKind,
        identity_domain::{BaseUrl, EnrolmentPolicy, IdentityDomain, Refresh},
        origin::{DomainId, OriginPattern, Origins},
        path::PathOptions,
    },
    kratos::Settings,
};

const DEFAULT_COOKIE: &str = "ory_kratos_session";

/// The identity domains, as far as they are sound.
pub(super) struct Domains {
    pub(super) identity_domains: Vec<IdentityDomain>,
    pub(super) settings: Vec<Settings>,
    pub(super) origins: Origins,
    /// Every origin with its domain.
    pub(super) patterns: Vec<(OriginPattern, DomainId)>,
}

impl Domains {
    /// Has every Kratos tell what stands at these pointers.
    pub(super) fn ask_for<'a>(&mut self, pointers: impl Iterator<Item = &'a Pointer>) {
        let mut all: Vec<Pointer> = Vec::new();
        for pointer in pointers {
            if !all.contains(pointer) {
                all.push(pointer.clone());
            }
        }
        for settings in &mut self.settings {
            settings.pointers.clone_from(&all);
        }
    }
}

/// An origin, whose it is, and where it stands.
pub(super) struct Written {
    pub(super) pattern: OriginPattern,
    pub(super) domain: DomainId,
    pub(super) at: Location,
}

pub(super) fn check(
    faults: &mut Collector,
    file: &str,
    written: &Spanned<BTreeMap<String, Spanned<file::Kratos>>>,
    paths: PathOptions,
) -> Domains {
    if written.value.is_empty() {
        faults.add(
            written.referenced,
            "`kratos` is empty; name at least one, as in `kratos: { ciam: { api_url: … } }`",
        );
    }
    let mut domains = Vec::new();
    let mut origins = Vec::new();
    for (place, (name, kratos)) in written.value.iter().enumerate() {
        if !is_name(name) {
            faults.add(
                kratos.referenced,
                format_args!(
                    "`{name}` is not a name; use lower-case letters, digits, `-`, `_` and `.`"
                ),
            );
        }
        domains.extend(domain(faults, file, name, &kratos.value, paths));
        origins.extend(self::origins(faults, place, &kratos.value));
    }
    let of_kratos = settings::origins(faults, written, &origins);
    told_apart(faults, &settings::all(&origins, &of_kratos));
    let (identity_domains, settings) = domains.into_iter().unzip();
    let patterns: Vec<_> = origins
        .into_iter()
        .map(|origin| (origin.pattern, origin.domain))
        .collect();
    let guarded = Origins::new(patterns.iter().cloned());
    Domains {
        identity_domains,
        settings,
        origins: settings::with_kratos(guarded, &of_kratos),
        patterns,
    }
}

fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    !name.is_empty() && name.len() <= 64 && name.chars().all(is_plain)
}

fn domain(
    faults: &mut Collector,
    file: &str,
    name: &str,
    kratos: &file::Kratos,
    paths: PathOptions,
) -> Option<(IdentityDomain, Settings)> {
    let cookie = cookie(faults, kratos.cookie.as_ref());
    let settings = calls::check(faults, file, name, kratos, &cookie);
    let browser_url = base_url(faults, "browser_url", &kratos.browser_url);
    let words = [
        ("always", Refresh::Always),
        ("when_stale", Refresh::WhenStale),
    ];
    let refresh = word(faults, "refresh", kratos.refresh.as_ref(), &words).unwrap_or_default();
    let words = [
        ("detect", EnrolmentPolicy::Detect),
        ("refuse", EnrolmentPolicy::Refuse),
        ("off", EnrolmentPolicy::Off),
    ];
    let enrolment =
        switch(faults, "enrolment", kratos.enrolment.as_ref(), &words).unwrap_or_default();
    let browser_url = browser_url?;
    let identity_domain = IdentityDomain {
        name: name.into(),
        enrol_first: settings::check(faults, kratos, &browser_url, paths),
        browser_url,
        cookie,
        credentials: credentials(faults, kratos.credentials.as_ref()),
        refresh,
        enrolment,
    };
    Some((identity_domain, settings?))
}

fn credentials(
    faults: &mut Collector,
    written: Option<&Spanned<Vec<Spanned<String>>>>,
) -> Vec<CredentialKind> {
    let Some(written) = written else {
        return vec![CredentialKind::Cookie];
    };
    if written.value.is_empty() {
        faults.add(
            written.referenced,
            "`credentials` is empty, so nobody could ever be known; list some, as in `[cookie]`",
        );
    }
    let mut kinds = Vec::new();
    for (name, at) in written.value.iter().map(text) {
        match CredentialKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
        {
            Some(kind) if kinds.contains(&kind) => {
                faults.add(at, format_args!("`{name}` is listed twice; keep one"));
            }
            Some(kind) => kinds.push(kind),
            None => faults.add(
                at,
                format_args!(
                    "`{name}` is no credential; write `cookie`, `session_token` or `bearer`"
                ),
            ),
        }
    }
    kinds
}

/// A base URL, or `None` after noting why there is none.
pub(super) fn base_url(
    faults: &mut Collector,
    key: &str,
    written: &Spanned<String>,
) -> Option<BaseUrl> {
    let what = format!("`{key}: {}`", written.value);
    faults.ok(written.referenced, what, BaseUrl::parse(&written.value))
}

fn cookie(faults: &mut Collector, written: Option<&Spanned<String>>) -> Box<str> {
    let Some((name, at)) = written.map(text) else {
        return DEFAULT_COOKIE.into();
    };
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || !name.bytes().all(is_token) {
        faults.add(
            at,
            format_args!(
                "`cookie: {name}` is not a cookie's name; write it as Kratos' `session.cookie.name`"
            ),
        );
    }
    name.into()
}

fn origins(faults: &mut Collector, domain: DomainId, kratos: &file::Kratos) -> Vec<Written> {
    if kratos.origins.value.is_empty() {
        faults.add(
            kratos.origins.referenced,
            "`origins` is empty; list what this Kratos judges, as in `[https://app.example.com]`",
        );
    }
    let mut origins = Vec::new();
    for (text, at) in kratos.origins.value.iter().map(text) {
        let pattern = faults.ok(
            at,
            format_args!("origin `{text}`"),
            OriginPattern::parse(text),
        );
        origins.extend(pattern.map(|pattern| Written {
            pattern,
            domain,
            at,
        }));
    }
    origins
}

/// A request names a host and perhaps a port, so that must be enough to tell whose it is.
fn told_apart(faults: &mut Collector, origins: &[&Written]) {
    for (place, later) in origins.iter().enumerate() {
        let same_host = origins
            .iter()
            .take(place)
            .filter(|earlier| earlier.pattern.host == later.pattern.host);
        for earlier in same_host {
            if earlier.domain != later.domain {
                let host = &later.pattern.host;
                faults.add(
                    later.at,
                    format_args!(
                        "host `{host}` is in two identity domains; a session counts in one only"
                    ),
                );
            } else if !differ(&earlier.pattern, &later.pattern) {
                let (one, two) = (&earlier.pattern, &later.pattern);
                faults.add(later.at, format_args!("`{one}` and `{two}` can't be told apart by a request's host and port; keep one"));
            }
        }
    }
}

fn differ(one: &OriginPattern, two: &OriginPattern) -> bool {
    let is_default = |origin: &OriginPattern| origin.port == origin.scheme.default_port();
    one.port != two.port && !(is_default(one) && is_default(two))
}
