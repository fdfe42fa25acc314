//! Kratos in trouble: whatever becomes of a question, what is guarded stays shut, nobody is sent anywhere, an answer comes
//! within the timeout, and all is well again when Kratos is.

mod late;
pub(crate) mod strange;

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::{Duration, SystemTime},
};

use stepgate::{
    authorizer::{Answer, Authorizer},
    config::Config,
    domain::{
        headers::Headers,
        reply::{Code, Reply},
        request::{Facts, Reach},
    },
    telemetry::clock::Clock,
};

use crate::{
    gate,
    scripted::{Script, Scripted, answer},
};
use strange::{AAL2, UNAUTHORIZED, no_whoami, nothing};

const RULES: &str = "
  - { id: account, match: { path: /account }, require: session }
  - { id: transfer, match: { path: /transfer }, require: aal2 }
  - { id: admin, match: { path: /admin }, require: { identity: { /metadata_public/role: [admin] } } }
";
/// Far longer than any timeout here: it ends a test that would hang.
const NEVER: Duration = Duration::from_secs(30);
const WHOAMI: &str = "/sessions/whoami";
const TRUTH: &str = "/self-service/login/browser";
const SETTINGS: &str = "/self-service/settings/browser";
const READY: &str = "/health/ready";
/// A clock that is two seconds further each time it is read, so that nothing is served from memory.
fn clock() -> Clock {
    let seconds = AtomicU64::new(1_800_000_000);
    Clock::by_hand(move || {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.fetch_add(2, Ordering::Relaxed))
    })
}

fn stepgate(kratos: &Scripted) -> Authorizer {
    crate::watch::listen();
    let config =
        gate::config(&kratos.url, RULES).replace("origins:", "timeout: 500ms\n    origins:");
    let config = Config::parse("test.yaml", &config).unwrap();
    Authorizer::new(config.into_snapshot().unwrap(), clock())
}

async fn page(authorizer: &Authorizer, target: &'static str, cookie: &str) -> Answer {
    let headers = [("accept", "text/html"), ("cookie", cookie)];
    let facts = Facts {
        method: "GET".into(),
        host: "app.test".into(),
        target: target.into(),
        headers: Headers::raw(
            headers
                .map(|(name, value)| (name.into(), value.to_owned().into()))
                .to_vec(),
        ),
        context: vec![],
        body: None,
        reach: Reach::Edits,
        trace: Headers::default(),
    };
    tokio::time::timeout(NEVER, authorizer.check("grpc", &facts, None))
        .await
        .unwrap()
}

/// A session that nothing is remembered of yet.
fn signed_in() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("ory_kratos_session=abc{number}")
}

fn assert_unavailable(answer: &Answer, told: &str) {
    let Reply::Refused(refusal) = &answer.reply else {
        panic!("an allow, where {told}")
    };
    let has_location = refusal.headers.iter().any(|(name, _)| name == "location");
    assert_eq!(
        (
            answer.reason,
            refusal.status.as_u16(),
            refusal.code,
            has_location
        ),
        ("kratos_unavailable", 503, Code::Unavailable, false),
        "{told}"
    );
}

/// Plays each of these as the answer to one question, and then a healthy Kratos again.
async fn each(
    before: &[(&'static str, Script)],
    question: &'static str,
    scripts: Vec<Script>,
    target: &'static str,
    cookie: fn() -> String,
) {
    let kratos = Scripted::start(&[]).await;
    let authorizer = stepgate(&kratos);
    let count = scripts.len();
    for script in scripts {
        let told: String = format!("{question} is answered by {script:?}")
            .chars()
            .take(300)
            .collect();
        kratos.play(&[&[(question, script)], before].concat());
        let asked = kratos.asked();
        assert_unavailable(&page(&authorizer, target, &cookie()).await, &told);
        assert!(
            kratos.asked() > asked && kratos.asked() < asked + 8,
            "{told}"
        );
        kratos.play(&[(WHOAMI, answer(200, "", AAL2))]);
        let well = page(&authorizer, target, &signed_in()).await;
        assert_eq!(well.reason, "session_ok", "after {told}");
    }
    told_of(count, question);
}

#[expect(
    clippy::print_stdout,
    reason = "how much was tried is what a reader of this test wants to know"
)]
fn told_of(count: usize, question: &str) {
    println!("{count:4} {question}: kratos_unavailable");
}

