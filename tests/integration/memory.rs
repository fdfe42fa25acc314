//! What is remembered, shared and passed on of Kratos' answers.

use std::time::Duration;

use demo::kratos::SessionCookie;
use envoy_types::pb::envoy::service::auth::v3::{CheckResponse, check_response::HttpResponse};

use crate::gate::{Gate, request};

const RULES: &str = "
  - { id: account, match: { path: /account }, require: session }
  - { id: transfer, match: { path: /transfer }, require: aal2 }
  - { id: fresh, match: { path: /payout }, require: { max_age: 60s } }
  - { id: careful, match: { path: /careful }, require: session, cache: off }
";

#[tokio::test]
async fn a_session_that_let_a_request_through_is_remembered_for_a_second() {
    let gate = Gate::start(RULES).await;
    let cookie = gate.double.sign_in("totp@app.test").unwrap();
    for _ in 0..5 {
        assert_eq!(gate.page("/account", Some(&cookie)).await.status, 200);
    }
    assert_eq!(gate.double.whoami_calls(), 1);
    gate.double.clock().advance(Duration::from_secs(1));
    assert_eq!(gate.page("/account", Some(&cookie)).await.status, 200);
    assert_eq!(gate.double.whoami_calls(), 2);
}

#[tokio::test]
async fn a_revoked_session_is_refused_within_the_ttl() {
    let gate = Gate::start(RULES).await;
    let cookie = gate.double.sign_in("totp@app.test").unwrap();
    assert_eq!(gate.page("/account", Some(&cookie)).await.status, 200);
    gate.double.revoke(&cookie);
    gate.double.clock().advance(Duration::from_secs(1));
    assert_eq!(
        gate.page("/account", Some(&cookie)).await.reason(),
        "session_inactive"
    );
}

#[tokio::test]
async fn memory_never_refuses_and_a_finished_step_up_counts_at_once() {
    let gate = Gate::start(RULES).await;
    let aal1 = gate.double.sign_in("totp@app.test").unwrap();
    assert_eq!(gate.page("/account", Some(&aal1)).await.status, 200);
    assert_eq!(
        gate.page("/transfer", Some(&aal1)).await.reason(),
        "session_aal2_required"
    );
    gate.double.step_up(&aal1, "totp").unwrap();
    assert_eq!(gate.page("/transfer", Some(&aal1)).await.status, 200);
    let calls = gate.double.whoami_calls();
    assert_eq!(gate.page("/transfer", Some(&aal1)).await.status, 200);
    assert_eq!(gate.double.whoami_calls(), calls, "remembered now");
}

#[tokio::test]
async fn a_rule_without_memory_asks_each_time() {
    let gate = Gate::start(RULES).await;
    let cookie = gate.double.sign_in("totp@app.test").unwrap();
    for calls in 1..4 {
        assert_eq!(gate.page("/careful", Some(&cookie)).await.status, 200);
        assert_eq!(gate.double.whoami_calls(), calls);
    }
}

#[tokio::test]
async fn what_is_remembered_of_one_is_nothing_to_another() {
    let gate = Gate::start(RULES).await;
    let ids = ["totp@app.test", "plain@app.test"].map(|email| gate.double.sign_in(email).unwrap());
    let mut seen = Vec::new();
    for _ in 0..2 {
        for cookie in &ids {
            let heard = gate.page("/account", Some(cookie)).await;
            seen.push(heard.header("x-user-id").to_owned());
        }
    }
    assert_eq!(seen[0], seen[2]);
    assert_eq!(seen[1], seen[3]);
    assert_ne!(seen[0], seen[1]);
    assert_eq!(gate.double.whoami_calls(), 2);
}

