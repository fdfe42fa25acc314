//! K-70 to K-77: the first factor, and a step-up that succeeds.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::browser::{Browser, code, lookup};
use super::client::{Answer, Kratos};
use super::compare::methods;
use super::login::enc;
use super::person::{PASSWORD, Person, password};
use super::row::Row;
use super::sheet::Sheet;
use super::{Error, RequiredAal};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("K-70a", "password of a plain person, by program", |k, s| {
            Box::pin(plain_json(k, s))
        }),
        Row::new(
            "K-70b",
            "password of an enrolled person, by program",
            |k, s| Box::pin(enrolled_json(k, s)),
        )
        .only(RequiredAal::Aal1),
        Row::new("K-71a", "password of a plain person, by form", |k, s| {
            Box::pin(plain_form(k, s))
        }),
        Row::new(
            "K-71b",
            "password of an enrolled person, by form",
            |k, s| Box::pin(enrolled_form(k, s)),
        )
        .only(RequiredAal::Aal1),
        Row::new(
            "K-72",
            "password of an enrolled person leads on to aal2",
            |k, s| Box::pin(leads_on(k, s)),
        )
        .only(RequiredAal::HighestAvailable),
        Row::new("K-73", "a wrong password", |k, s| {
            Box::pin(wrong_password(k, s))
        }),
        Row::new(
            "K-74a",
            "step-up by TOTP: same session, new cookie",
            |k, s| Box::pin(by_totp(k, s)),
        ),
        Row::new(
            "K-74b",
            "step-up by backup code: same session, new cookie",
            |k, s| Box::pin(by_code(k, s)),
        ),
        Row::new(
            "K-75",
            "step-up by form goes exactly to return_to",
            |k, s| Box::pin(by_form(k, s)),
        ),
        Row::new("K-76", "times after a step-up", |k, s| {
            Box::pin(times(k, s))
        }),
        Row::new(
            "K-77",
            "the cookie from before the step-up is aal2 too",
            |k, s| Box::pin(old_cookie(k, s)),
        ),
    ]
}

/// Logs in on a flow that has a return_to, and on one that has none; what the two answers must be differs.
async fn log_in(
    kratos: &Kratos<'_>,
    person: &Person,
    query: &str,
    by_form: bool,
) -> Result<(Browser, Answer), Error> {
    let mut browser = Browser::of(person.clone());
    let flow = browser.open_login(kratos, query).await?;
    let fields = password(&person.email, PASSWORD);
    let answer = if by_form {
        browser.submit_form(kratos, &flow, fields).await?
    } else {
        browser.submit(kratos, &flow, fields).await?
    };
    Ok((browser, answer))
}

fn with_return_to(kratos: &Kratos<'_>) -> String {
    format!("return_to={}", enc(&kratos.target().return_to()))
}

async fn plain_json(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let person = kratos.person().await?;
    answered_with_session(kratos, sheet, &person).await
}

async fn enrolled_json(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let person = kratos.aal2().await?.person;
    answered_with_session(kratos, sheet, &person).await
}

async fn answered_with_session(
    kratos: &Kratos<'_>,
    sheet: &mut Sheet,
    person: &Person,
) -> Result<(), Error> {
    let (browser, answer) = log_in(kratos, person, &with_return_to(kratos), false).await?;
    sheet.goes_on_to("with return_to", &answer, &kratos.target().return_to());
    let got = json!([
        answer.at("/session/authenticator_assurance_level"),
        answer.at("/session/identity/id")
    ]);
    sheet.same("session", got, json!(["aal1", person.id]));
    sheet.same("no session_token", answer.at("/session_token"), json!(null));
    let mut names: Vec<_> = answer
        .set_cookies()
        .iter()
        .filter_map(|cookie| cookie.get(..11))
        .collect();
    names.sort_unstable();
    sheet.same("cookies", names, json!(["csrf_token_", "ory_kratos_"]));
    sheet.session(
        "whoami",
        &kratos.whoami(&browser.session()).await?,
        "aal1",
        &person.id,
    );
    let (_, answer) = log_in(kratos, person, "", false).await?;
    sheet.goes_on_to("without return_to", &answer, &kratos.target().default_url);
    Ok(())
}

async fn plain_form(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let person = kratos.person().await?;
    sent_on(kratos, sheet, &person).await
}

async fn enrolled_form(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let person = kratos.aal2().await?.person;
    sent_on(kratos, sheet, &person).await
}

async fn sent_on(kratos: &Kratos<'_>, sheet: &mut Sheet, person: &Person) -> Result<(), Error> {
    let (browser, answer) = log_in(kratos, person, &with_return_to(kratos), true).await?;
    sheet.sent_to("with return_to", &answer, &kratos.target().return_to());
    sheet.session(
        "whoami",
        &kratos.whoami(&browser.session()).await?,
        "aal1",
        &person.id,
    );
    let (_, answer) = log_in(kratos, person, "", true).await?;
    sheet.sent_to("without return_to", &answer, &kratos.target().default_url);
    Ok(())
}

async fn leads_on(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let person = kratos.aal2().await?.person;
    let query = with_return_to(kratos);
    let step_up = format!(
        "{}/self-service/login/browser?aal=aal2",
        kratos.target().base()
    );
    let link = format!("{step_up}&{query}");
    let (browser, answer) = log_in(kratos, &person, &query, false).await?;
    sheet.refused("J", &answer, 422, Some("browser_location_change_required"));
    sheet.same(
        "J: redirect_browser_to",
        answer.at("/redirect_browser_to"),
        link.as_str(),
    );
    sheet.e403_aal2(
        "J: whoami",
        &kratos.whoami(&browser.session()).await?,
        &step_up,
    );
    let (mut browser, answer) = log_in(kratos, &person, &query, true).await?;
    sheet.sent_to("H", &answer, &link);
    sheet.e403_aal2(
        "H: whoami",
        &kratos.whoami(&browser.session()).await?,
        &step_up,
    );
    let flow = browser
        .open_login(kratos, &format!("aal=aal2&{query}"))
        .await?;
    let fields = browser.code()?;
    let answer = browser.submit_form(kratos, &flow, fields).await?;
    sheet.sent_to("after the code", &answer, &kratos.target().return_to());
    Ok(())
}

async fn wrong_password(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = Browser::of(kratos.person().await?);
    let flow = browser.open_login(kratos, "").await?;
    let fields = password(&browser.person.email, "not-the-password");
    let answer = browser.submit(kratos, &flow, fields).await?;
    sheet.flow_says("wrong password", &answer, 4_000_006);
    sheet.same("same flow", answer.at("/id"), flow.id);
    sheet.same("no session", browser.session(), "");
    Ok(())
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
        .open_login(kratos, &format!("aal=aal2&{}", with_return_to(kratos)))
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
        (with_return_to(kratos), kratos.target().return_to()),
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
