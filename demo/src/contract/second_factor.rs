//! K-78 to K-81 and K-119: a second factor that is wrong, unguarded or late.

use hyper::Method;
use serde_json::json;

use super::Error;
use super::browser::{Browser, Flow, code, lookup};
use super::client::{Ask, Kratos};
use super::person::{PASSWORD, password};
use super::row::{Row, row};
use super::sheet::Sheet;
use super::target::enc;

const CSRF: Option<&str> = Some("security_csrf_violation");

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!(
            "K-78",
            "a wrong code, and twelve of them, leave the flow usable",
            wrong_code
        ),
        row!(
            "K-79",
            "other submits that fail, and what they say",
            messages
        ),
        row!(
            "K-80",
            "a submit without its CSRF token or session",
            unguarded
        ),
        row!("K-81", "TOTP is good for a window either side", window),
        row!("K-119", "an expired aal2 flow", expired_flow).takes_time(),
    ]
}

/// Six digits that are not the code of this moment or a neighbouring one.
pub(super) fn wrong(browser: &Browser, flow: &Flow) -> Result<serde_json::Value, Error> {
    let near: Result<Vec<_>, _> = [-60, -30, 0, 30, 60]
        .map(|skew| browser.person.totp(flow.now.saturating_add(skew)))
        .into_iter()
        .collect();
    let near = near?;
    let free = (0..6)
        .map(|digit| format!("{digit}{digit}{digit}000"))
        .find(|digits| !near.contains(digits));
    Ok(code(&free.unwrap_or_default()))
}

async fn wrong_code(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.enrolled().await?;
    let flow = browser.open_login(kratos, &return_to(kratos)).await?;
    let fields = wrong(&browser, &flow)?;
    let answer = browser.submit_form(kratos, &flow, fields.clone()).await?;
    sheet.sent_to(
        "form",
        &answer,
        &format!("{}/login?flow={}", kratos.target().ui, flow.id),
    );
    let read = browser
        .data(kratos, format!("/self-service/login/flows?id={}", flow.id))
        .await?;
    sheet.same(
        "form: the flow says",
        json!([read.status, read.messages()]),
        json!([200, [4_000_008]]),
    );
    for time in 1..=12 {
        let answer = browser.submit(kratos, &flow, fields.clone()).await?;
        let what = format!("wrong code, time {time}");
        sheet.flow_says(&what, &answer, 4_000_008);
        sheet.same(
            format!("{what}: same flow"),
            answer.at("/id"),
            flow.id.as_str(),
        );
        sheet.no_cookie(&what, &answer);
    }
    let session = kratos.newest_session(&browser.person).await?;
    sheet.same(
        "aal meanwhile",
        session
            .pointer("/authenticator_assurance_level")
            .cloned()
            .unwrap_or_default(),
        "aal1",
    );
    let fields = browser.code()?;
    let answer = browser.submit(kratos, &flow, fields).await?;
    sheet.same("right code", answer.status, 200);
    Ok(())
}

/// The query of a step-up with a `return_to`.
pub(super) fn return_to(kratos: &Kratos<'_>) -> String {
    format!("aal=aal2&return_to={}", enc(&kratos.target().return_to()))
}

async fn messages(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.enrolled().await?;
    let used = browser.person.backup_code()?;
    let mut other = Browser::signed_in(kratos, browser.person.clone()).await?;
    let flow = other.open_login(kratos, "aal=aal2").await?;
    sheet.same(
        "first use",
        other.submit(kratos, &flow, lookup(&used)).await?.status,
        200,
    );
    let email = browser.person.email.clone();
    let cases = [
        ("unknown backup code", lookup("aaaaaaaa"), 4_000_016),
        ("used backup code", lookup(&used), 4_000_012),
        ("no code field", json!({"method": "totp"}), 4_000_002),
        ("password at aal2", password(&email, PASSWORD), 4_010_002),
    ];
    for (what, fields, message) in cases {
        let flow = browser.open_login(kratos, "aal=aal2").await?;
        sheet.flow_says(what, &browser.submit(kratos, &flow, fields).await?, message);
    }
    let mut plain = kratos.plain().await?;
    let flow = plain.open_login(kratos, "aal=aal2").await?;
    sheet.flow_says(
        "nothing enrolled",
        &plain.submit(kratos, &flow, code("111111")).await?,
        4_000_011,
    );
    Ok(())
}

async fn unguarded(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.enrolled().await?;
    let flow = browser.open_login(kratos, "aal=aal2").await?;
    let fields = browser.code()?;
    let missing = Ask::new(Method::POST, flow.path()).json().sends(&fields);
    sheet.refused(
        "no csrf_token",
        &browser.send(kratos, missing).await?,
        403,
        CSRF,
    );
    let mut foreign = fields.clone();
    if let Some(fields) = foreign.as_object_mut() {
        fields.insert("csrf_token".to_owned(), "bm90LXRoZS10b2tlbg==".into());
    }
    sheet.refused(
        "foreign csrf_token",
        &browser.submit(kratos, &flow, foreign).await?,
        403,
        CSRF,
    );
    let mut stripped = browser.clone();
    stripped.drop_session();
    let answer = stripped.submit(kratos, &flow, fields).await?;
    sheet.refused(
        "no session cookie",
        &answer,
        401,
        Some("session_aal1_required"),
    );
    sheet.same(
        "no session cookie set",
        json!(answer.new_session()),
        json!(null),
    );
    Ok(())
}

async fn window(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let person = kratos.aal2().await?.person;
    // What is too early or too late stays so if this half minute ends before the code arrives.
    for (skew, status) in [(-60, 400), (90, 400), (-30, 200), (0, 200), (30, 200)] {
        let mut browser = Browser::signed_in(kratos, person.clone()).await?;
        let flow = browser.open_login(kratos, "aal=aal2").await?;
        if skew < 0 && status == 200 && flow.now.rem_euclid(30) > 25 {
            continue;
        }
        let fields = code(&person.totp(flow.now.saturating_add(skew))?);
        let answer = browser.submit(kratos, &flow, fields).await?;
        sheet.same(format!("{skew} s"), answer.status, status);
    }
    Ok(())
}

async fn expired_flow(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.enrolled().await?;
    let flow = browser.open_login(kratos, &return_to(kratos)).await?;
    kratos
        .wait_signed_in(&browser, kratos.target().login_lifespan)
        .await?;
    let fields = browser.code()?;
    let answer = browser.submit(kratos, &flow, fields.clone()).await?;
    sheet.flow_says("by program", &answer, 4_000_001);
    sheet.same("by program: same flow", answer.at("/id"), flow.id.as_str());
    let answer = browser.submit_form(kratos, &flow, fields).await?;
    sheet.sent_to(
        "by form",
        &answer,
        &format!("{}/login?flow={}", kratos.target().ui, flow.id),
    );
    let read = browser
        .data(kratos, format!("/self-service/login/flows?id={}", flow.id))
        .await?;
    sheet.refused("reading it", &read, 410, Some("self_service_flow_expired"));
    Ok(())
}
