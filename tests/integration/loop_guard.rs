//! A page that goes in circles is told why: over Envoy's door, and as a browser sees it through a real Envoy.

use std::{fs, time::Duration};

use demo::{
    kratos::{RequiredAal, SessionCookie},
    stage::{Stage, StageOptions, people},
    story::{Answer, Browser, Http},
};
use http::header::SET_COOKIE;

use crate::{
    gate::{Gate, Heard},
    http::ask,
};

const RULES: &str = "
  - { id: account, match: { path: /account/** }, require: session }
  - { id: transfer, match: { path: /transfer/** }, require: aal2 }
  - { id: payout, match: { path: /payout }, require: { max_age: 60s, factors: [totp] } }
";
const CLEARED: &str = "stepgate_marker=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure";

/// A browser's tabs: the session and the marker that they share.
struct Tabs<'a> {
    gate: &'a Gate,
    session: Option<&'a SessionCookie>,
    marker: Option<String>,
}

impl<'a> Tabs<'a> {
    fn new(gate: &'a Gate, session: Option<&'a SessionCookie>) -> Self {
        Self {
            gate,
            session,
            marker: None,
        }
    }

    async fn open(&mut self, target: &str) -> Heard {
        let session = self.session.map(SessionCookie::header);
        let cookies: Vec<_> = session.into_iter().chain(self.marker.clone()).collect();
        let headers = [("accept", "text/html"), ("cookie", &cookies.join("; "))];
        let heard = self.gate.ask("GET", "app.test", target, &headers).await;
        assert!(heard.set_cookies.len() < 2, "{heard:?}");
        if let Some(cookie) = heard.set_cookies.first() {
            let is_cleared = cookie == CLEARED;
            let pair = cookie.split(';').next().unwrap().to_owned();
            self.marker = Some(pair).filter(|_| !is_cleared);
        }
        heard
    }

    /// The statuses of so many visits.
    async fn visit(&mut self, target: &str, times: usize) -> Vec<i32> {
        let mut statuses = Vec::new();
        for _ in 0..times {
            statuses.push(self.open(target).await.status);
        }
        statuses
    }
}

#[tokio::test]
async fn the_fourth_challenge_is_a_page_and_trying_again_starts_anew() {
    let gate = Gate::start(RULES).await;
    let totp = gate.double.sign_in("totp@app.test").unwrap();
    let plain = gate.double.sign_in("plain@app.test").unwrap();
    for (session, words) in [
        (None, "session.cookie.domain"),
        (Some(&totp), "The confirmation was not finished."),
        (Some(&plain), "Nothing was set up."),
    ] {
        let mut tabs = Tabs::new(&gate, session);
        assert_eq!(tabs.visit("/transfer?to=1", 3).await, [303; 3]);
        let looped = tabs.open("/transfer?to=1").await;
        assert_eq!((looped.code, looped.status), (7, 403));
        assert_eq!((looped.reason(), looped.location()), ("step_up_loop", ""));
        assert_eq!(looped.set_cookies, [CLEARED]);
        assert!(looped.body.contains(words), "{}", looped.body);
        let again = tabs.visit("/transfer?to=1", 4).await;
        assert_eq!(again, [303, 303, 303, 403], "{words}");
    }
}

#[tokio::test]
async fn a_challenge_sets_a_marker_that_scripts_never_get() {
    let gate = Gate::start(RULES).await;
    let heard = gate.page("/transfer", None).await;
    let [cookie] = &*heard.set_cookies else {
        panic!("{heard:?}");
    };
    let attributes = "; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure";
    assert!(cookie.starts_with("stepgate_marker=") && cookie.ends_with(attributes));
    assert!(cookie.len() < 200);
    let script = [("accept", "application/json")];
    let heard = gate.ask("GET", "app.test", "/transfer", &script).await;
    assert_eq!(heard.set_cookies, [""; 0]);
}

#[tokio::test]
async fn a_page_that_says_which_factor_counts_and_how_fresh() {
    let gate = Gate::start(RULES).await;
    let aal1 = gate.double.sign_in("totp@app.test").unwrap();
    let aal2 = gate.double.step_up(&aal1, "totp").unwrap();
    gate.double.age_methods(&aal2, Duration::from_secs(61));
    let mut tabs = Tabs::new(&gate, Some(&aal2));
    tabs.visit("/payout", 3).await;
    let body = tabs.open("/payout").await.body;
    let words = "This page needs a code from an authenticator app, given at most 1 minute ago.";
    assert!(
        body.contains(words) && body.contains("the clocks differ"),
        "{body}"
    );
}

#[tokio::test]
async fn a_pause_of_two_minutes_starts_anew() {
    let gate = Gate::start(RULES).await;
    let mut tabs = Tabs::new(&gate, None);
    tabs.visit("/transfer", 3).await;
    gate.double.clock().advance(Duration::from_secs(121));
    assert_eq!(tabs.visit("/transfer", 4).await, [303, 303, 303, 403]);
}

#[tokio::test]
async fn two_tabs_in_turn_are_no_loop() {
    let gate = Gate::start(RULES).await;
    let mut tabs = Tabs::new(&gate, None);
    for _ in 0..8 {
        assert_eq!(tabs.open("/transfer").await.status, 303);
        assert_eq!(tabs.open("/payout").await.status, 303);
    }
}

#[tokio::test]
async fn a_step_up_that_is_done_takes_the_marker_away_on_its_own_path() {
    for mode in [RequiredAal::Aal1, RequiredAal::HighestAvailable] {
        let gate = Gate::start_with(RULES, mode).await;
        let aal1 = gate.double.sign_in("totp@app.test").unwrap();
        let mut tabs = Tabs::new(&gate, Some(&aal1));
        tabs.visit("/transfer", 2).await;
        let aal2 = gate.double.step_up(&aal1, "totp").unwrap();
        tabs.session = Some(&aal2);
        for elsewhere in ["/account", "/transfer/other", "/"] {
            let heard = tabs.open(elsewhere).await;
            assert_eq!(
                (heard.status, heard.set_cookies.len()),
                (200, 0),
                "{elsewhere}"
            );
        }
        let done = tabs.open("/transfer").await;
        assert_eq!(
            (done.status, &*done.set_cookies),
            (200, &[CLEARED.to_owned()][..])
        );
        assert_eq!(tabs.open("/transfer").await.set_cookies, [""; 0]);
    }
}

#[tokio::test]
async fn a_marker_is_no_use_to_another_session() {
    let gate = Gate::start(RULES).await;
    let one = gate.double.sign_in("totp@app.test").unwrap();
    let other = gate.double.sign_in("totp@app.test").unwrap();
    let mut tabs = Tabs::new(&gate, Some(&one));
    tabs.visit("/transfer", 3).await;
    let stolen = tabs.marker.clone();
    let mut theirs = Tabs::new(&gate, Some(&other));
    theirs.marker = stolen.clone();
    assert_eq!(theirs.open("/transfer").await.status, 303);
    let aal2 = gate.double.step_up(&other, "totp").unwrap();
    theirs.session = Some(&aal2);
    theirs.marker = stolen;
    assert_eq!(theirs.open("/transfer").await.set_cookies, [""; 0]);
}

#[tokio::test]
async fn the_http_door_keeps_the_same_count() {
    let gate = Gate::start(RULES).await;
    let aal1 = gate.double.sign_in("totp@app.test").unwrap();
    let aal2 = gate.double.step_up(&aal1, "totp").unwrap();
    let mut tabs = Tabs::new(&gate, None);
    tabs.visit("/account", 3).await;
    let marker = tabs.marker.unwrap();
    let session = format!("{marker}; {}", aal2.header());
    for (cookies, status) in [(marker, 403), (session, 200)] {
        let headers = [
            ("host", "app.test"),
            ("accept", "text/html"),
            ("cookie", &cookies),
        ];
        let answer = ask(gate.http, "GET", "/ext-authz/account", &headers).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("set-cookie"), Some(CLEARED));
    }
}

/// The log, once it holds so many audit lines: a line is written a moment after its check.
async fn log_with(stage: &Stage, lines: usize) -> String {
    let file = stage.folder().join("stepgate.log");
    let read = async {
        loop {
            let log = fs::read_to_string(&file).unwrap();
            if audit(&log).len() >= lines {
                return log;
            }
            tokio::task::yield_now().await;
        }
    };
    let patience = Duration::from_secs(20);
    tokio::time::timeout(patience, read).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_gets_every_cookie_through_a_real_envoy() {
    let stage = Stage::start(StageOptions::default()).await.unwrap();
    for http in [Http::One, Http::Two] {
        in_circles_and_out(&stage, http).await;
    }
    let once = ["required", "required", "required", "required", "completed"];
    let expected = [once, once].concat();
    let expected: Vec<_> = expected
        .iter()
        .map(|word| format!("auth.aal2_stepup_{word}"))
        .collect();
    let log = log_with(&stage, expected.len()).await;
    assert_eq!(audit(&log), expected, "{log}");
    assert_eq!(log.matches("no secret is configured").count(), 1, "{log}");
    stage.stop().await;
}

/// Three step-ups that lead nowhere, the page that says so, a fourth that is met, and the page it was for.
async fn in_circles_and_out(stage: &Stage, http: Http) {
    let place = stage.place();
    let customer = people().swap_remove(0);
    let hosts = ["app.bank.localhost", "ciam.bank.localhost"];
    let mut browser = Browser::new(http, &hosts, place.envoy).unwrap();
    let page = browser
        .follow(&format!("{}/account", place.app))
        .await
        .unwrap();
    let typed = [
        ("identifier", customer.email.as_str()),
        ("password", customer.password.as_str()),
    ];
    browser.submit(&page, &typed).await.unwrap();
    let transfer = format!("{}/transfer", place.app);
    for _ in 0..3 {
        let answer = browser.get(&transfer).await.unwrap();
        assert_eq!(answer.status, 303, "{http}");
        assert!(
            matches!(&*cookies(&answer), [one] if one.starts_with("stepgate_marker=73")),
            "{http}"
        );
    }
    let cleared = "stepgate_marker=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax";
    let looped = browser.get(&transfer).await.unwrap();
    assert_eq!(
        (looped.status, &*cookies(&looped)),
        (403, &[cleared][..]),
        "{http}"
    );
    let kind = looped.headers.get("content-type").unwrap();
    assert_eq!(kind, "text/html; charset=utf-8");
    assert!(looped.body.contains("This is going in circles"));
    let page = browser.follow(&transfer).await.unwrap();
    let secret = customer.totp_secret.as_deref().unwrap_or_default();
    let code = (place.code)(secret);
    let back = browser
        .submit(&page, &[("totp_code", &code)])
        .await
        .unwrap();
    assert_eq!(back.raw_location(), Some(&*transfer), "{http}");
    let done = browser.get(&transfer).await.unwrap();
    let both = [
        "olympus_last=transfer; Path=/; HttpOnly; SameSite=Lax",
        cleared,
    ];
    assert_eq!((done.status, &*cookies(&done)), (200, &both[..]), "{http}");
}

fn cookies(answer: &Answer) -> Vec<&str> {
    let lines = answer.headers.get_all(SET_COOKIE).iter();
    lines.map(|line| line.to_str().unwrap()).collect()
}

/// The events of the audit lines that a log holds, each with its session's person and its rule.
fn audit(log: &str) -> Vec<String> {
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    lines
        .filter(|line: &serde_json::Value| line["type"] == "audit")
        .inspect(|line| {
            assert_eq!(
                (&line["level"], &line["rule_id"]),
                (&"INFO".into(), &"transfer".into())
            );
            assert!(
                line["subject"]
                    .as_str()
                    .is_some_and(|subject| !subject.is_empty()),
                "{line}"
            );
        })
        .filter_map(|line| Some(line.get("event")?.as_str()?.to_owned()))
        .collect()
}
