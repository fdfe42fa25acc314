//! K-74 to K-77: a step-up that succeeds.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Error;
use super::answer::methods;
use super::browser::{Browser, code, lookup};
use super::client::Kratos;
use super::row::{Row, row};
use super::sheet::Sheet;

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!(
            "K-74a",
            "step-up by TOTP: same session, new cookie",
            by_totp
        ),
        row!(
            "K-74b",
            "step-up by backup code: same session, new cookie",
            by_code
        ),
        row!("K-75", "step-up by form goes exactly to return_to", by_form),
        row!("K-76", "times after a step-up", times),
        row!(
            "K-77",
            "the cookie from before the step-up is aal2 too",
            old_cookie
        ),
    ]
}

async fn by_totp(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    proven_by(kratos, sheet, "totp").await
}

async fn by_code(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    proven_by(kratos, sheet, "lookup_secret").await
}

/// A right second factor at aal1: the session is the same one, its cookie is not.
async fn proven_by(kratos: &Kratos<'_>, sheet: &mut Sheet, method: &str) -> Result<(), Error> {
    let mut browser = kratos.enrolled().await?;
    let before = kratos.newest_session(&browser.person).await?;
    let old = browser.session();
    let flow = browser
        .open_login(
            kratos,
            &format!("aal=aal2&{}", kratos.target().return_to_query()),
        )
        .await?;
    // One step ahead: enrolling spent the code of this moment, should the target refuse to take one twice.
    let fields = match method {
        "totp" => code(&browser.person.totp(flow.now.saturating_add(30))?),
        _ => lookup(&browser.person.backup_code()?),
    };
    let answer = browser.submit(kratos, &flow, fields).await?;
    sheet.goes_on_to("submit", &answer, &kratos.target().return_to());
    let proven = format!("{method}/aal2");
    let got = json!([
        answer.at("/session/authenticator_assurance_level"),
        answer.methods(),
        answer.at("/session/id")
    ]);
    sheet.same(
        "session",
        got,
        json!(["aal2", ["password/aal1", proven], before.pointer("/id")]),
    );
    sheet.same("no session_token", answer.at("/session_token"), json!(null));
    sheet.holds(
        "a new cookie value",
        answer.new_session().is_some_and(|value| value != old),
    );
    let answer = kratos.whoami(&browser.session()).await?;
    sheet.session("whoami", &answer, "aal2", &browser.person.id);
    sheet.same(
        "whoami: same session",
        answer.at("/id"),
        before.pointer("/id").cloned().unwrap_or_default(),
    );
    sheet.no_cookie("whoami", &answer);
    Ok(())
}

async fn by_form(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let Browser { person, .. } = kratos.aal2().await?;
    let cases = [
        (
            kratos.target().return_to_query(),
            kratos.target().return_to(),
        ),
        (String::new(), kratos.target().default_url.clone()),
    ];
    for (query, location) in cases {
        let mut browser = Browser::signed_in(kratos, person.clone()).await?;
        let flow = browser
            .open_login(kratos, &format!("aal=aal2&{query}"))
            .await?;
        let fields = browser.code()?;
        let answer = browser.submit_form(kratos, &flow, fields).await?;
        sheet.sent_to(&location, &answer, &location);
        sheet.holds("a cookie is set", answer.new_session().is_some());
        sheet.session(
            "whoami",
            &kratos.whoami(&browser.session()).await?,
            "aal2",
            &person.id,
        );
    }
    Ok(())
}

/// A time that Kratos wrote, in nanoseconds.
pub(super) fn nanos(session: &Value, name: &str) -> i128 {
    let text = session
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default();
    text.parse::<Timestamp>()
        .map(Timestamp::as_nanosecond)
        .unwrap_or_default()
}

async fn times(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.enrolled().await?;
    let before = kratos.newest_session(&browser.person).await?;
    kratos.advance(Duration::from_secs(2));
    let answer = browser.step_up(kratos, "aal=aal2").await?;
    let submitted = answer.at("/session");
    let after = kratos.whoami(&browser.session()).await?.json;
    for name in ["authenticated_at", "expires_at"] {
        sheet.holds(
            format!("{name} moved"),
            nanos(&after, name) > nanos(&before, name),
        );
    }
    let lived = nanos(&after, "expires_at").saturating_sub(nanos(&after, "authenticated_at"));
    let lifespan = i128::try_from(kratos.target().lifespan.as_nanos()).unwrap_or_default();
    sheet.holds(
        "expires_at is a lifespan after authenticated_at",
        lived == lifespan,
    );
    sheet.holds(
        "issued_at stays",
        nanos(&after, "issued_at") == nanos(&before, "issued_at"),
    );
    let new = nanos(&submitted, "issued_at") == nanos(&submitted, "authenticated_at");
    sheet.holds("the submit answer shows the new time as issued_at", new);
    let devices = after.get("devices").and_then(Value::as_array).map(Vec::len);
    sheet.same("devices", json!(devices), 1);
    sheet.same(
        "methods",
        methods(&after),
        json!(["password/aal1", "lookup_secret/aal2"]),
    );
    Ok(())
}

async fn old_cookie(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.enrolled().await?;
    let old = browser.session();
    kratos.advance(Duration::from_secs(2));
    browser.step_up(kratos, "aal=aal2").await?;
    let answer = kratos.whoami(&old).await?;
    sheet.session("the old value", &answer, "aal2", &browser.person.id);
    sheet.holds(
        "it is issued anew",
        answer.new_session().is_some_and(|value| value != old),
    );
    Ok(())
}
