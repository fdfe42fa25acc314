//! What a rule in shadow lifts, and what stays enforced.

use super::*;
use crate::domain::{
    host::Host,
    path::{Path, PathOptions},
    pattern::{Methods, PathPattern},
    rule::{Mode, Requirement, Rule},
    rule_set::RuleSet,
};

fn rule(path: &str, requirement: Requirement, mode: Mode) -> Rule {
    Rule {
        id: path.trim_matches(['/', '*']).into(),
        hosts: vec![],
        paths: vec![PathPattern::parse(path).unwrap()],
        methods: Methods::All,
        requirement,
        mode,
        return_to: None,
        resume: false,
        cache: None,
    }
}

/// What comes of a request for `/a/b`: with a rule for it in shadow, over what is enforced, and with what the route asks.
fn under_shadow(
    shadow: Requirement,
    below: Requirement,
    route: &Requirement,
    standing: &Standing,
) -> (&'static str, Option<&'static str>) {
    let rules = vec![
        rule("/a/**", below, Mode::Enforce),
        rule("/a/b", shadow, Mode::Shadow),
    ];
    let rules = RuleSet::new(rules, Requirement::Deny).unwrap();
    let path = Path::parse(b"/a/b", PathOptions::default()).unwrap();
    let host = Host::parse(b"app.test").unwrap();
    let mut selection = rules.select(&host, &path, &http::Method::GET);
    selection.add(route);
    let decision = with_session(&selection, standing, &Enrolment::NotEnrolled, now());
    let lifted = decision.lifted().map(|verdict| verdict.reason.as_str());
    (decision.reason().as_str(), lifted)
}

/// Each: the rule in shadow, what is enforced below it, what the route asks, who asks, and what they hear.
type Shadowed<'a> = (
    Requirement,
    Requirement,
    Requirement,
    &'a Standing,
    (&'static str, Option<&'static str>),
);

fn all_under_shadow<const N: usize>(table: [Shadowed<'_>; N]) {
    for (shadow, below, route, standing, expected) in table {
        let words = format!("{shadow} over {below}, {route} on the route, {standing:?}");
        let heard = under_shadow(shadow, below, &route, standing);
        assert_eq!(heard, expected, "{words}");
    }
}

#[test]
fn a_rule_in_shadow_lifts_its_own_demand_and_no_other() {
    let proven = aal2(300);
    let session = || Requirement::Session(Demand::SESSION);
    let aal2 = || Requirement::Session(Demand::AAL2);
    let (open, deny) = (|| Requirement::None, || Requirement::Deny);
    let down = Standing::Unavailable { retry_after: None };
    let out = Standing::SignedOut;
    let shadowed = |reason| ("shadowed", Some(reason));
    let table = [
        (aal2(), open(), open(), &out, shadowed("session_inactive")),
        (
            aal2(),
            open(),
            open(),
            &down,
            shadowed("kratos_unavailable"),
        ),
        // Nobody is asked whether there is a factor to give.
        (
            aal2(),
            open(),
            open(),
            &aal1(),
            shadowed("session_aal2_required"),
        ),
        (aal2(), open(), open(), &proven, ("session_ok", None)),
        (
            deny(),
            open(),
            session(),
            &aal1(),
            shadowed("access_denied"),
        ),
        (deny(), open(), session(), &out, ("session_inactive", None)),
    ];
    all_under_shadow(table);
}

#[test]
fn what_is_enforced_below_a_rule_in_shadow_or_on_the_route_stays() {
    let proven = aal2(300);
    let session = || Requirement::Session(Demand::SESSION);
    let aal2 = || Requirement::Session(Demand::AAL2);
    let (open, deny) = (|| Requirement::None, || Requirement::Deny);
    let down = Standing::Unavailable { retry_after: None };
    let out = Standing::SignedOut;
    let shadowed = |reason| ("shadowed", Some(reason));
    let table = [
        (aal2(), session(), open(), &out, ("session_inactive", None)),
        (
            aal2(),
            session(),
            open(),
            &down,
            ("kratos_unavailable", None),
        ),
        (
            aal2(),
            session(),
            open(),
            &aal1(),
            shadowed("session_aal2_required"),
        ),
        (aal2(), deny(), open(), &proven, ("access_denied", None)),
        (
            open(),
            aal2(),
            open(),
            &aal1(),
            ("session_aal2_enrolment_required", None),
        ),
        (session(), aal2(), open(), &proven, ("session_ok", None)),
        // What the route asks.
        (aal2(), open(), session(), &out, ("session_inactive", None)),
        (
            session(),
            open(),
            aal2(),
            &aal1(),
            ("session_aal2_enrolment_required", None),
        ),
        (aal2(), open(), deny(), &proven, ("access_denied", None)),
        (
            Requirement::Session(fresh(60)),
            open(),
            aal2(),
            &proven,
            shadowed("session_refresh_required"),
        ),
    ];
    all_under_shadow(table);
}
