//! The decision: what a request must show, what the session shows, and the time become one outcome.
//!
//! An [`Decision::Allow`] holds a [`Permit`], which only this file makes. Every other road ends in a refusal.
//!
//! Where a rule is in shadow, what is [`Enforced`] decides, and what the rule asks beyond that only shows: a refusal that
//! comes of it alone is lifted, and the permit tells which it was.

mod shortfall;
mod words;

use std::time::{Duration, SystemTime};

use super::{
    loop_guard::Loop,
    reason::{Malformed, Reason},
    request::Request,
    resume::{Continued, Kept},
    rule::Demand,
    rule_set::{Enforced, Selection},
    session::{Aal, Enrolment, Factor, Standing},
};
use shortfall::{Shortfall, first_shortfall};

/// Proof that a request may pass. It can't be made outside this file.
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    grant: Grant,
}

/// Why a permit was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The rule asks for nothing.
    Open,
    /// A CORS preflight carries no session and reaches no data.
    Preflight,
    /// The session shows all that is demanded.
    Met,
    /// It would have been refused, but the rule that demands more is in shadow.
    Shadowed(Verdict),
}

/// A decision in its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The decision's word.
    pub decision: &'static str,
    /// Why.
    pub reason: Reason,
}

/// The outcome of a check.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision {
    /// Through.
    Allow(Permit),
    /// There is no session: log in.
    Login,
    /// The session needs its second factor, or needs it again.
    StepUp(StepUp),
    /// There is no second factor to give: set one up.
    Enrol,
    /// One of these three, and the form that met it is kept in the browser meanwhile.
    Keep(Box<Kept>),
    /// The page that continues such a form.
    Resume(Box<Continued>),
    /// The same challenge again would lead in circles.
    Loop(Loop),
    /// No session could change this.
    Deny(Reason),
    /// The request can't be judged: 400.
    Malformed(Malformed),
    /// The request carries two sessions: 400.
    Ambiguous,
    /// The host is not guarded: 421.
    HostUnknown,
    /// Kratos can't say: 503.
    Unavailable {
        /// When to ask again, where Kratos said so.
        retry_after: Option<Duration>,
    },
}

/// What a second factor is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepUp {
    /// The session is AAL2 already, but its factor is too old or not one of those listed.
    pub is_stale: bool,
    /// The shortest age that is demanded.
    pub max_age: Option<Duration>,
}

impl Permit {
    /// Why it was given.
    #[must_use]
    pub fn grant(&self) -> Grant {
        self.grant
    }
}

/// The outcome where no session is needed to tell.
#[must_use]
pub fn without_session(selection: &Selection<'_>, request: &Request) -> Option<Decision> {
    let decision = settled(selection, request);
    let Some(enforced) = selection.enforced() else {
        return decision;
    };
    match settled(enforced, request) {
        Some(Decision::Allow(_)) => decision.map(|would_be| lift(would_be, enforced)),
        refused_or_unknown => refused_or_unknown,
    }
}

/// The outcome where it can't be told which session is meant.
#[must_use]
pub fn ambiguous(selection: &Selection<'_>) -> Decision {
    match selection.enforced() {
        Some(enforced) if asks_nothing(enforced) => lift(Decision::Ambiguous, enforced),
        _ => Decision::Ambiguous,
    }
}

/// The outcome for a session. Where a rule is in shadow, `enrolment` need be known only as far as what is enforced turns on
/// it; what would have been is told without.
#[must_use]
pub fn with_session(
    selection: &Selection<'_>,
    standing: &Standing,
    enrolment: &Enrolment,
    now: SystemTime,
) -> Decision {
    let Some(enforced) = selection.enforced() else {
        return decide(&selection.demands, standing, enrolment, now);
    };
    if !asks_nothing(enforced) {
        let held =
            denied(enforced).unwrap_or_else(|| decide(&enforced.demands, standing, enrolment, now));
        if !matches!(held, Decision::Allow(_)) {
            return held;
        }
    }
    let would_be = denied(selection)
        .unwrap_or_else(|| decide(&selection.demands, standing, &Enrolment::Unknown, now));
    lift(would_be, enforced)
}

fn denied(selection: &Selection<'_>) -> Option<Decision> {
    let denied = Decision::Deny(Reason::AccessDenied);
    selection.is_denied.then_some(denied)
}

