//! The session cookie: its name, and whether it reaches the origins.

use url::Url;

use super::Reviewed;
use crate::{
    config::fault::Collector,
    domain::{credential::CredentialKind, pattern::HostPattern},
};

const NAME: &str = "session.cookie.name";
/// Kratos' own.
const DEFAULT_NAME: &str = "ory_kratos_session";

pub(super) fn review(found: &mut Collector, reviewed: &Reviewed<'_>) {
    if reviewed
        .domain
        .credentials
        .contains(&CredentialKind::Cookie)
    {
        name(found, reviewed);
        domain(found, reviewed);
        path(found, reviewed);
    }
}

fn name(found: &mut Collector, reviewed: &Reviewed<'_>) {
    let own = reviewed
        .tree
        .text(NAME)
        .map_or(DEFAULT_NAME, |(name, _)| name);
    let (told, domain) = (&reviewed.domain.cookie, &reviewed.domain.name);
    if **told != *own {
        found.add(reviewed.tree.place(NAME), format_args!("the session cookie is named `{own}` here and `{told}` in `kratos.{domain}.cookie`, so nobody would ever be known; write one name in both"));
    }
}

/// The path and the value of a key that stands in two places; the first wins where it is there.
fn setting<'a>(reviewed: &Reviewed<'a>, key: &str) -> (String, Option<&'a str>) {
    let (own, shared) = (format!("session.cookie.{key}"), format!("cookies.{key}"));
    let is_shared = reviewed.tree.at(&own).is_none() && reviewed.tree.at(&shared).is_some();
    let path = if is_shared { shared } else { own };
    let value = reviewed.tree.text(&path).map(|(value, _)| value);
    (path, value)
}

fn domain(found: &mut Collector, reviewed: &Reviewed<'_>) {
    let (path, domain) = setting(reviewed, "domain");
    let at = reviewed.tree.place(&path);
    let url = Url::parse(reviewed.domain.browser_url.as_str()).ok();
    let kratos = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    let domain = domain.map(|domain| domain.trim_start_matches('.'));
    if let Some(domain) = domain.filter(|domain| !is_within(kratos, domain)) {
        found.add(at, format_args!("`{path}: {domain}` is not above `{kratos}`, so browsers drop the session cookie; name a domain above both Kratos and the applications"));
        return;
    }
    for (origin, _) in reviewed
        .config
        .origins
        .iter()
        .filter(|(_, id)| *id == reviewed.id)
    {
        let (host, is_exact) = match &origin.host {
            HostPattern::Exact(host) => (host.as_str(), true),
            HostPattern::Below(host) => (host.as_str(), false),
        };
        match domain {
            Some(domain) if !is_within(host, domain) => found.add(at, format_args!("the session cookie of `{path}: {domain}` doesn't reach `{origin}`, so nobody would ever be known there; name a domain above both")),
            None if !is_exact || host != kratos => found.add(at, format_args!("without `session.cookie.domain` the session cookie stays on `{kratos}` and doesn't reach `{origin}`, so nobody would ever be known there; name a domain above both")),
            _ => {}
        }
    }
}

fn is_within(host: &str, domain: &str) -> bool {
    let above = host.strip_suffix(domain);
    above.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn path(found: &mut Collector, reviewed: &Reviewed<'_>) {
    let (path, value) = setting(reviewed, "path");
    if let Some(value) = value.filter(|value| *value != "/") {
        found.add(reviewed.tree.place(&path), format_args!("the session cookie of `{path}: {value}` is sent for that path alone, so everywhere else nobody would be known; write `/`"));
    }
}
