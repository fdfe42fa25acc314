//! The loop guard: a page that is sent to meet the same challenge again and again is told why instead.
//!
//! Each challenge leaves a [`marker`](super::marker) in the browser, with how many of its like came in a row. Another path,
//! outcome or session starts anew, and so does a pause; so tabs don't add up. What the marker bore witness to is over when
//! the page passes, and the marker goes.

use std::time::{Duration, SystemTime};

use http::{HeaderName, HeaderValue, header::SET_COOKIE};

use super::{
    client::Client,
    decision::{Decision, Grant, shortest_age},
    headers::Headers,
    identity_domain::EnrolmentPolicy,
    marker::{Bond, Marker, Outcome, Secret, carried, seconds},
    policy::Site,
    rule::Demand,
    session::{Aal, Factor, Session},
};

/// How many challenges of a kind are given in a row.
const MAX_CHALLENGES: u8 = 3;
/// The longest pause between two challenges in a row.
const MAX_PAUSE: Duration = Duration::from_secs(120);

/// What the guard looks at beside the decision.
#[derive(Clone, Copy, Debug)]
pub struct Guard<'a> {
    /// What markers are signed with.
    pub secret: &'a Secret,
    /// Where the request belongs.
    pub site: &'a Site<'a>,
    /// The request's path as rules match it.
    pub path: &'a [u8],
    /// The request's headers.
    pub headers: &'a Headers,
    /// Its client.
    pub client: Client,
    /// Its session, where there is one.
    pub session: Option<&'a Session>,
    /// What is demanded of it.
    pub demands: &'a [Demand],
    /// The time.
    pub now: SystemTime,
}

/// A challenge that came so often in a row that it is not given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loop {
    /// What it asked for.
    pub outcome: Outcome,
    /// Which second factors count; none listed means any.
    pub factors: Vec<Factor>,
    /// How old the second factor may be; `None` for any age.
    pub max_age: Option<Duration>,
}

/// A decision as the guard lets it stand.
#[derive(Debug, PartialEq, Eq)]
pub struct Guarded {
    /// The decision.
    pub decision: Decision,
    /// What the answer does to the marker.
    pub cookie: Option<(HeaderName, HeaderValue)>,
    /// Whether the request passes because a second factor was given on a challenge.
    pub is_step_up_completed: bool,
}

impl Guard<'_> {
    /// Looks for a loop, and keeps count.
    #[must_use]
    pub fn judge(&self, decision: Decision) -> Guarded {
        match &decision {
            Decision::Allow(permit) if permit.grant() == Grant::Met => self.allow(decision),
            _ => match self.challenge(&decision) {
                Some(outcome) => self.count(decision, outcome),
                None => Guarded::untouched(decision),
            },
        }
    }

    /// What the decision challenges a browser to do. Other clients follow no redirect, so they go in no circle.
    fn challenge(&self, decision: &Decision) -> Option<Outcome> {
        outcome(decision, self.site.domain.enrolment).filter(|_| self.client == Client::Page)
    }

    fn count(&self, decision: Decision, outcome: Outcome) -> Guarded {
        let bond = self.bond(self.session);
        let is_in_row = |marker: &Marker| {
            marker.outcome == outcome && marker.age(self.now).is_some_and(|age| age <= MAX_PAUSE)
        };
        let before = carried(self.headers)
            .and_then(|value| bond.read(value, self.now))
            .filter(is_in_row)
            .map_or(0, |marker| marker.count);
        if before >= MAX_CHALLENGES {
            let looped = Decision::Loop(Loop::of(outcome, self.demands));
            return Guarded::with(looped, bond.clear());
        }
        let marker = Marker {
            outcome,
            count: before.saturating_add(1),
            seconds: seconds(self.now),
        };
        Guarded::with(decision, bond.set(marker))
    }

    /// The marker goes, whether it was set for this session or before there was one.
    fn allow(&self, decision: Decision) -> Guarded {
        let bonds = [self.bond(self.session), self.bond(None)];
        let read = |value| {
            bonds
                .iter()
                .find_map(|bond| Some((bond.read(value, self.now)?, bond.clear())))
        };
        let Some((marker, clear)) = carried(self.headers).and_then(read) else {
            return Guarded::untouched(decision);
        };
        let has_second_factor = self.session.is_some_and(|session| session.aal >= Aal::Aal2);
        Guarded {
            is_step_up_completed: marker.outcome == Outcome::StepUp && has_second_factor,
            ..Guarded::with(decision, clear)
        }
    }

    fn bond<'b>(&'b self, session: Option<&'b Session>) -> Bond<'b> {
        Bond {
            secret: self.secret,
            origin: &self.site.origin,
            path: self.path,
            session: session.map(|session| &*session.id),
        }
    }
}

/// What a decision challenges somebody to do who can follow an address.
#[must_use]
pub fn outcome(decision: &Decision, enrolment: EnrolmentPolicy) -> Option<Outcome> {
    match decision {
        Decision::Login => Some(Outcome::Login),
        Decision::StepUp(_) => Some(Outcome::StepUp),
        Decision::Enrol if enrolment != EnrolmentPolicy::Refuse => Some(Outcome::Enrol),
        _ => None,
    }
}

impl Loop {
    /// The challenge that these demands led to.
    #[must_use]
    pub fn of(outcome: Outcome, demands: &[Demand]) -> Self {
        let listed = demands.iter().map(|demand| &demand.factors);
        Self {
            outcome,
            factors: listed
                .into_iter()
                .find(|listed| !listed.is_empty())
                .cloned()
                .unwrap_or_default(),
            max_age: shortest_age(demands),
        }
    }
}

impl Guarded {
    fn untouched(decision: Decision) -> Self {
        Self::with(decision, None)
    }

    fn with(decision: Decision, cookie: Option<HeaderValue>) -> Self {
        Self {
            decision,
            cookie: cookie.map(|cookie| (SET_COOKIE, cookie)),
            is_step_up_completed: false,
        }
    }
}

#[cfg(test)]
mod tests;
