use proptest::prelude::*;

use super::*;
use crate::domain::{
    claim::Claims,
    credential::CredentialKind,
    decision::{StepUp, decide},
    host::Authority,
    identity_domain::{BaseUrl, IdentityDomain, Refresh},
    marker::NAME,
    origin::{OriginPattern, Origins},
    reason::Reason,
    session::{Enrolment, Factor, Method, Standing},
};

fn domain(enrolment: EnrolmentPolicy) -> IdentityDomain {
    IdentityDomain {
        name: "ciam".into(),
        browser_url: BaseUrl::parse("https://ciam.test").unwrap(),
        cookie: "ory_kratos_session".into(),
        credentials: vec![CredentialKind::Cookie],
        refresh: Refresh::Always,
        enrolment,
        enrol_first: None,
    }
}

fn session(id: &str, aal: Aal) -> Session {
    let completed_at = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000));
    let totp = Method {
        name: "totp".into(),
        aal: Some(Aal::Aal2),
        completed_at,
    };
    Session {
        id: id.into(),
        subject: "i".into(),
        aal,
        methods: vec![totp],
        claims: Claims::default(),
    }
}

/// A browser that holds one marker, and a clock.
struct Tab {
    cookie: String,
    seconds: u64,
    path: &'static str,
    session: Option<Session>,
    client: Client,
    enrolment: EnrolmentPolicy,
}

impl Default for Tab {
    fn default() -> Self {
        Self {
            cookie: String::new(),
            seconds: 1_000_000,
            path: "/transfer",
            session: Some(session("s1", Aal::Aal1)),
            client: Client::Page,
            enrolment: EnrolmentPolicy::Detect,
        }
    }
}

impl Tab {
    fn judge(&mut self, decision: Decision) -> Guarded {
        let domain = domain(self.enrolment);
        let origins = Origins::new([(OriginPattern::parse("https://app.test").unwrap(), 0)]);
        let (origin, domain_id) = origins
            .locate(&Authority::parse(b"app.test").unwrap())
            .unwrap();
        let site = Site {
            origin,
            domain_id,
            domain: &domain,
        };
        let headers = Headers::from_lines(&[("cookie", &self.cookie)]);
        let guarded = Guard {
            secret: &Secret::new(b"not-a-secret-but-long-enough-for-one").unwrap(),
            site: &site,
            path: self.path.as_bytes(),
            headers: &headers,
            client: self.client,
            session: self.session.as_ref(),
            demands: &[fresh()],
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(self.seconds),
        }
        .judge(decision);
        if let Some((_, cookie)) = &guarded.cookie {
            let cookie = cookie.to_str().unwrap();
            self.cookie = cookie.split(';').next().unwrap().to_owned();
        }
        guarded
    }

    /// Whether the challenge is given.
    fn is_given(&mut self, decision: Decision) -> bool {
        let reason = decision.reason();
        let guarded = self.judge(decision).decision.reason();
        assert!(guarded == reason || guarded == Reason::StepUpLoop);
        guarded == reason
    }

    fn row(&mut self, decision: fn() -> Decision, count: usize) -> Vec<bool> {
        (0..count).map(|_| self.is_given(decision())).collect()
    }
}

fn fresh() -> Demand {
    Demand {
        max_age: Some(Duration::from_secs(300)),
        factors: vec![Factor::Totp],
        ..Demand::AAL2
    }
}

fn step_up() -> Decision {
    Decision::StepUp(StepUp {
        is_stale: false,
        max_age: None,
    })
}

fn allow() -> Decision {
    let standing = Standing::Session(session("s1", Aal::Aal2).into());
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    decide(&[Demand::AAL2], &standing, &Enrolment::Unknown, now)
}

#[test]
fn the_fourth_challenge_in_a_row_is_a_loop_and_then_it_starts_anew() {
    for decision in [|| Decision::Login, step_up, || Decision::Enrol] {
        let given = Tab::default().row(decision, 9);
        let [three, four] = [[true, true, true], [false, true, true]];
        assert_eq!(
            given,
            [three, four, [true, false, true]].concat(),
            "{:?}",
            decision()
        );
    }
}

#[test]
fn a_loop_says_what_was_demanded_and_takes_the_marker_away() {
    let mut tab = Tab::default();
    tab.row(step_up, 3);
    let guarded = tab.judge(step_up());
    let expected = Loop {
        outcome: Outcome::StepUp,
        factors: vec![Factor::Totp],
        max_age: Some(Duration::from_secs(300)),
    };
    assert_eq!(guarded.decision, Decision::Loop(expected));
    assert_eq!(tab.cookie, format!("{NAME}="));
}

