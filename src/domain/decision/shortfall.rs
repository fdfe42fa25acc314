//! What a session lacks of all that is demanded.

use std::time::SystemTime;

use crate::domain::{
    rule::Demand,
    session::{Aal, Factor, Session, is_fresh},
};

/// What a session lacks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shortfall<'a> {
    /// The level.
    Level,
    /// One of these factors: it has used others only.
    Factor(&'a [Factor]),
    /// Freshness.
    Age,
    /// Being another identity.
    Identity,
}

impl Shortfall<'_> {
    /// Which is told first: what enrolment may turn on, then what a step-up mends, then what nothing mends.
    fn order(self) -> u8 {
        match self {
            Self::Level | Self::Factor(_) => 0,
            Self::Age => 1,
            Self::Identity => 2,
        }
    }
}

/// What the session lacks most of all that is demanded.
pub(super) fn first_shortfall<'a>(
    demands: &'a [Demand],
    session: &Session,
    now: SystemTime,
) -> Option<Shortfall<'a>> {
    let shortfalls = demands
        .iter()
        .filter_map(|demand| shortfall(demand, session, now));
    shortfalls.min_by_key(|shortfall| shortfall.order())
}

fn shortfall<'a>(demand: &'a Demand, session: &Session, now: SystemTime) -> Option<Shortfall<'a>> {
    let second_factor = || second_factor_shortfall(demand, session, now);
    let is_identity_met = || {
        demand
            .identity
            .iter()
            .all(|test| test.is_met(&session.claims))
    };
    if session.aal < demand.aal {
        Some(Shortfall::Level)
    } else if let Some(shortfall) = second_factor().filter(|_| demand.aal >= Aal::Aal2) {
        Some(shortfall)
    } else if !is_identity_met() {
        Some(Shortfall::Identity)
    } else {
        None
    }
}

fn second_factor_shortfall<'a>(
    demand: &'a Demand,
    session: &Session,
    now: SystemTime,
) -> Option<Shortfall<'a>> {
    let is_age_met = |max_age| {
        let completed_at = session.second_factor_at(&demand.factors);
        is_fresh(completed_at, max_age, now)
    };
    if !session.used_second_factor(&demand.factors) {
        Some(Shortfall::Factor(&demand.factors))
    } else if !demand.max_age.is_none_or(is_age_met) {
        Some(Shortfall::Age)
    } else {
        None
    }
}
