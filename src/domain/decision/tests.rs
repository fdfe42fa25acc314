mod shadow;

use std::{slice, sync::Arc};

use super::*;
use crate::domain::{
    claim::{Claim, Claims, Pointer, Scalar},
    rule::IdentityTest,
    session::{Method, Session},
};

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000)
}

fn ago(seconds: u64) -> Option<SystemTime> {
    Some(now() - Duration::from_secs(seconds))
}

fn method(name: &'static str, aal: Aal, completed_at: Option<SystemTime>) -> Method {
    Method {
        name: name.into(),
        aal: Some(aal),
        completed_at,
    }
}

fn session(aal: Aal, methods: Vec<Method>) -> Standing {
    Standing::Session(Arc::new(Session {
        id: "s".into(),
        subject: "i".into(),
        aal,
        methods,
        claims: Claims::default(),
    }))
}

fn aal1() -> Standing {
    session(Aal::Aal1, vec![method("password", Aal::Aal1, ago(10))])
}

/// An AAL2 session whose TOTP was given so many seconds ago.
fn aal2(age: u64) -> Standing {
    session(
        Aal::Aal2,
        vec![
            method("password", Aal::Aal1, ago(9000)),
            method("totp", Aal::Aal2, ago(age)),
        ],
    )
}

fn fresh(seconds: u64) -> Demand {
    Demand {
        max_age: Some(Duration::from_secs(seconds)),
        ..Demand::AAL2
    }
}

fn factors(factors: &[Factor]) -> Demand {
    Demand {
        factors: factors.to_vec(),
        ..Demand::AAL2
    }
}

fn word(demands: &[Demand], standing: &Standing, enrolment: &Enrolment) -> &'static str {
    decide(demands, standing, enrolment, now())
        .reason()
        .as_str()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table, read as one")]
fn every_session_under_every_requirement() {
    let down = Standing::Unavailable { retry_after: None };
    let aal0 = session(Aal::Aal0, vec![]);
    let (has, none) = (Enrolment::Enrolled, Enrolment::NotEnrolled);
    let table = [
        (Demand::SESSION, &down, &has, "kratos_unavailable"),
        (Demand::AAL2, &down, &has, "kratos_unavailable"),
        (
            Demand::SESSION,
            &Standing::SignedOut,
            &has,
            "session_inactive",
        ),
        (Demand::AAL2, &Standing::SignedOut, &has, "session_inactive"),
        (Demand::SESSION, &aal0, &has, "session_inactive"),
        (Demand::AAL2, &aal0, &has, "session_inactive"),
        (
            Demand::SESSION,
            &Standing::SecondFactorDue,
            &has,
            "session_aal2_required",
        ),
        (
            Demand::AAL2,
            &Standing::SecondFactorDue,
            &has,
            "session_aal2_required",
        ),
        (Demand::SESSION, &aal1(), &has, "session_ok"),
        (Demand::AAL2, &aal1(), &has, "session_aal2_required"),
        (
            Demand::AAL2,
            &aal1(),
            &none,
            "session_aal2_enrolment_required",
        ),
        (
            Demand::AAL2,
            &aal1(),
            &Enrolment::Unknown,
            "session_aal2_required",
        ),
        (
            Demand::AAL2,
            &aal1(),
            &Enrolment::Unavailable { retry_after: None },
            "kratos_unavailable",
        ),
        (Demand::SESSION, &aal2(9000), &has, "session_ok"),
        (Demand::AAL2, &aal2(9000), &has, "session_ok"),
        (fresh(300), &aal2(300), &has, "session_ok"),
        (fresh(300), &aal2(301), &has, "session_refresh_required"),
        (
            fresh(300),
            &aal1(),
            &none,
            "session_aal2_enrolment_required",
        ),
    ];
    for (demand, standing, enrolment, expected) in table {
        assert_eq!(
            word(slice::from_ref(&demand), standing, enrolment),
            expected,
            "{demand:?} on {standing:?}"
        );
    }
}

