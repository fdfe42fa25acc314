//! A Kratos' own configuration, read for what would break a step-up.
//!
//! Only the keys below are looked at, at the places where Kratos v26 reads them; all else is Kratos' own business. Values
//! that its environment sets (`SESSION_COOKIE_DOMAIN` and the like) are not seen.

mod addresses;
mod cookie;
mod factors;
mod levels;
mod tree;

use super::{Config, Fault, Faults, fault::Collector, file};
use crate::domain::{identity_domain::IdentityDomain, origin::DomainId};
use tree::Tree;

/// What was found in a Kratos configuration.
#[derive(Debug)]
pub struct Review {
    /// The name of the identity domain that it was read for.
    pub domain: Box<str>,
    /// What breaks a step-up, in the order of their places.
    pub problems: Vec<Fault>,
    /// What is worth knowing.
    pub notes: Vec<Fault>,
}

/// One review: a Kratos configuration beside what Stepgate is told of that Kratos.
struct Reviewed<'a> {
    /// The Kratos configuration, and its file.
    tree: &'a Tree,
    name: &'a str,
    config: &'a Config,
    id: DomainId,
    domain: &'a IdentityDomain,
}

/// Reads a Kratos configuration; `name` stands in front of each finding.
///
/// # Errors
/// It is no YAML (or JSON), or it can't be told whose it is.
pub fn review(config: &Config, name: &str, text: &str) -> Result<Review, Faults> {
    let tree: Tree = file::parse_foreign(name, text)?;
    let id = owner(config, &tree).ok_or_else(|| unowned(config, name, &tree))?;
    let domain = config.policy.identity_domains.get(id);
    let domain = domain.ok_or_else(|| unowned(config, name, &tree))?;
    let reviewed = Reviewed {
        tree: &tree,
        name,
        config,
        id,
        domain,
    };
    let mut found = Collector::new(name);
    levels::review(&mut found, &reviewed);
    addresses::review(&mut found, &reviewed);
    factors::review(&mut found, &reviewed);
    cookie::review(&mut found, &reviewed);
    let (problems, notes) = found.into_parts();
    Ok(Review {
        domain: domain.name.clone(),
        problems,
        notes,
    })
}

/// The identity domain whose browsers it answers; the only one, where there is one.
fn owner(config: &Config, tree: &Tree) -> Option<DomainId> {
    let domains = &config.policy.identity_domains;
    let base = tree
        .text("serve.public.base_url")
        .map(|(url, _)| url.trim_end_matches('/'));
    let own = domains
        .iter()
        .position(|domain| Some(domain.browser_url.as_str()) == base);
    own.or_else(|| (domains.len() == 1).then_some(0))
}

fn unowned(config: &Config, name: &str, tree: &Tree) -> Faults {
    let urls = config.policy.identity_domains.iter();
    let urls: Vec<_> = urls
        .map(|domain| format!("`{}`", domain.browser_url.as_str()))
        .collect();
    let at = tree.place("serve.public.base_url");
    let urls = urls.join(", ");
    Fault::new(name, at, format!("`serve.public.base_url` is no `browser_url` of the configuration ({urls}), so it can't be told whose this is")).into()
}

#[cfg(test)]
mod tests;
