//! K-78 to K-81 and K-115 to K-119: a second factor that is wrong, late, foreign or asked for twice.

use hyper::Method;
use serde_json::json;

use super::Error;
use super::browser::{Browser, Flow, code, lookup};
use super::client::{Answer, Ask, Kratos};
use super::login::{CODE_FORM, enc};
use super::person::{PASSWORD, password};
use super::row::Row;
use super::sheet::Sheet;
use super::step_up::nanos;

const CSRF: Option<&str> = Some("security_csrf_violation");

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new(
            "K-78",
            "a wrong code, and twelve of them, leave the flow usable",
            |k, s| Box::pin(wrong_code(k, s)),
        ),
        Row::new(
            "K-79",
            "other submits that fail, and what they say",
            |k, s| Box::pin(messages(k, s)),
        ),
        Row::new(
            "K-80",
            "a submit without its CSRF token or session",
            |k, s| Box::pin(unguarded(k, s)),
        ),
        Row::new("K-81", "TOTP is good for a window either side", |k, s| {
            Box::pin(window(k, s))
        }),
        Row::new(
            "K-115",
            "the second of two tabs loses its return_to",
            |k, s| Box::pin(two_tabs(k, s)),
        ),
        Row::new(
            "K-116",
            "with refresh the second of two tabs keeps it",
            |k, s| Box::pin(two_tabs_refresh(k, s)),
        ),
        Row::new("K-117", "a second factor asked again", |k, s| {
            Box::pin(asked_again(k, s))
        }),
        Row::new(
            "K-118",
            "another person's flow lifts the submitter only",
            |k, s| Box::pin(foreign_flow(k, s)),
        ),
        Row::new("K-119", "an expired aal2 flow", |k, s| {
            Box::pin(expired_flow(k, s))
        })
        .takes_time(),
    ]
}

