//! A plain reading of the rules, to hold the compiled one against.

use std::time::Duration;

use stepgate::domain::{
    policy::Policy,
    request::{Facts, Request},
    rule::{Demand, Requirement},
    session::{Aal, Method, Session},
};

use super::answers::now;

/// What a request must meet, read off the rules one by one: `None` where nobody passes.
pub(super) fn asked(policy: &Policy, facts: &Facts) -> Option<(Request, Vec<Demand>)> {
    let request = Request::parse(facts, policy.paths).ok()?;
    policy.locate(&request.authority)?;
    let mut demands = Vec::new();
    for reading in std::iter::once(request.path.whole()).chain(request.path.cuts()) {
        let rank = |rule: &&_| {
            stepgate::domain::rule::Rule::rank(
                rule,
                &request.authority.host,
                reading,
                request.judged_method(),
            )
        };
        let best = policy
            .rules
            .rules()
            .iter()
            .filter(|rule| rank(rule).is_some())
            .max_by_key(|rule| rank(rule));
        match best.map(|rule| &rule.requirement) {
            Some(Requirement::Deny) => return None,
            Some(Requirement::None) => {}
            Some(Requirement::Session(demand)) => demands.push(demand.clone()),
            None => demands.push(Demand::SESSION),
        }
    }
    for (key, value) in &facts.context {
        match (&**key, &**value) {
            (b"theirs", _) => {}
            (b"require", b"session") => demands.push(Demand::SESSION),
            (b"require", b"aal2") => demands.push(Demand::AAL2),
            (b"max_age", age) => {
                let text = std::str::from_utf8(age).ok()?;
                let age = stepgate::domain::duration::parse_duration(text).ok()?;
                demands.push(Demand {
                    max_age: Some(age),
                    ..Demand::AAL2
                });
            }
            _ => return None,
        }
    }
    Some((request, demands))
}

/// Whether this session shows what is demanded.
pub(super) fn meets(session: &Session, demand: &Demand) -> bool {
    let counts = |method: &&Method| {
        let is_listed = demand
            .factors
            .iter()
            .any(|factor| factor.as_str() == &*method.name);
        method.aal == Some(Aal::Aal2) && (demand.factors.is_empty() || is_listed)
    };
    let factors: Vec<_> = session.methods.iter().filter(counts).collect();
    let is_fresh = |age: Duration| {
        let recent = |method: &&Method| {
            method
                .completed_at
                .is_some_and(|at| at + age >= now() && at <= now() + Duration::from_secs(30))
        };
        factors.iter().any(recent)
    };
    let second = demand.aal < Aal::Aal2
        || (demand.factors.is_empty() || !factors.is_empty())
            && demand.max_age.is_none_or(is_fresh);
    session.aal >= Aal::Aal1
        && session.aal >= demand.aal
        && second
        && demand
            .identity
            .iter()
            .all(|test| test.is_met(&session.claims))
}
