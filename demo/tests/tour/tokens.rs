//! Native apps and bearers at the API.

use reqwest::Method;
use serde_json::{Value, json};

use crate::visitor::{Tour, ask, person};

#[tokio::test(flavor = "multi_thread")]
async fn a_native_token_is_lifted_and_stays_the_same() {
    let tour = Tour::start().await;
    let kratos = format!("http://127.0.0.1:{}", tour.stage.ports().kratos_public);
    let (totp, http) = (person("totp"), demo::client::builder().build().unwrap());
    let fields =
        json!({ "method": "password", "identifier": totp.email, "password": totp.password });
    let session = api_login(&http, &kratos, "", None, &fields).await;
    let token = session["session_token"].as_str().unwrap().to_owned();
    let transfer = format!("{}/transfer", tour.origins.api);
    let answer = ask(
        &tour,
        Method::POST,
        &transfer,
        &[("x-session-token", &token)],
    )
    .await;
    assert_eq!(answer.status(), 403);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["error"]["id"], "session_aal2_required");
    bearer_challenge(&tour, &transfer, &token).await;
    assert_eq!(tour.count("/transfer"), 0);
    let fields = json!({ "method": "totp", "totp_code": tour.code(&totp).await });
    let lifted = api_login(&http, &kratos, "?aal=aal2", Some(&token), &fields).await;
    assert_eq!(lifted["session_token"], token.as_str());
    let answer = ask(
        &tour,
        Method::POST,
        &transfer,
        &[("x-session-token", &token)],
    )
    .await;
    assert_eq!(answer.status(), 200, "at once");
    assert_eq!(tour.count("/transfer"), 1);
    tour.stage.stop().await;
}

async fn bearer_challenge(tour: &Tour, url: &str, token: &str) {
    let bearer = format!("Bearer {token}");
    let answer = ask(tour, Method::POST, url, &[("authorization", &bearer)]).await;
    assert_eq!(answer.status(), 401);
    let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
    for part in [
        "insufficient_user_authentication",
        "acr_values=\"aal2\"",
        "max_age=\"300\"",
    ] {
        assert!(challenge.contains(part), "{challenge}");
    }
}

async fn api_login(
    http: &reqwest::Client,
    kratos: &str,
    query: &str,
    token: Option<&str>,
    fields: &Value,
) -> Value {
    let with = |request: reqwest::RequestBuilder| match token {
        Some(token) => request.header("x-session-token", token),
        None => request,
    };
    let opened = with(http.get(format!("{kratos}/self-service/login/api{query}")));
    let flow: Value = opened.send().await.unwrap().json().await.unwrap();
    let submit = format!(
        "{kratos}/self-service/login?flow={}",
        flow["id"].as_str().unwrap()
    );
    let answer = with(http.post(submit)).json(fields).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}
