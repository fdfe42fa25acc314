//! A rule in shadow changes no answer: whoever passes with it passes without it, and nobody else. What it tells of a request
//! is what it would do, were it enforced.

use std::sync::LazyLock;

use proptest::prelude::*;
use stepgate::{
    authorizer::{Answer, Authorizer},
    domain::{
        decision::{Grant, Verdict},
        reply::Reply,
        session::Enrolment,
    },
};

use super::{
    answers::{CONFIG, check, of},
    requests::{enrolment, facts, standing},
};

/// Rules that are put in shadow: all of them, some that lie above enforced ones, some below.
const SHADOWS: [&[&str]; 4] = [
    &[
        "home", "assets", "transfer", "fresh", "email", "users", "admin", "closed", "wild",
    ],
    &["transfer", "closed", "email"],
    &["fresh", "wild", "users"],
    &["admin", "assets"],
];

/// One Stepgate three times: some of its rules are in shadow, enforced, or not there.
struct Trio {
    shadow: Authorizer,
    enforced: Authorizer,
    without: Authorizer,
    rules: &'static [&'static str],
}

static TRIOS: LazyLock<Vec<Trio>> = LazyLock::new(|| {
    let trio = |rules: &'static [&'static str]| Trio {
        shadow: of(&edited(rules, |line| {
            line.replace(" }\n", ", mode: shadow }\n")
        }))
        .0,
        enforced: of(&edited(rules, |line| {
            line.replace(" }\n", ", mode: enforce }\n")
        }))
        .0,
        without: of(&edited(rules, |_| String::new())).0,
        rules,
    };
    SHADOWS.into_iter().map(trio).collect()
});

/// The configuration with these rules edited.
fn edited(rules: &[&str], edit: impl Fn(&str) -> String) -> String {
    let is_one = |line: &str| {
        let mut ids = rules.iter();
        ids.any(|id| line.starts_with(&format!("  - {{ id: {id},")))
    };
    let lines = CONFIG.split_inclusive('\n');
    let lines = lines.map(|line| {
        if is_one(line) {
            edit(line)
        } else {
            line.to_owned()
        }
    });
    let edited: String = lines.collect();
    if edited.contains("  - ") {
        edited
    } else {
        edited.replace("rules:\n", "rules: []\n")
    }
}

/// What a refusal was, as far as another can be held against it.
fn refused(answer: &Answer) -> Option<String> {
    match &answer.reply {
        Reply::Through(_) => None,
        Reply::Refused(refusal) => Some(format!("{} {} {refusal:?}", answer.decision, answer.rule)),
    }
}

fn verdict(answer: &Answer) -> (&'static str, &'static str) {
    (answer.decision, answer.reason)
}

proptest! {
    #[test]
    fn a_rule_in_shadow_refuses_nobody_lets_nobody_pass_and_tells_what_it_would_do(
        facts in facts(), standing in standing(), enrolment in enrolment(), place in 0..SHADOWS.len(),
    ) {
        let trio = &TRIOS[place];
        let answer = trio.shadow.suppose(&facts, standing.clone(), &enrolment);
        check(&answer);
        let without = trio.without.suppose(&facts, standing.clone(), &enrolment);
        // Each answer draws a request id where the request has none.
        let is_named = facts.headers.first(b"x-request-id") == Some(b"id-1".as_slice());
        if is_named {
            prop_assert_eq!(refused(&answer), refused(&without));
        }
        prop_assert_eq!(refused(&answer).is_some(), refused(&without).is_some());
        // Nobody asks for factors on behalf of a rule in shadow.
        let enforced = trio.enforced.suppose(&facts, standing, &Enrolment::Unknown);
        if let Reply::Through(through) = &answer.reply {
            match (answer.lifted, through.permit.grant()) {
                (Some(Verdict { decision, reason }), Grant::Shadowed(_)) => {
                    prop_assert_eq!((decision, reason.as_str()), verdict(&enforced));
                    prop_assert_eq!(verdict(&answer), ("allow", "shadowed"));
                    prop_assert_eq!(&answer.rule, &enforced.rule);
                }
                (None, grant) => {
                    prop_assert!(!matches!(grant, Grant::Shadowed(_)));
                    prop_assert!(refused(&enforced).is_none());
                }
                (Some(_), grant) => prop_assert!(false, "{grant:?}"),
            }
        } else {
            prop_assert_eq!(answer.lifted, None);
        }
    }
}

#[test]
fn every_rule_that_is_meant_is_edited() {
    for trio in TRIOS.iter() {
        let count = |authorizer: &Authorizer| authorizer.snapshot().policy.rules.rules().len();
        let all = count(&trio.shadow);
        assert_eq!(all, 9);
        assert_eq!(count(&trio.without), all - trio.rules.len());
    }
}