#[tokio::test]
async fn a_whoami_that_proves_nothing_closes_every_route() {
    for target in ["/account", "/transfer", "/admin"] {
        let scripts = nothing().into_iter().chain(no_whoami()).collect();
        each(&[], WHOAMI, scripts, target, signed_in).await;
    }
}

#[tokio::test]
async fn a_truth_test_that_fails_never_sends_anyone_to_log_in() {
    let before = [(WHOAMI, answer(401, "", UNAUTHORIZED))];
    each(&before, TRUTH, nothing(), "/account", signed_in).await;
}

#[tokio::test]
async fn an_enrolment_probe_that_fails_sends_nobody_anywhere() {
    let aal1 = AAL2.replace("aal2\",\n", "aal1\",\n");
    let before = [(WHOAMI, answer(200, "", &aal1))];
    each(&before, SETTINGS, nothing(), "/transfer", signed_in).await;
}

#[tokio::test]
async fn a_kratos_that_is_not_ready_gets_nobody_to_log_in() {
    let odd = [204, 301, 302, 307, 400, 401, 403]
        .map(|status| answer(status, "location: http://127.0.0.1:9/\r\n", ""));
    let scripts = nothing().into_iter().chain(odd).collect();
    each(&[], READY, scripts, "/account", || "a=1".to_owned()).await;
}

#[tokio::test]
async fn an_answer_about_enrolment_that_is_no_flow_steps_up_here_and_not_elsewhere() {
    let aal1 = AAL2.replace("aal2\",\n", "aal1\",\n");
    let kratos = Scripted::start(&[]).await;
    let authorizer = stepgate(&kratos);
    let evil = "location: http://127.0.0.1:9/evil\r\n";
    let odd = [201, 204, 206, 301, 302, 303, 307, 400, 403, 404, 410]
        .map(|status| answer(status, evil, r#"{"redirect_browser_to":"http://evil"}"#));
    let strange =
        ["", "<html>", "[]", "{}", "{\"ui\":{}x", "{\"ui\":1}"].map(|body| answer(200, "", body));
    for script in odd.into_iter().chain(strange) {
        let told = format!("{script:?}");
        kratos.play(&[(WHOAMI, answer(200, "", &aal1)), (SETTINGS, script)]);
        let stepped = page(&authorizer, "/transfer", &signed_in()).await;
        let Reply::Refused(refusal) = &stepped.reply else {
            panic!("an allow: {told}")
        };
        let location = refusal.headers.iter().find(|(name, _)| name == "location");
        let location = location.map(|(_, value)| value.to_str().unwrap());
        let ours = "https://ciam.test/self-service/login/browser?aal=aal2&refresh=true&return_to=https%3A%2F%2Fapp.test%2Ftransfer";
        assert_eq!(
            (stepped.reason, location),
            ("session_aal2_required", Some(ours)),
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_retry_after_is_passed_on_within_bounds() {
    let kratos = Scripted::start(&[]).await;
    let authorizer = stepgate(&kratos);
    for (said, passed) in [
        ("7", "7"),
        ("0", "1"),
        ("999999999999", "60"),
        ("-1", "1"),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "1"),
        ("99999999999999999999999", "1"),
    ] {
        kratos.play(&[(WHOAMI, answer(429, &format!("retry-after: {said}\r\n"), ""))]);
        let refused = page(&authorizer, "/account", &signed_in()).await;
        let Reply::Refused(refusal) = &refused.reply else {
            panic!("an allow")
        };
        let found = refusal
            .headers
            .iter()
            .find(|(name, _)| name == "retry-after");
        assert_eq!(
            found.map(|(_, value)| value.to_str().unwrap()),
            Some(passed),
            "{said}"
        );
    }
}
