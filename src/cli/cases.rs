//! Case files: a configuration, requests, what Kratos would say, and the answers wanted.
//!
//! A file is read in the same dialect and through the same checks as a configuration, and its faults name their lines.
//! A case is answered by [`Authorizer::suppose`], so nobody is asked and the time stands still: at [`now`].

mod expect;
mod request;
mod session;
mod shape;
mod tap;
#[cfg(test)]
mod tests;

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use crate::{
    authorizer::{Authorizer, Snapshot},
    config::{self, Collector, Config, Faults},
    domain::{
        claim::Pointer,
        credential::CredentialKind,
        host::Authority,
        origin::DomainId,
        request::{Facts, Reach},
    },
    telemetry::clock::Clock,
};
pub use expect::{Expect, Heard, Miss};
pub(in crate::cli) use request::Request;
pub use session::{Said, Used, When, Written};
pub use tap::write;

/// What a door that can't carry some case is called, and the forms in which Envoy's door hears headers.
pub const DOORS: [&str; 3] = ["grpc_map", "grpc_raw", "http"];

/// A file of cases under one configuration.
#[derive(Debug)]
pub struct Suite {
    /// The file.
    pub file: Box<str>,
    /// The configuration.
    pub config: Config,
    /// The cases, at least one, in their order.
    pub cases: Vec<Case>,
}

/// One request, and the answer wanted.
#[derive(Debug)]
pub struct Case {
    /// What it shows.
    pub name: Box<str>,
    /// Where its name stands in the file.
    pub line: u64,
    /// What Kratos says of the credential.
    pub said: Said,
    /// The answer wanted.
    pub expect: Expect,
    /// Doors that can't carry this request, each with the reason.
    pub not_for: Vec<(Box<str>, Box<str>)>,
    request: Request,
}

/// The time in every case: noon of the first day of 2026, in UTC.
#[must_use]
pub fn now() -> SystemTime {
    const SECONDS: u64 = 1_767_268_800;
    SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_secs(SECONDS))
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

impl Suite {
    /// Reads a file.
    ///
    /// # Errors
    /// Every fault in it, or that it can't be read.
    pub fn load(path: &Path) -> Result<Self, Faults> {
        let name = path.display().to_string();
        Self::parse(&name, &config::text(&name)?)
    }

    /// Reads a file's text; `name` stands in front of each fault.
    ///
    /// # Errors
    /// Every fault in it.
    pub fn parse(name: &str, text: &str) -> Result<Self, Faults> {
        let file: shape::File = config::parse(name, text)?;
        let mut faults = Collector::new(name);
        let config = faults.absorb(file.config.check(name));
        if file.cases.value.is_empty() {
            let at = file.cases.referenced;
            faults.add(at, "`cases` is empty; write at least one");
        }
        let cases = file.cases.value.iter();
        let cases = cases
            .filter_map(|case| case.check(&mut faults))
            .collect::<Vec<_>>();
        let suite = config.map(|config| Self {
            file: name.into(),
            config,
            cases,
        });
        Ok(faults.finish(suite)?.0)
    }

    /// What the configuration answers to a case.
    #[must_use]
    pub fn answer(&self, case: &Case) -> Heard {
        let policy = self.config.policy.clone();
        let snapshot = Snapshot {
            policy,
            kratos: Vec::new(),
        };
        let authorizer = Authorizer::new(snapshot, Clock::by_hand(now));
        let pointers = pointers(&self.config, case.request.host());
        let (standing, enrolment) = case.said.standing(pointers, now());
        let facts = self.facts(case, "session");
        Heard::from(authorizer.suppose(&facts, standing, &enrolment))
    }

    /// The facts of a case's request, with this credential for the `{session}` in it.
    #[must_use]
    pub fn facts(&self, case: &Case, credential: &str) -> Facts {
        let carries = case.said != Said::SignedOut;
        let cookie = carries.then(|| cookie(&self.config, case.request.host()));
        Facts {
            reach: case.reach(),
            ..case.request.facts(cookie, credential)
        }
    }
}

/// The name of the session cookie at this host.
pub(in crate::cli) fn cookie<'a>(config: &'a Config, host: &str) -> &'a str {
    let domain = config.policy.identity_domains.get(domain(config, host));
    domain.map_or("", |domain| &domain.cookie)
}

/// What is read of an identity at this host.
pub(in crate::cli) fn pointers<'a>(config: &'a Config, host: &str) -> &'a [Pointer] {
    let settings = config.kratos.get(domain(config, host));
    settings.map_or(&[], |settings| &settings.pointers)
}

/// The identity domain of this host; the first, where it has none.
fn domain(config: &Config, host: &str) -> DomainId {
    let authority = Authority::parse(host.as_bytes()).ok();
    let site = authority.and_then(|authority| config.policy.locate(&authority));
    site.map_or(0, |site| site.domain_id)
}

impl Case {
    /// How its credential arrives, as far as that decides what a credential looks like.
    #[must_use]
    pub fn credential(&self) -> CredentialKind {
        self.request.credential()
    }

    /// Whether this door can carry it.
    #[must_use]
    pub fn is_for(&self, door: &str) -> bool {
        self.not_for.iter().all(|(other, _)| &**other != door)
    }

    /// A case is answered as at Envoy's door, unless it is for the HTTP door alone.
    fn reach(&self) -> Reach {
        let [map, raw, _] = DOORS;
        if self.is_for(map) || self.is_for(raw) {
            Reach::Edits
        } else {
            Reach::Copies
        }
    }

    /// Whether lines of one header arrive joined by commas.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        self.request.is_joined()
    }
}