#[test]
fn another_outcome_path_or_session_starts_anew() {
    let changes: [fn(&mut Tab); 3] = [
        |tab| tab.path = "/payout",
        |tab| tab.session = Some(session("s2", Aal::Aal1)),
        |tab| tab.session = None,
    ];
    for change in changes {
        let mut tab = Tab::default();
        tab.row(step_up, 3);
        change(&mut tab);
        assert_eq!(tab.row(step_up, 4), [true, true, true, false]);
    }
    let mut tab = Tab::default();
    tab.row(step_up, 3);
    assert_eq!(tab.row(|| Decision::Enrol, 4), [true, true, true, false]);
}

#[test]
fn a_pause_or_a_clock_set_back_starts_anew() {
    for (seconds, given) in [
        (120, false),
        (121, true),
        (600, true),
        (-5, false),
        (-6, true),
    ] {
        let mut tab = Tab::default();
        tab.row(step_up, 3);
        tab.seconds = tab.seconds.saturating_add_signed(seconds);
        assert_eq!(tab.is_given(step_up()), given, "{seconds}");
    }
    // The pause is counted from the last challenge, not from the first.
    let mut tab = Tab::default();
    let slow = (0..4).map(|_| {
        tab.seconds += 119;
        tab.is_given(step_up())
    });
    assert_eq!(slow.collect::<Vec<_>>(), [true, true, true, false]);
}

#[test]
fn two_tabs_in_turn_are_no_loop() {
    let mut tab = Tab::default();
    for path in ["/transfer", "/payout"].into_iter().cycle().take(40) {
        tab.path = path;
        assert!(tab.is_given(step_up()), "{path}");
    }
}

#[test]
fn only_a_page_that_is_challenged_keeps_count() {
    for client in Client::ALL
        .into_iter()
        .filter(|client| *client != Client::Page)
    {
        let mut tab = Tab {
            client,
            ..Tab::default()
        };
        assert!(tab.row(step_up, 6).iter().all(|given| *given), "{client:?}");
        assert_eq!(tab.cookie, "", "{client:?}");
    }
    let mut refusing = Tab {
        enrolment: EnrolmentPolicy::Refuse,
        ..Tab::default()
    };
    refusing.row(|| Decision::Enrol, 6);
    let mut tab = Tab::default();
    tab.row(|| Decision::Deny(Reason::AccessDenied), 6);
    tab.row(|| Decision::Unavailable { retry_after: None }, 6);
    assert_eq!((&*refusing.cookie, &*tab.cookie), ("", ""));
}

#[test]
fn a_script_leaves_a_pages_marker_alone() {
    let mut tab = Tab::default();
    tab.row(step_up, 3);
    tab.client = Client::Script;
    assert!(tab.is_given(step_up()));
    tab.client = Client::Page;
    assert!(!tab.is_given(step_up()));
}

#[test]
fn an_allow_of_the_path_takes_the_marker_away_and_tells_a_step_up_completed() {
    type Challenge = fn() -> Decision;
    let cases: [(Challenge, Option<&str>, bool); 4] = [
        (step_up, Some("s1"), true),
        // Kratos hid the session until its second factor was given.
        (step_up, None, true),
        (|| Decision::Login, None, false),
        (|| Decision::Enrol, Some("s1"), false),
    ];
    for (challenge, before, is_step_up_completed) in cases {
        let mut tab = Tab {
            session: before.map(|id| session(id, Aal::Aal1)),
            ..Tab::default()
        };
        tab.judge(challenge());
        tab.session = Some(session("s1", Aal::Aal2));
        tab.seconds += 599;
        let guarded = tab.judge(allow());
        assert_eq!(
            guarded.is_step_up_completed, is_step_up_completed,
            "{before:?}"
        );
        assert_eq!(tab.cookie, format!("{NAME}="), "{before:?}");
        assert_eq!(tab.judge(allow()).cookie, None, "once");
    }
}

#[test]
fn an_allow_elsewhere_or_of_somebody_else_leaves_the_marker() {
    let changes: [fn(&mut Tab); 3] = [
        |tab| tab.path = "/account",
        |tab| tab.session = Some(session("s2", Aal::Aal2)),
        |tab| tab.seconds += 601,
    ];
    for change in changes {
        let mut tab = Tab::default();
        tab.judge(step_up());
        tab.session = Some(session("s1", Aal::Aal2));
        change(&mut tab);
        let guarded = tab.judge(allow());
        assert_eq!(
            (guarded.cookie, guarded.is_step_up_completed),
            (None, false)
        );
    }
}

#[test]
fn a_session_without_a_second_factor_completed_none() {
    let mut tab = Tab::default();
    tab.judge(step_up());
    let guarded = tab.judge(allow());
    assert!(guarded.cookie.is_some() && !guarded.is_step_up_completed);
}

proptest! {
    #[test]
    fn no_cookie_makes_a_loop_or_a_completion(value in proptest::collection::vec(any::<char>(), 0..100)) {
        let value: String = value.into_iter().collect();
        let mut tab = Tab { cookie: format!("{NAME}={value}"), ..Tab::default() };
        prop_assert!(!tab.judge(allow()).is_step_up_completed);
        prop_assert_eq!(tab.row(step_up, 4), [true, true, true, false]);
    }
}