#[test]
fn only_a_listed_factor_counts() {
    let totp_set_up = Enrolment::SetUp(vec![Factor::Totp]);
    let both_set_up = Enrolment::SetUp(vec![Factor::Totp, Factor::Webauthn]);
    let table = [
        (factors(&[Factor::Totp]), &Enrolment::Unknown, "session_ok"),
        (
            factors(&[Factor::Totp, Factor::Webauthn]),
            &Enrolment::Unknown,
            "session_ok",
        ),
        (
            factors(&[Factor::Webauthn]),
            &Enrolment::Unknown,
            "session_refresh_required",
        ),
        (
            factors(&[Factor::Webauthn]),
            &both_set_up,
            "session_refresh_required",
        ),
        (
            factors(&[Factor::Webauthn]),
            &totp_set_up,
            "session_aal2_enrolment_required",
        ),
        (
            factors(&[Factor::Code]),
            &totp_set_up,
            "session_refresh_required",
        ),
        (
            Demand {
                max_age: Some(Duration::from_secs(60)),
                ..factors(&[Factor::Totp])
            },
            &both_set_up,
            "session_refresh_required",
        ),
    ];
    for (demand, enrolment, expected) in table {
        assert_eq!(
            word(slice::from_ref(&demand), &aal2(90), enrolment),
            expected,
            "{demand:?} with {enrolment:?}"
        );
    }
}

#[test]
fn a_completion_that_cannot_be_read_or_lies_ahead_is_not_fresh() {
    let at = |completed_at| session(Aal::Aal2, vec![method("totp", Aal::Aal2, completed_at)]);
    let ahead = |seconds| at(Some(now() + Duration::from_secs(seconds)));
    assert_eq!(
        word(&[fresh(300)], &at(None), &Enrolment::Unknown),
        "session_refresh_required"
    );
    assert_eq!(
        word(&[fresh(300)], &ahead(30), &Enrolment::Unknown),
        "session_ok"
    );
    assert_eq!(
        word(&[fresh(300)], &ahead(31), &Enrolment::Unknown),
        "session_refresh_required"
    );
    let methodless = session(Aal::Aal2, vec![]);
    assert_eq!(
        word(&[fresh(300)], &methodless, &Enrolment::Unknown),
        "session_refresh_required"
    );
    assert_eq!(
        word(&[Demand::AAL2], &methodless, &Enrolment::Unknown),
        "session_ok"
    );
}

#[test]
fn the_newest_second_factor_counts_and_a_first_factor_never() {
    let methods = vec![
        method("totp", Aal::Aal2, ago(900)),
        method("lookup_secret", Aal::Aal2, ago(10)),
        method("password", Aal::Aal1, ago(1)),
    ];
    let standing = session(Aal::Aal2, methods);
    assert_eq!(
        word(&[fresh(60)], &standing, &Enrolment::Unknown),
        "session_ok"
    );
    assert_eq!(
        word(&[fresh(5)], &standing, &Enrolment::Unknown),
        "session_refresh_required"
    );
}

#[test]
fn every_demand_must_be_met() {
    assert_eq!(
        word(
            &[Demand::SESSION, Demand::AAL2],
            &aal1(),
            &Enrolment::Unknown
        ),
        "session_aal2_required"
    );
    assert_eq!(
        word(&[fresh(600), fresh(60)], &aal2(300), &Enrolment::Unknown),
        "session_refresh_required"
    );
    let decision = decide(
        &[fresh(600), fresh(60)],
        &aal1(),
        &Enrolment::Unknown,
        now(),
    );
    assert_eq!(
        decision,
        Decision::StepUp(StepUp {
            is_stale: false,
            max_age: Some(Duration::from_secs(60))
        })
    );
}

