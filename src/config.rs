//! From text to values: what was written, then what it means.
//!
//! A file is read into its shape, where unknown and duplicate keys are errors that name their line; then everything is
//! checked, and all faults are reported at once, each with the place and the way to mend it.

mod check;
mod fault;
mod file;
mod forms;
mod given;
pub mod kratos_file;
pub mod reload;
pub mod schema;
mod shape;
mod sources;

use std::{collections::HashMap, num::NonZero, path::Path, sync::Arc, time::Duration};

pub use fault::{Collector, Fault, Faults};
pub use file::{File, parse};
pub use sources::text;

use crate::{
    authorizer::Snapshot,
    domain::{
        origin::{DomainId, OriginPattern},
        policy::Policy,
        rule::{Mode, Rule},
    },
    kratos::{self, BuildError, Kratos},
    servers,
    telemetry::log,
};
use given::Given;

/// Most rules that one line of the log names.
const MAX_TOLD: usize = 20;

/// A sound configuration: every room's settings.
#[derive(Debug)]
pub struct Config {
    /// What decisions are made by.
    pub policy: Policy,
    /// Where each Kratos is, in the order of [`Policy::identity_domains`].
    pub kratos: Vec<kratos::Settings>,
    /// Every guarded origin with its identity domain, as written.
    pub origins: Vec<(OriginPattern, DomainId)>,
    /// Where each rule stands, as `rules/pay.yaml:14`, by its id.
    pub rule_places: HashMap<Box<str>, String>,
    /// The doors.
    pub servers: servers::Settings,
    /// How many runtimes answer checks; `None` for one a core.
    pub workers: Option<NonZero<usize>>,
    /// How long checks are still answered after the signal to stop, while health says `NOT_SERVING`.
    pub drain: Duration,
    /// How the log is written.
    pub log: log::Settings,
    /// Nobody configured a secret, so it was drawn at random and no other replica shares it.
    pub is_secret_random: bool,
    /// What is sound but hardly meant.
    pub warnings: Vec<Fault>,
}

impl Config {
    /// Reads and checks a configuration file, under `STEPGATE_SECRET`, `LOG_LEVEL` and `LOG_FORMAT` where they
    /// are set: they win over its `secret.file`, `log.level` and `log.format`.
    ///
    /// # Errors
    /// Every fault in it, or that it can't be read.
    pub fn load(path: &Path) -> Result<Self, Faults> {
        let name = path.display().to_string();
        let file: File = parse(&name, &text(&name)?)?;
        file.check_given(&name, &Given::here())
    }

    /// Checks a configuration's text. `name` is the file's: it stands in front of each fault, and the files it names lie
    /// beside it. The environment has no part in it.
    ///
    /// # Errors
    /// Every fault in it.
    pub fn parse(name: &str, text: &str) -> Result<Self, Faults> {
        parse::<File>(name, text)?.check(name)
    }

    /// The rules that don't refuse yet, in the order of the file.
    pub fn shadows(&self) -> impl Iterator<Item = &Rule> {
        let rules = self.policy.rules.rules().iter();
        rules.filter(|rule| rule.mode == Mode::Shadow)
    }

    /// Tells the log what is sound but hardly meant, and which rules don't refuse yet.
    pub fn tell_warnings(&self) {
        let ids: Vec<_> = self.shadows().map(|rule| &*rule.id).collect();
        if !ids.is_empty() {
            let (rules, count) = (ids.get(..MAX_TOLD).unwrap_or(&ids).join(" "), ids.len());
            tracing::info!(count, rules, "rules in shadow refuse nothing yet");
        }
        for warning in &self.warnings {
            tracing::warn!("{warning}");
        }
        if self.is_secret_random {
            tracing::warn!(
                "no secret is configured, so this replica has its own; set `secret.file` or `STEPGATE_SECRET`, the same on all"
            );
        }
    }

    /// What checks are answered from: the policy, and a client for each Kratos.
    ///
    /// # Errors
    /// [`BuildError`] where a client can't be made.
    pub fn into_snapshot(self) -> Result<Snapshot, BuildError> {
        self.build(|_, _| None)
    }

    /// The same after another snapshot. An identity domain whose Kratos is where it was and is asked as it was keeps its
    /// client, and with it what is remembered, the breaker and the connections; any other starts anew.
    ///
    /// # Errors
    /// [`BuildError`] where a client can't be made.
    pub fn into_successor(self, before: &Snapshot) -> Result<Snapshot, BuildError> {
        self.build(|name, settings| {
            let domains = before.policy.identity_domains.iter().zip(&before.kratos);
            let mut same = domains
                .filter(|(domain, kratos)| *domain.name == *name && kratos.settings() == settings);
            same.next().map(|(_, kratos)| Arc::clone(kratos))
        })
    }

    /// A snapshot with the clients that are kept, by the domain's name and its settings, and new ones for the rest.
    fn build(
        self,
        kept: impl Fn(&str, &kratos::Settings) -> Option<Arc<Kratos>>,
    ) -> Result<Snapshot, BuildError> {
        let kratos = self
            .policy
            .identity_domains
            .iter()
            .zip(&self.kratos)
            .map(|(domain, settings)| match kept(&domain.name, settings) {
                Some(kratos) => Ok(kratos),
                None => Kratos::new(settings).map(Arc::new),
            })
            .collect::<Result<_, _>>()?;
        Ok(Snapshot {
            policy: self.policy,
            kratos,
        })
    }
}

#[cfg(test)]
mod tests;
