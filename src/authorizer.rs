//! The one path that every check takes: read the facts, find the rule, ask for the session if the rule does, decide,
//! reply, record.

mod check;
mod inquiry;
mod record;
mod request_id;
mod submission;
mod ticket;

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;

use crate::{
    domain::{
        decision::{Decision, Verdict},
        policy::Policy,
        reply::Reply,
        request::Facts,
        session::{Enrolment, Standing},
    },
    kratos::Kratos,
    telemetry::{
        clock::{Clock, Stopwatch},
        traces,
    },
};
use check::Check;

/// Configuration and clients, swapped whole: a check sees one of it.
#[derive(Debug)]
pub struct Snapshot {
    /// What the operator configured.
    pub policy: Policy,
    /// The client of each identity domain, in the order of [`Policy::identity_domains`].
    pub kratos: Vec<Arc<Kratos>>,
}

/// Answers checks.
#[derive(Debug)]
pub struct Authorizer {
    snapshot: ArcSwap<Snapshot>,
    clock: Clock,
}

/// An answer and the words for it.
#[derive(Debug)]
pub struct Answer {
    /// What the door sends.
    pub reply: Reply,
    /// The rule's id, empty where the request did not come that far.
    pub rule: Box<str>,
    /// The decision's word.
    pub decision: &'static str,
    /// The reason's word.
    pub reason: &'static str,
    /// The refusal that a rule in shadow did not enforce.
    pub lifted: Option<Verdict>,
    /// The session's level, empty where there is no session.
    pub aal: &'static str,
}

impl Authorizer {
    /// An authorizer over this snapshot.
    #[must_use]
    pub fn new(snapshot: Snapshot, clock: Clock) -> Self {
        Self {
            snapshot: ArcSwap::from_pointee(snapshot),
            clock,
        }
    }

    /// What new checks are answered from.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Answers new checks from this snapshot. A check that has begun ends with the one it began with.
    pub fn swap(&self, snapshot: Snapshot) {
        self.snapshot.store(Arc::new(snapshot));
    }

    /// Answers one check. It always answers, within `deadline` or the identity domain's timeout, whichever is shorter.
    pub async fn check(
        &self,
        door: &'static str,
        facts: &Facts,
        deadline: Option<Duration>,
    ) -> Answer {
        let stopwatch = Stopwatch::start();
        let span = traces::check(facts);
        let snapshot = self.snapshot.load();
        let mut check = Check::new(&snapshot, facts, self.clock.now());
        let decision = match check.begin() {
            Err(settled) => settled,
            Ok(selection) => {
                let (standing, enrolment) = check.ask(&selection, deadline, &span).await;
                check.conclude(&selection, standing, &enrolment)
            }
        };
        record::record(door, &check, &decision, stopwatch.elapsed(), span);
        check.answer(decision)
    }

    /// Refuses a request that a door can't put to a check: its caller is nobody it believes, or its facts don't add up.
    /// That it can only refuse is for the type to say: nobody else can make an allow.
    pub fn refuse(&self, door: &'static str, facts: &Facts, decision: Decision) -> Answer {
        let stopwatch = Stopwatch::start();
        let span = traces::check(facts);
        let snapshot = self.snapshot.load_full();
        let check = Check::new(&snapshot, facts, self.clock.now());
        record::record(door, &check, &decision, stopwatch.elapsed(), span);
        check.answer(decision)
    }

    /// The answer that [`check`](Self::check) would give if Kratos said this of the request's credential. Asks nobody and
    /// leaves no trace.
    #[must_use]
    pub fn suppose(&self, facts: &Facts, standing: Standing, enrolment: &Enrolment) -> Answer {
        let snapshot = self.snapshot.load_full();
        let mut check = Check::new(&snapshot, facts, self.clock.now());
        let decision = match check.begin() {
            Err(settled) => settled,
            Ok(selection) => {
                let (standing, enrolment) = check.as_asked(standing, enrolment);
                check.conclude(&selection, standing, enrolment)
            }
        };
        check.answer(decision)
    }
}