/// Six digits that are not the code of this moment or a neighbouring one.
fn wrong(browser: &Browser, flow: &Flow) -> Result<serde_json::Value, Error> {
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

fn return_to(kratos: &Kratos<'_>) -> String {
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
    for (skew, status) in [(-60, 400), (60, 400), (30, 200)] {
        let mut browser = Browser::signed_in(kratos, person.clone()).await?;
        let flow = browser.open_login(kratos, "aal=aal2").await?;
        // Taken from the middle of its half minute, a code is as far off as `skew` says wherever this moment lies.
        let fields = code(&person.totp(flow.now.saturating_add(skew))?);
        let answer = browser.submit(kratos, &flow, fields.clone()).await?;
        sheet.same(format!("{skew} s"), answer.status, status);
    }
    Ok(())
}

/// Two flows of one browser with a return_to each, the first of which is finished.
async fn tabs(
    kratos: &Kratos<'_>,
    sheet: &mut Sheet,
    query: &str,
) -> Result<(Browser, [Flow; 2]), Error> {
    let mut browser = kratos.enrolled().await?;
    let one = browser.open_login(kratos, query).await?;
    let two = browser.open_login(kratos, query).await?;
    let three = browser.open_login(kratos, query).await?;
    let fields = browser.code()?;
    let answer = browser.submit(kratos, &one, fields).await?;
    sheet.goes_on_to("the first tab", &answer, &kratos.target().return_to());
    Ok((browser, [two, three]))
}

async fn two_tabs(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let (mut browser, [two, three]) = tabs(kratos, sheet, &return_to(kratos)).await?;
    let read = browser
        .data(kratos, format!("/self-service/login/flows?id={}", two.id))
        .await?;
    sheet.same(
        "reading the second flow",
        json!([read.status, read.nodes()]),
        json!([200, CODE_FORM]),
    );
    let fields = browser.code()?;
    let answer = browser.submit_form(kratos, &two, fields.clone()).await?;
    sheet.sent_to(
        "the second tab, by form",
        &answer,
        &kratos.target().default_url,
    );
    let answer = browser.submit(kratos, &three, fields).await?;
    sheet.flow_says("the third tab, by program", &answer, 4_000_001);
    let answer = kratos.whoami(&browser.session()).await?;
    sheet.same(
        "methods",
        answer.methods(),
        json!(["password/aal1", "lookup_secret/aal2"]),
    );
    let again = format!("/self-service/login/browser?{}", return_to(kratos));
    sheet.sent_to(
        "opening it anew",
        &browser.page(kratos, again).await?,
        &kratos.target().return_to(),
    );
    Ok(())
}

async fn two_tabs_refresh(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let (mut browser, [two, _]) = tabs(
        kratos,
        sheet,
        &format!("{}&refresh=true", return_to(kratos)),
    )
    .await?;
    let fields = browser.code()?;
    let answer = browser.submit_form(kratos, &two, fields).await?;
    sheet.sent_to("the second tab", &answer, &kratos.target().return_to());
    let answer = kratos.whoami(&browser.session()).await?;
    let order = json!(["password/aal1", "lookup_secret/aal2", "lookup_secret/aal2"]);
    sheet.same("methods", answer.methods(), order);
    Ok(())
}

/// When the newest second factor was completed.
fn completed(answer: &Answer) -> i128 {
    let methods = answer.at("/authentication_methods");
    let second = methods
        .as_array()
        .into_iter()
        .flatten()
        .filter(|method| method.get("aal") == Some(&json!("aal2")));
    second
        .map(|method| nanos(method, "completed_at"))
        .max()
        .unwrap_or_default()
}

async fn asked_again(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.enrolled().await?;
    browser.step_up(kratos, "aal=aal2").await?;
    let before = kratos.whoami(&browser.session()).await?;
    kratos.advance(std::time::Duration::from_secs(2));
    let flow = browser.open_login(kratos, "aal=aal2&refresh=true").await?;
    let fields = wrong(&browser, &flow)?;
    sheet.flow_says(
        "wrong code",
        &browser.submit(kratos, &flow, fields).await?,
        4_000_008,
    );
    let answer = kratos.whoami(&browser.session()).await?;
    sheet.session("after a wrong code", &answer, "aal2", &browser.person.id);
    sheet.holds("nothing moved", completed(&answer) == completed(&before));
    let fields = browser.code()?;
    sheet.same(
        "right code",
        browser.submit(kratos, &flow, fields).await?.status,
        200,
    );
    let after = kratos.whoami(&browser.session()).await?;
    sheet.same("same session", after.at("/id"), before.at("/id"));
    let order = json!(["password/aal1", "lookup_secret/aal2", "lookup_secret/aal2"]);
    sheet.same("methods", after.methods(), order);
    sheet.holds(
        "the newest completed_at moved",
        completed(&after) > completed(&before),
    );
    let moved = nanos(&after.json, "authenticated_at") > nanos(&before.json, "authenticated_at");
    sheet.holds("authenticated_at moved", moved);
    Ok(())
}

async fn foreign_flow(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut owner = kratos.enrolled().await?;
    let other = kratos.enrolled().await?;
    let flow = owner.open_login(kratos, "aal=aal2").await?;
    let mut submitter = owner.clone();
    submitter.person = other.person.clone();
    submitter.take_session(other.session());
    let fields = submitter.code()?;
    let answer = submitter.submit(kratos, &flow, fields).await?;
    sheet.same(
        "submit",
        json!([answer.status, answer.at("/session/identity/id")]),
        json!([200, other.person.id]),
    );
    sheet.session(
        "submitter",
        &kratos.whoami(&submitter.session()).await?,
        "aal2",
        &other.person.id,
    );
    let session = kratos.newest_session(&owner.person).await?;
    sheet.same(
        "owner",
        session
            .pointer("/authenticator_assurance_level")
            .cloned()
            .unwrap_or_default(),
        "aal1",
    );
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
