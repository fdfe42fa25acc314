//! What is sound and hardly meant. Each is a warning that says where, what, and how to mend it: `check` prints it, and `serve`
//! logs it.

mod rules;
mod values;

use std::collections::HashMap;

use serde_saphyr::Location;

use super::kratos::Domains;
use crate::{
    config::{fault::Collector, sources::Sources},
    domain::rule_set::RuleSet,
};

/// Where each rule stands: its file and its place there, by its id.
pub(super) type Places<'a> = HashMap<&'a str, (&'a str, Location)>;

/// What the lints look at.
pub(super) struct Subject<'a> {
    pub(super) sources: &'a Sources,
    pub(super) rules: &'a RuleSet,
    pub(super) domains: &'a Domains,
    pub(super) places: &'a Places<'a>,
}

/// Warns of all that is hardly meant.
pub(super) fn lint(faults: &mut Collector, subject: &Subject<'_>) {
    rules::lint(faults, subject);
    values::lint(faults, subject);
    faults.enter(&subject.sources.name);
}

impl Subject<'_> {
    /// Warns at this rule; the default has no place of its own and is not warned of.
    fn warn(&self, faults: &mut Collector, id: &str, message: impl std::fmt::Display) {
        if let Some((file, at)) = self.places.get(id) {
            faults.enter(file);
            faults.warn(*at, message);
        }
    }
}

#[cfg(test)]
mod tests;
