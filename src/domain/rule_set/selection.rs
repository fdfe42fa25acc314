//! The rule for a request, what the request must meet, and what of it is enforced.

use std::{borrow::Cow, iter, ops::Deref, time::Duration};

use http::Method;

use super::RuleSet;
use crate::domain::{
    host::Host,
    path::Path,
    rule::{Demand, Mode, Requirement, Rule},
};

/// The rule for a request, and everything that the request must meet.
#[derive(Clone, Debug)]
pub struct Selection<'a> {
    /// The rule for the path as it stands: its id and settings are the request's.
    pub rule: &'a Rule,
    /// Whether some reading of the path is denied.
    pub is_denied: bool,
    /// What each reading demands; empty where none demands a session.
    pub demands: Vec<Demand>,
    enforced: Option<Enforced<'a>>,
}

/// What is enforced of a request that has a rule in shadow: what it would have to meet if no such rule were there.
///
/// Only [`RuleSet::select`] makes one, and only where it met a rule whose mode is [`Mode::Shadow`]; so it is the proof that a
/// demand may be lifted.
#[derive(Clone, Debug)]
pub struct Enforced<'a>(Box<Selection<'a>>);

impl RuleSet {
    /// The rule for a request and what every reading of its path demands.
    #[must_use]
    pub fn select(&self, host: &Host, path: &Path, method: &Method) -> Selection<'_> {
        let mut has_shadow = false;
        let mut selection = select(path, |reading| {
            let rule = self.find(host, reading, method);
            has_shadow |= rule.mode == Mode::Shadow;
            rule
        });
        if has_shadow {
            let enforced = select(path, |reading| self.find_enforced(host, reading, method));
            selection.enforced = Some(Enforced(Box::new(enforced)));
        }
        selection
    }

    /// What a page of our own asks, which no rule is for: a session.
    #[must_use]
    pub fn session_only(&self) -> Selection<'_> {
        Selection {
            demands: vec![Demand::SESSION],
            ..Selection::bare(&self.default)
        }
    }
}

fn select<'a>(path: &Path, mut find: impl FnMut(&[u8]) -> &'a Rule) -> Selection<'a> {
    let rule = find(path.whole());
    let mut selection = Selection::of(rule);
    for cut in path.cuts() {
        selection.add(&find(cut).requirement);
    }
    selection
}

impl<'a> Selection<'a> {
    /// A rule by itself, whatever the reading, and enforced.
    #[must_use]
    pub fn of(rule: &'a Rule) -> Self {
        let mut selection = Self::bare(rule);
        selection.add(&rule.requirement);
        selection
    }

    fn bare(rule: &'a Rule) -> Self {
        Self {
            rule,
            is_denied: false,
            demands: Vec::new(),
            enforced: None,
        }
    }

    /// What is enforced, and nothing that a rule in shadow could lift.
    #[must_use]
    pub fn into_force(self) -> Self {
        match self.enforced {
            Some(Enforced(enforced)) => *enforced,
            None => self,
        }
    }

    /// Joins another demand in: from then on the request must meet it too, whatever its rule's mode.
    pub fn add(&mut self, requirement: &Requirement) {
        if let Some(Enforced(enforced)) = &mut self.enforced {
            enforced.add(requirement);
        }
        match requirement {
            Requirement::None => {}
            Requirement::Deny => self.is_denied = true,
            Requirement::Session(demand) if self.demands.contains(demand) => {}
            Requirement::Session(demand) => self.demands.push(demand.clone()),
        }
    }

    /// What is enforced where a rule is in shadow; `None`: all of this.
    #[must_use]
    pub fn enforced(&self) -> Option<&Enforced<'a>> {
        self.enforced.as_ref()
    }

    /// What a refusal is made by.
    #[must_use]
    pub fn in_force(&self) -> &Self {
        self.enforced().map_or(self, |enforced| enforced)
    }

    /// All that is to be found out of the session: what is enforced, and what would be.
    #[must_use]
    pub fn asked(&self) -> Cow<'_, [Demand]> {
        match &self.enforced {
            None => Cow::Borrowed(&self.demands),
            Some(enforced) => [&*self.demands, &enforced.demands].concat().into(),
        }
    }

    /// The longest that a session may be remembered for this request; `None` for as long as any.
    #[must_use]
    pub fn cache(&self) -> Option<Duration> {
        let rules = iter::once(self.rule).chain([self.in_force().rule]);
        rules.filter_map(|rule| rule.cache).min()
    }
}

impl<'a> Deref for Enforced<'a> {
    type Target = Selection<'a>;

    fn deref(&self) -> &Selection<'a> {
        &self.0
    }
}