#[test]
fn enrolment_is_asked_only_where_it_can_change_the_answer() {
    let asks = |demand: Demand, standing: &Standing| turns_on_enrolment(&[demand], standing, now());
    assert!(asks(Demand::AAL2, &aal1()));
    assert!(asks(factors(&[Factor::Webauthn]), &aal2(1)));
    assert!(!asks(Demand::SESSION, &aal1()));
    assert!(!asks(Demand::AAL2, &aal2(1)));
    assert!(!asks(fresh(300), &aal2(301)));
    assert!(!asks(Demand::AAL2, &Standing::SecondFactorDue));
    assert!(!asks(Demand::AAL2, &Standing::SignedOut));
    assert!(!asks(Demand::AAL2, &session(Aal::Aal0, vec![])));
}

#[test]
fn identity_is_looked_at_once_the_level_is_met() {
    let role = || Pointer::parse("/metadata_public/role").unwrap();
    let admin = || Scalar::Text("admin".into());
    let test = IdentityTest {
        pointer: role(),
        values: vec![admin()],
    };
    let demand = Demand {
        identity: vec![test],
        ..fresh(300)
    };
    let with = |standing: Standing, claim: Option<Claim>| match standing {
        Standing::Session(session) => Standing::Session(Arc::new(Session {
            claims: Claims::new(claim.into_iter().map(|claim| (role(), claim)).collect()),
            ..(*session).clone()
        })),
        other => other,
    };
    let said = |standing, claim| {
        word(
            slice::from_ref(&demand),
            &with(standing, claim),
            &Enrolment::Unknown,
        )
    };
    let one = |text: &str| Some(Claim::One(Scalar::Text(text.into())));
    assert_eq!(said(aal1(), None), "session_aal2_required");
    assert_eq!(said(aal2(900), None), "session_refresh_required");
    assert_eq!(said(aal2(1), None), "identity_not_permitted");
    assert_eq!(said(aal2(1), one("viewer")), "identity_not_permitted");
    assert_eq!(said(aal2(1), one("Admin")), "identity_not_permitted");
    assert_eq!(said(aal2(1), one("admin")), "session_ok");
    let many = Claim::Many(vec![None, Some(admin())]);
    assert_eq!(said(aal2(1), Some(many)), "session_ok");
    let demands = [demand.clone(), fresh(5)];
    let stale = with(aal2(100), one("viewer"));
    assert_eq!(
        word(&demands, &stale, &Enrolment::Unknown),
        "session_refresh_required"
    );
}

#[test]
fn a_change_of_settings_takes_a_second_factor_given_or_due() {
    let unavailable = Standing::Unavailable { retry_after: None };
    let away = Enrolment::Unavailable { retry_after: None };
    let set_up = Enrolment::SetUp(vec![]);
    let cases = [
        (&Standing::SignedOut, &Enrolment::Unknown, "login"),
        (&session(Aal::Aal0, vec![]), &Enrolment::Enrolled, "login"),
        (&unavailable, &Enrolment::Enrolled, "unavailable"),
        (&Standing::SecondFactorDue, &Enrolment::Unknown, "allow"),
        (&aal1(), &Enrolment::NotEnrolled, "enrol"),
        (&aal1(), &Enrolment::Enrolled, "allow"),
        (&aal1(), &Enrolment::Unknown, "step_up"),
        (&aal1(), &set_up, "step_up"),
        (&aal1(), &away, "unavailable"),
        (&aal2(9000), &Enrolment::Unknown, "allow"),
    ];
    for (standing, enrolment, wanted) in cases {
        let decision = decide_change(&[], standing, enrolment, now());
        assert_eq!(decision.as_str(), wanted, "{standing:?} {enrolment:?}");
    }
    for demand in [Demand::AAL2, fresh(60)] {
        for (standing, enrolment, _) in &cases {
            let own = decide(slice::from_ref(&demand), standing, enrolment, now());
            let change = decide_change(slice::from_ref(&demand), standing, enrolment, now());
            assert_eq!(change, own, "what is demanded besides holds too");
        }
    }
}
