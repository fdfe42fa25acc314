//! Values seen by themselves.

use std::time::Duration;

use serde_saphyr::Spanned;
use url::{Host, Url};

use super::Subject;
use crate::{
    config::{
        fault::Collector,
        file,
        shape::{Demand, Require},
    },
    domain::{
        credential::CredentialKind, duration::parse_duration, identity_domain::IdentityDomain,
        pattern::HostPattern,
    },
};

/// Less is over before a browser is back from giving the factor.
const SHORTEST_MAX_AGE: Duration = Duration::from_secs(10);

pub(super) fn lint(faults: &mut Collector, subject: &Subject<'_>) {
    let file = &subject.sources.file;
    faults.enter(&subject.sources.name);
    requirement(faults, &file.default);
    upstream_headers(faults, file);
    cookies(faults, subject);
    for (name, rule) in subject.sources.rules() {
        faults.enter(name);
        requirement(faults, &rule.require);
        cache(faults, subject, rule);
    }
}

fn requirement(faults: &mut Collector, written: &Spanned<Require>) {
    let Require::Demand(demand) = &written.value else {
        return;
    };
    identity(faults, demand);
    let Some(max_age) = &demand.max_age else {
        return;
    };
    let text = &max_age.value;
    if parse_duration(text).is_ok_and(|age| age < SHORTEST_MAX_AGE) {
        faults.warn(max_age.referenced, format_args!("`max_age: {text}` is over before a browser is back from giving the factor, and sends it there again; write `30s` or more"));
    }
}

/// People edit their own `traits`.
fn identity(faults: &mut Collector, demand: &Demand) {
    for (pointer, values) in &demand.identity {
        if is_trait(pointer) {
            faults.warn(values.referenced, format_args!("`{pointer}` is for people to edit themselves, in Kratos' settings; decide by what only you write, as in `/metadata_public/role`"));
        }
    }
}

fn upstream_headers(faults: &mut Collector, file: &file::File) {
    let headers = file
        .upstream_headers
        .iter()
        .flat_map(|headers| &headers.value);
    for (name, source) in headers {
        let pointer = source.value.strip_prefix("identity.").unwrap_or_default();
        if is_trait(pointer) {
            faults.warn(source.referenced, format_args!("`{name}` carries `{pointer}`, which people edit themselves, in Kratos' settings; an application must not decide by it, so send `identity.id` or what stands under `/metadata_public` instead"));
        }
    }
}

fn is_trait(pointer: &str) -> bool {
    pointer == "/traits" || pointer.starts_with("/traits/")
}

/// A rule's own time only shortens.
fn cache(faults: &mut Collector, subject: &Subject<'_>, rule: &file::Rule) {
    let Some(written) = &rule.cache else { return };
    let longest = subject
        .domains
        .settings
        .iter()
        .map(|settings| settings.cache.ttl)
        .max();
    let own = parse_duration(&written.value.0).ok();
    if own.zip(longest).is_some_and(|(own, longest)| own > longest) {
        let text = &written.value.0;
        faults.warn(written.referenced, format_args!("`cache: {text}` is longer than any `cache.ttl` and changes nothing; it only shortens, so raise `cache.ttl` or leave it out"));
    }
}

/// A cookie that Kratos sets must reach the application.
fn cookies(faults: &mut Collector, subject: &Subject<'_>) {
    for (name, written) in &subject.sources.file.kratos.value {
        let domains = subject.domains.identity_domains.iter();
        let mut own = domains.filter(|domain| *domain.name == **name && by_cookie(domain));
        let Some(kratos) = own
            .next()
            .and_then(|domain| Url::parse(domain.browser_url.as_str()).ok())
        else {
            continue;
        };
        for origin in &written.value.origins.value {
            let Some(host) = host_of(&origin.value) else {
                continue;
            };
            if !share_cookies(&kratos, &host) {
                let (text, kratos) = (&origin.value, kratos.host_str().unwrap_or_default());
                faults.warn(origin.referenced, format_args!("no cookie that `{kratos}` sets reaches `{text}`, so nobody would ever be known there; put both below one domain, and name it in Kratos' `session.cookie.domain`"));
            }
        }
    }
}

fn by_cookie(domain: &IdentityDomain) -> bool {
    domain.credentials.contains(&CredentialKind::Cookie)
}

/// The host of an origin, without its `*.`.
fn host_of(origin: &str) -> Option<String> {
    let pattern = crate::domain::origin::OriginPattern::parse(origin).ok()?;
    Some(match pattern.host {
        HostPattern::Exact(host) | HostPattern::Below(host) => host.to_string(),
    })
}

/// Whether the two are one host, or have a domain above them that is no bare `com` or `test`.
fn share_cookies(kratos: &Url, origin: &str) -> bool {
    let host = kratos.host_str().unwrap_or_default();
    let is_name = matches!(kratos.host(), Some(Host::Domain(_)));
    let common = host
        .rsplit('.')
        .zip(origin.rsplit('.'))
        .take_while(|(a, b)| a == b)
        .count();
    host == origin || is_name && common >= 2
}