#[tokio::test]
async fn equal_questions_in_flight_share_one_call() {
    let gate = Gate::start(RULES).await;
    let cookie = gate.double.sign_in("totp@app.test").unwrap();
    let ask = || gate.page("/careful", Some(&cookie));
    let (a, b, c, d) = tokio::join!(ask(), ask(), ask(), ask());
    for heard in [a, b, c, d] {
        assert_eq!(heard.status, 200);
    }
    assert!(
        gate.double.whoami_calls() < 4,
        "{} calls",
        gate.double.whoami_calls()
    );
}

#[tokio::test]
async fn what_suffices_only_whoever_joined_a_call_is_remembered_too() {
    let gate = Gate::start(RULES).await;
    let aal1 = gate.double.sign_in("totp@app.test").unwrap();
    let (begun, joined) = tokio::join!(
        gate.page("/transfer", Some(&aal1)),
        gate.page("/account", Some(&aal1)),
    );
    assert_eq!(begun.reason(), "session_aal2_required");
    assert_eq!(joined.status, 200);
    let calls = gate.double.whoami_calls();
    assert_eq!(gate.page("/account", Some(&aal1)).await.status, 200);
    assert_eq!(gate.double.whoami_calls(), calls);
}

#[tokio::test]
async fn a_young_proof_that_kratos_is_well_serves_all_who_are_signed_out() {
    let gate = Gate::start(RULES).await;
    for _ in 0..5 {
        assert_eq!(
            gate.page("/account", None).await.reason(),
            "session_inactive"
        );
    }
    assert_eq!(gate.double.calls("/health/ready"), 1);
    gate.double.clock().advance(Duration::from_secs(1));
    assert_eq!(
        gate.page("/account", None).await.reason(),
        "session_inactive"
    );
    assert_eq!(gate.double.calls("/health/ready"), 2);
}

#[tokio::test]
async fn who_has_no_second_factor_is_asked_about_once_in_a_while() {
    let gate = Gate::start(RULES).await;
    let plain = gate.double.sign_in("plain@app.test").unwrap();
    let probes = || gate.double.calls("/self-service/settings/browser");
    for _ in 0..3 {
        let heard = gate.page("/transfer", Some(&plain)).await;
        assert_eq!(heard.reason(), "session_aal2_enrolment_required");
    }
    assert_eq!(probes(), 1);
    gate.double.clock().advance(Duration::from_secs(30));
    gate.page("/transfer", Some(&plain)).await;
    assert_eq!(probes(), 2);
}

/// What an allow adds to the app's answer.
async fn added(gate: &Gate, path: &str, headers: &[(&str, &str)]) -> Vec<(String, String)> {
    let check = request("GET", "app.test", path, headers);
    let response: CheckResponse = gate.client.clone().check(check).await.unwrap().into_inner();
    let Some(HttpResponse::OkResponse(ok)) = response.http_response else {
        panic!("refused")
    };
    let added = ok
        .response_headers_to_add
        .into_iter()
        .filter_map(|option| option.header);
    added.map(|header| (header.key, header.value)).collect()
}

fn line(cookie: &SessionCookie) -> (&'static str, String) {
    ("cookie", cookie.header())
}

#[tokio::test]
async fn a_renewed_session_cookie_is_passed_on_once_and_kept_from_caches() {
    let gate = Gate::start(RULES).await;
    let old = gate.double.sign_in("totp@app.test").unwrap();
    // The stored session now ends later than this copy of its cookie says (K-23).
    gate.double.clock().advance(Duration::from_secs(60));
    gate.double.step_up(&old, "totp").unwrap();
    let (name, value) = line(&old);
    let headers = added(&gate, "/transfer", &[(name, &value)]).await;
    let [(cookie, renewed), (cache, private)] = headers.try_into().unwrap();
    assert_eq!(
        (&*cookie, &*cache, &*private),
        ("set-cookie", "cache-control", "private, no-store")
    );
    assert!(
        renewed.starts_with("ory_kratos_session=") && !renewed.contains(&value),
        "{}",
        renewed.len()
    );
    let remembered = added(&gate, "/transfer", &[(name, &value)]).await;
    assert_eq!(remembered, [], "never from memory");
}
