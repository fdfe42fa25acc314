//! Everything a decision needs to know of the configuration.

use http::Method;

use super::{
    host::{Authority, Host},
    identity_domain::IdentityDomain,
    marker::Secret,
    origin::{DomainId, Origin, Origins},
    path::{Path, PathOptions},
    rule_set::{RuleSet, Selection},
    upstream_headers::UpstreamHeaders,
};

/// What the operator configured, compiled and checked.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The identity domains, by their [`DomainId`].
    pub identity_domains: Vec<IdentityDomain>,
    /// The guarded origins.
    pub origins: Origins,
    /// The rules.
    pub rules: RuleSet,
    /// How paths are read.
    pub paths: PathOptions,
    /// The headers that an allow sends upstream.
    pub upstream_headers: UpstreamHeaders,
    /// Keys of `context_extensions` that are somebody else's.
    pub context_ignore: Vec<Box<str>>,
    /// What the loop guard signs with.
    pub secret: Secret,
}

/// Where a request belongs.
#[derive(Clone, Debug)]
pub struct Site<'a> {
    /// Its origin, as configured.
    pub origin: Origin,
    /// The identity domain's place.
    pub domain_id: DomainId,
    /// The identity domain.
    pub domain: &'a IdentityDomain,
}

impl Policy {
    /// The guarded origin that a request for this host and port belongs to.
    #[must_use]
    pub fn locate(&self, authority: &Authority) -> Option<Site<'_>> {
        let (origin, domain_id) = self.origins.locate(authority)?;
        Some(Site {
            origin,
            domain_id,
            domain: self.identity_domains.get(domain_id)?,
        })
    }

    /// The rule for a request that belongs there, and what every reading of its path demands.
    #[must_use]
    pub fn select<'a>(
        &'a self,
        site: &Site<'a>,
        host: &Host,
        path: &Path,
        method: &Method,
    ) -> Selection<'a> {
        let serves = site.origin.serves();
        match &site.domain.enrol_first {
            Some(first) if first.replaces_rules(serves, path) => Selection::of(&first.rule),
            _ => self.rules.select(host, path, method),
        }
    }
}
