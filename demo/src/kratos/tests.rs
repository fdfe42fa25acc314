//! What tests do to a double is seen by those who ask it over HTTP. That it answers as a real Kratos does is for the
//! contract to say.

use std::time::Duration;

use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Client, Response, StatusCode, redirect};
use serde_json::Value;

use super::*;

const EMAIL: &str = "ada@example.test";
const PASSWORD: &str = "not-a-real-password-1";
const SECRET: &str = "NOTASECRETONLYFORTESTSAAAAAAAAAA";

async fn start() -> Double {
    let double = Double::start(Options::default()).await.unwrap();
    double.add_person(Person {
        email: EMAIL.to_owned(),
        password: PASSWORD.to_owned(),
        role: Some("admin".to_owned()),
        totp_secret: Some(SECRET.to_owned()),
        backup_codes: vec!["fake0001".to_owned(), "fake0002".to_owned()],
    });
    double
}

fn client() -> Client {
    Client::builder()
        .redirect(redirect::Policy::none())
        .build()
        .unwrap()
}

async fn whoami(double: &Double, cookie: &SessionCookie) -> Response {
    let url = double.public_url().join("sessions/whoami").unwrap();
    client()
        .get(url)
        .header(COOKIE, cookie.header())
        .send()
        .await
        .unwrap()
}

async fn session(double: &Double, cookie: &SessionCookie) -> Value {
    whoami(double, cookie).await.json().await.unwrap()
}

#[tokio::test]
async fn a_ready_cookie_is_a_session() {
    let double = start().await;
    let cookie = double.sign_in(EMAIL).unwrap();
    let session = session(&double, &cookie).await;
    assert_eq!(session["authenticator_assurance_level"], "aal1");
    assert_eq!(session["id"], cookie.session_id());
    assert_eq!(session["identity"]["metadata_public"]["role"], "admin");
    assert_eq!(double.whoami_calls(), 1);
    assert!(double.sign_in("nobody@example.test").is_none());
}

#[tokio::test]
async fn a_step_up_lifts_every_copy_of_the_cookie() {
    let double = start().await;
    let old = double.sign_in(EMAIL).unwrap();
    double.clock().advance(Duration::from_secs(1));
    let new = double.step_up(&old, "totp").unwrap();
    assert!(
        !whoami(&double, &new)
            .await
            .headers()
            .contains_key(SET_COOKIE)
    );
    assert!(
        whoami(&double, &old)
            .await
            .headers()
            .contains_key(SET_COOKIE)
    );
    assert_eq!(
        session(&double, &old).await["authenticator_assurance_level"],
        "aal2"
    );
    assert!(double.step_up(&old, "carrier_pigeon").is_none());
}

#[tokio::test]
async fn a_token_steps_up_in_place() {
    let double = start().await;
    let token = double.sign_in_native(EMAIL).unwrap();
    assert_eq!(token.len(), 39);
    assert!(double.step_up_native(&token, "lookup_secret"));
    let url = double.public_url().join("sessions/whoami").unwrap();
    let answer = client()
        .get(url)
        .header("X-Session-Token", token)
        .send()
        .await
        .unwrap();
    let session: Value = answer.json().await.unwrap();
    assert_eq!(session["authenticator_assurance_level"], "aal2");
}

#[tokio::test]
async fn aged_methods_are_older_and_the_session_still_lives() {
    let double = start().await;
    let cookie = double
        .step_up(&double.sign_in(EMAIL).unwrap(), "totp")
        .unwrap();
    let before = session(&double, &cookie).await;
    assert!(double.age_methods(&cookie, Duration::from_secs(600)));
    let after = session(&double, &cookie).await;
    let completed = |session: &Value| -> jiff::Timestamp {
        session["authentication_methods"][1]["completed_at"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    };
    assert_eq!(
        completed(&before)
            .duration_since(completed(&after))
            .as_secs(),
        600
    );
    assert_eq!(before["expires_at"], after["expires_at"]);
}

#[tokio::test]
async fn what_ends_a_session_ends_it() {
    let double = start().await;
    let cookie = double.sign_in(EMAIL).unwrap();
    assert!(double.set_active(EMAIL, false));
    assert_eq!(
        whoami(&double, &cookie).await.status(),
        StatusCode::UNAUTHORIZED
    );
    assert!(double.set_active(EMAIL, true));
    assert_eq!(whoami(&double, &cookie).await.status(), StatusCode::OK);
    assert!(double.revoke(&cookie));
    assert_eq!(
        whoami(&double, &cookie).await.status(),
        StatusCode::UNAUTHORIZED
    );
    let cookie = double.sign_in(EMAIL).unwrap();
    double.clock().advance(Duration::from_secs(3601));
    assert_eq!(
        whoami(&double, &cookie).await.status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn the_code_follows_the_moved_clock() {
    let double = start().await;
    let code = double.totp_code(EMAIL).unwrap();
    double.clock().advance(Duration::from_secs(90));
    assert_ne!(double.totp_code(EMAIL).unwrap(), code);
    assert!(double.remove_second_factors(EMAIL));
    assert!(double.totp_code(EMAIL).is_none());
}

#[tokio::test]
async fn a_stopped_double_answers_nobody() {
    let double = start().await;
    let url = double.public_url().join("health/ready").unwrap();
    let client = client();
    assert_eq!(
        client.get(url.clone()).send().await.unwrap().status(),
        StatusCode::OK
    );
    double.stop().await;
    assert!(client.get(url).send().await.is_err());
}

#[tokio::test]
async fn two_doubles_know_nothing_of_each_other() {
    let (one, other) = (start().await, start().await);
    let cookie = one.sign_in(EMAIL).unwrap();
    assert_eq!(whoami(&one, &cookie).await.status(), StatusCode::OK);
    assert_eq!(
        whoami(&other, &cookie).await.status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn secrets_are_not_printed() {
    let double = start().await;
    let cookie = double.sign_in(EMAIL).unwrap();
    assert!(!format!("{cookie:?}").contains(cookie.value()));
}
