//! Where Kratos sends people, and where it lets them be sent.

use http::Method;
use serde_saphyr::Location;
use url::Url;

use super::Reviewed;
use crate::{
    config::fault::Collector,
    domain::{
        host::{Authority, Host},
        identity_domain::EnrolmentPolicy,
        origin::OriginPattern,
        pattern::HostPattern,
        rule::{Demand, Requirement},
        rule_set::Selection,
    },
};

const BASE_URL: &str = "serve.public.base_url";
const RETURN_URLS: &str = "selfservice.allowed_return_urls";

pub(super) fn review(found: &mut Collector, reviewed: &Reviewed<'_>) {
    base_url(found, reviewed);
    return_urls(found, reviewed);
    pages(found, reviewed);
}

/// Every link that Kratos writes starts with it.
fn base_url(found: &mut Collector, reviewed: &Reviewed<'_>) {
    let told = reviewed.domain.browser_url.as_str();
    let Some((own, at)) = reviewed.tree.text(BASE_URL) else {
        return;
    };
    if own.trim_end_matches('/') != told {
        let domain = &reviewed.domain.name;
        found.add(at, format_args!("`base_url: {own}` is not `kratos.{domain}.browser_url: {told}`, so forms would post past the address that browsers know; write one in both"));
    }
}

fn return_urls(found: &mut Collector, reviewed: &Reviewed<'_>) {
    let at = reviewed.tree.place(RETURN_URLS);
    let allowed: Vec<_> = reviewed
        .tree
        .list(RETURN_URLS)
        .iter()
        .filter_map(|entry| match &entry.value {
            super::Tree::Leaf(text) => Some((text.as_str(), entry.referenced)),
            _ => None,
        })
        .collect();
    for (origin, _) in reviewed
        .config
        .origins
        .iter()
        .filter(|(_, id)| *id == reviewed.id)
    {
        let on_it: Vec<_> = allowed
            .iter()
            .filter(|(entry, _)| is_on(entry, origin))
            .collect();
        match on_it.first() {
            _ if on_it.iter().any(|(entry, _)| path_of(entry).trim_end_matches('/').is_empty()) => {}
            Some((entry, at)) => found.add(*at, format_args!("`{entry}` lets people return to a part of `{origin}` alone, and a challenge from elsewhere there ends on an error; allow `{origin}/`")),
            None => found.add(at, format_args!("nobody may return to `{origin}`, so a challenge from there ends on an error; add `{origin}/` to `{RETURN_URLS}`")),
        }
    }
}

/// Kratos compares scheme, and host with port as they are written; a `*` in front stands for any host that ends so.
fn is_on(entry: &str, origin: &OriginPattern) -> bool {
    let Some((scheme, rest)) = entry.split_once("://") else {
        return false;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let entry = rest.split_at(end).0.to_ascii_lowercase();
    let origin_text = origin.to_string();
    let own = origin_text.split_once("://").map_or("", |(_, own)| own);
    let is_host = match (entry.strip_prefix('*'), &origin.host) {
        (Some(suffix), _) => own.ends_with(suffix),
        (None, HostPattern::Exact(_)) => entry == own,
        (None, HostPattern::Below(_)) => false,
    };
    scheme.eq_ignore_ascii_case(origin.scheme.as_str()) && is_host
}

fn path_of(entry: &str) -> &str {
    let rest = entry.split_once("://").map_or(entry, |(_, rest)| rest);
    rest.find('/').map_or("", |at| rest.split_at(at).1)
}

/// The pages of Kratos' UI: those that a challenge needs must be named, and none may itself ask for what it is to give.
fn pages(found: &mut Collector, reviewed: &Reviewed<'_>) {
    let enrols = reviewed.domain.enrolment == EnrolmentPolicy::Detect;
    let flows = [
        ("login", true),
        ("settings", enrols),
        ("error", true),
        ("registration", false),
        ("recovery", false),
        ("verification", false),
    ];
    for (flow, is_needed) in flows {
        let path = format!("selfservice.flows.{flow}.ui_url");
        match reviewed.tree.text(&path) {
            Some((url, at)) => open(found, reviewed, flow, url, at),
            None if is_needed => found.add(reviewed.tree.place(&path), format_args!("`{path}` is missing, so Kratos sends people to a page of Ory's own; name the page of your UI")),
            None => {}
        }
    }
}

fn open(found: &mut Collector, reviewed: &Reviewed<'_>, flow: &str, url: &str, at: Location) {
    let Some(selection) = guard(reviewed, url) else {
        return;
    };
    let most = match flow {
        "settings" => Requirement::Session(Demand::SESSION),
        _ => Requirement::None,
    };
    let is_open = !selection.is_denied
        && selection
            .demands
            .iter()
            .all(|demand| most.implies(&Requirement::Session(demand.clone())));
    if !is_open {
        let (id, own) = (&selection.rule.id, &selection.rule.requirement);
        found.add(at, format_args!("`ui_url: {url}` is guarded by rule `{id}` ({own}), so whoever is sent to it is sent away again; give that path a rule with `require: {most}`"));
    }
}

/// What a page must show, where Stepgate guards it.
fn guard<'a>(reviewed: &Reviewed<'a>, url: &str) -> Option<Selection<'a>> {
    let policy = &reviewed.config.policy;
    let url = Url::parse(url).ok()?;
    let host = Host::parse(url.host_str()?.as_bytes()).ok()?;
    let authority = Authority {
        host,
        port: url.port(),
    };
    let site = policy.locate(&authority)?;
    let path = crate::domain::path::Path::parse(url.path().as_bytes(), policy.paths).ok()?;
    Some(policy.select(&site, &authority.host, &path, &Method::GET))
}