/// What would have been refused but for a rule in shadow passes. `_proof` is there only where a rule is.
fn lift(would_be: Decision, _proof: &Enforced<'_>) -> Decision {
    match would_be {
        Decision::Allow(permit) => Decision::Allow(permit),
        refusal => Decision::Allow(Permit {
            grant: Grant::Shadowed(Verdict {
                decision: refusal.as_str(),
                reason: refusal.reason(),
            }),
        }),
    }
}

fn asks_nothing(selection: &Selection<'_>) -> bool {
    !selection.is_denied && selection.demands.is_empty()
}

fn settled(selection: &Selection<'_>, request: &Request) -> Option<Decision> {
    if selection.is_denied {
        Some(Decision::Deny(Reason::AccessDenied))
    } else if request.preflight.is_some() {
        Some(Decision::Allow(Permit {
            grant: Grant::Preflight,
        }))
    } else if selection.demands.is_empty() {
        Some(Decision::Allow(Permit { grant: Grant::Open }))
    } else {
        None
    }
}

/// The outcome for a session that must meet every demand.
#[must_use]
pub fn decide(
    demands: &[Demand],
    standing: &Standing,
    enrolment: &Enrolment,
    now: SystemTime,
) -> Decision {
    let session = match standing {
        Standing::Unavailable { retry_after } => {
            return Decision::Unavailable {
                retry_after: *retry_after,
            };
        }
        Standing::SignedOut => return Decision::Login,
        Standing::SecondFactorDue => return step_up(demands, false),
        Standing::Session(session) => session,
    };
    if session.aal < Aal::Aal1 {
        return Decision::Login;
    }
    match first_shortfall(demands, session, now) {
        None => Decision::Allow(Permit { grant: Grant::Met }),
        Some(shortfall) => challenge(demands, shortfall, enrolment),
    }
}

/// The outcome for whoever changes something in Kratos' settings: all that, and they must have a second factor. Kratos asks
/// for it by itself, so it need not be given yet.
#[must_use]
pub fn decide_change(
    demands: &[Demand],
    standing: &Standing,
    enrolment: &Enrolment,
    now: SystemTime,
) -> Decision {
    let is_due = *standing == Standing::SecondFactorDue;
    let demanded = if is_due && demands.is_empty() {
        Decision::Allow(Permit { grant: Grant::Met })
    } else {
        decide(demands, standing, enrolment, now)
    };
    let given = decide(&[Demand::AAL2], standing, enrolment, now);
    let is_to_give = is_due || *enrolment == Enrolment::Enrolled;
    match (&demanded, &given) {
        (Decision::Allow(_), Decision::StepUp(_)) if is_to_give => demanded,
        (Decision::Allow(_), _) => given,
        _ => demanded,
    }
}

/// Whether what Kratos knows of the second factors set up would change the outcome.
#[must_use]
pub fn turns_on_enrolment(demands: &[Demand], standing: &Standing, now: SystemTime) -> bool {
    let Standing::Session(session) = standing else {
        return false;
    };
    let shortfall = first_shortfall(demands, session, now);
    session.aal >= Aal::Aal1 && matches!(shortfall, Some(Shortfall::Level | Shortfall::Factor(_)))
}

fn challenge(demands: &[Demand], shortfall: Shortfall<'_>, enrolment: &Enrolment) -> Decision {
    match (shortfall, enrolment) {
        (Shortfall::Identity, _) => Decision::Deny(Reason::IdentityNotPermitted),
        (Shortfall::Age, _) => step_up(demands, true),
        (_, Enrolment::Unavailable { retry_after }) => Decision::Unavailable {
            retry_after: *retry_after,
        },
        (Shortfall::Level, Enrolment::NotEnrolled) => Decision::Enrol,
        (Shortfall::Factor(listed), Enrolment::SetUp(present)) if !can_give(listed, present) => {
            Decision::Enrol
        }
        (Shortfall::Level, _) => step_up(demands, false),
        (Shortfall::Factor(_), _) => step_up(demands, true),
    }
}

/// Whether one of the listed factors is set up. A mailed code needs no setting up, so it can always be tried.
fn can_give(listed: &[Factor], present: &[Factor]) -> bool {
    listed
        .iter()
        .any(|factor| *factor == Factor::Code || present.contains(factor))
}

fn step_up(demands: &[Demand], is_stale: bool) -> Decision {
    let max_age = shortest_age(demands);
    Decision::StepUp(StepUp { is_stale, max_age })
}

/// The shortest age that some demand names.
pub(super) fn shortest_age(demands: &[Demand]) -> Option<Duration> {
    demands.iter().filter_map(|demand| demand.max_age).min()
}

#[cfg(test)]
mod tests;
