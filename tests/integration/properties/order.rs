//! More shown is never answered worse, and more asked is never looser.

use std::time::Duration;

use proptest::prelude::*;
use stepgate::domain::{
    reply::Reply,
    request::Facts,
    session::{Aal, Enrolment, Session, Standing},
};

use super::{
    answers::{now, world},
    requests::{enrolment, facts, session},
};

/// Whether these facts pass with this session, and how far from it they are.
fn answer(facts: &Facts, session: Session, enrolment: &Enrolment) -> (bool, &'static str) {
    let answer = world()
        .0
        .suppose(facts, Standing::Session(session.into()), enrolment);
    (matches!(answer.reply, Reply::Through(_)), answer.decision)
}

proptest! {
    #[test]
    fn a_higher_level_is_never_answered_worse(facts in facts(), session in session(), enrolment in enrolment()) {
        let at = |aal| answer(&facts, Session { aal, ..session.clone() }, &enrolment);
        let levels = [Aal::Aal0, Aal::Aal1, Aal::Aal2].map(at);
        for ((passed, word), (passes, better)) in levels.iter().zip(&levels[1..]) {
            prop_assert!(passes >= passed);
            prop_assert!(*better != "login" || *word == "login", "{} then {}", word, better);
        }
    }

    #[test]
    fn a_fresher_factor_is_never_answered_worse(
        facts in facts(), session in session(), enrolment in enrolment(), sooner in 0..500_u64,
    ) {
        let before = answer(&facts, session.clone(), &enrolment);
        let mut fresher = session;
        for at in fresher.methods.iter_mut().filter_map(|method| method.completed_at.as_mut()) {
            if *at <= now() {
                *at = now().min(*at + Duration::from_secs(sooner));
            }
        }
        prop_assert!(answer(&facts, fresher, &enrolment).0 >= before.0);
    }

    #[test]
    fn an_extension_never_opens_a_door(
        facts in facts(), session in session(), enrolment in enrolment(),
        key in prop::sample::select(&["require", "max_age", "other", "theirs"][..]),
        value in prop::sample::select(&["session", "aal2", "deny", "1m", "1000h", "none", "0s"][..]),
    ) {
        let before = answer(&facts, session.clone(), &enrolment);
        let mut tighter = facts;
        tighter.context.push((key.into(), value.into()));
        prop_assert!(answer(&tighter, session, &enrolment).0 <= before.0);
    }
}
