//! K-115 to K-118: a second factor asked for twice, or in somebody else's flow.

use std::time::Duration;

use serde_json::json;

use super::Error;
use super::answer::Answer;
use super::browser::{Browser, Flow};
use super::client::Kratos;
use super::login::CODE_FORM;
use super::row::{Row, row};
use super::second_factor::{return_to, wrong};
use super::sheet::Sheet;
use super::step_up::nanos;

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!(
            "K-115",
            "the second of two tabs loses its return_to",
            two_tabs
        ),
        row!(
            "K-116",
            "with refresh the second of two tabs keeps it",
            two_tabs_refresh
        ),
        row!("K-117", "a second factor asked again", asked_again),
        row!(
            "K-118",
            "another person's flow lifts the submitter only",
            foreign_flow
        ),
    ]
}

/// Three flows of one browser, the first of which is finished: the other two.
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
    kratos.advance(Duration::from_secs(2));
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
    submitter.take_session(&other.session());
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
