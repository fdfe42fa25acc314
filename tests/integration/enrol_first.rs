//! `settings: enrol_first` through Envoy's door, a Kratos behind it: what each session may change, whatever it presents itself
//! by.

use demo::kratos::SessionCookie;
use envoy_types::pb::envoy::service::auth::v3::CheckRequest;

use crate::gate::{Gate, Heard, request};

const TARGET: &str = "/self-service/settings?flow=f";
const PASSWORD: &str = "csrf_token=t&method=password&password=not-a-password";
const ENROLMENT: &str = "csrf_token=t&method=totp&totp_code=000000";
const BACK: &str = "https://ciam.test/self-service/settings/browser?return_to=https%3A%2F%2Fciam.test%2Fself-service%2Fsettings%2Fbrowser";

/// A form that a page posts to Kratos, whole or cut.
fn form(body: &str, is_cut: bool, headers: &[(&str, &str)]) -> CheckRequest {
    let cut = if is_cut { "true" } else { "false" };
    let own = [
        ("accept", "text/html"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-envoy-auth-partial-body", cut),
    ];
    let all: Vec<_> = own.into_iter().chain(headers.iter().copied()).collect();
    let mut check = request("POST", "ciam.test", TARGET, &all);
    let http = check
        .attributes
        .as_mut()
        .and_then(|attributes| attributes.request.as_mut())
        .and_then(|request| request.http.as_mut());
    http.unwrap().raw_body = body.as_bytes().to_vec();
    check
}

async fn post(gate: &Gate, body: &str, headers: &[(&str, &str)]) -> Heard {
    gate.send(form(body, false, headers)).await
}

async fn page(gate: &Gate, body: &str, cookie: &SessionCookie) -> Heard {
    post(gate, body, &[("cookie", &cookie.header())]).await
}

#[tokio::test]
async fn whoever_has_no_second_factor_sets_one_up_first() {
    let gate = Gate::start_enrolling_first().await;
    let plain = gate.double.sign_in("plain@app.test").unwrap();
    let held = page(&gate, PASSWORD, &plain).await;
    assert_eq!(held.status, 303);
    assert_eq!(held.reason(), "session_aal2_enrolment_required");
    assert_eq!(held.location(), BACK);
    let asked = gate.double.whoami_calls();
    assert_eq!(page(&gate, ENROLMENT, &plain).await.status, 200);
    assert_eq!(gate.double.whoami_calls(), asked, "nobody is asked");
    let cut = form(ENROLMENT, true, &[("cookie", &plain.header())]);
    assert_eq!(gate.send(cut).await.status, 303, "half a body");
}

#[tokio::test]
async fn whoever_has_one_is_left_to_kratos() {
    let gate = Gate::start_enrolling_first().await;
    let enrolled = gate.double.sign_in("totp@app.test").unwrap();
    assert_eq!(page(&gate, PASSWORD, &enrolled).await.status, 200);
    let lifted = gate.double.step_up(&enrolled, "totp").unwrap();
    assert_eq!(page(&gate, PASSWORD, &lifted).await.status, 200);
    let plain = gate.double.sign_in("plain@app.test").unwrap();
    let lifted = gate.double.step_up(&plain, "totp").unwrap();
    assert_eq!(page(&gate, PASSWORD, &lifted).await.status, 200, "set up");
}

#[tokio::test]
async fn no_credential_that_kratos_obeys_is_overlooked() {
    let gate = Gate::start_enrolling_first().await;
    let token = gate.double.sign_in_native("plain@app.test").unwrap();
    let bearer = format!("bEaReR {token}");
    for credential in [
        ("x-session-token", token.as_str()),
        ("authorization", bearer.as_str()),
    ] {
        let held = post(&gate, PASSWORD, &[credential]).await;
        assert_eq!(held.reason(), "session_aal2_enrolment_required");
    }
    let cookie = gate.double.sign_in("plain@app.test").unwrap();
    let quoted = format!("ory_kratos_session=\"{}\"", cookie.value());
    let twice = format!("{token},{token}");
    for credential in [("cookie", &quoted), ("x-session-token", &twice)] {
        let (name, value) = credential;
        let held = post(&gate, PASSWORD, &[(name, value)]).await;
        assert_eq!(held.reason(), "session_inactive", "{name}");
    }
    let both = [
        ("x-session-token", token.as_str()),
        ("cookie", &cookie.header()),
    ];
    let held = post(&gate, PASSWORD, &both).await;
    assert_eq!((held.status, held.reason()), (400, "session_ambiguous"));
    assert_eq!(
        post(&gate, PASSWORD, &[]).await.reason(),
        "session_inactive"
    );
}

#[tokio::test]
async fn beside_submissions_kratos_origin_is_open_and_others_are_unknown() {
    let gate = Gate::start_enrolling_first().await;
    let accept = [("accept", "text/html")];
    for target in [
        "/",
        "/login?flow=f",
        "/self-service/login/browser?aal=aal2",
        "/self-service/settings/browser?return_to=https%3A%2F%2Fapp.test%2F",
        TARGET,
    ] {
        let open = gate.ask("GET", "ciam.test", target, &accept).await;
        assert_eq!(open.status, 200, "{target}");
    }
    let login = "/self-service/login?flow=f";
    assert_eq!(
        gate.ask("POST", "ciam.test", login, &accept).await.status,
        200
    );
    assert_eq!(
        gate.ask("GET", "other.test", "/", &accept).await.status,
        421
    );
}
