//! K-70 to K-73: the password, and where it leads.

use serde_json::json;

use super::answer::Answer;
use super::browser::Browser;
use super::client::Kratos;
use super::person::{PASSWORD, Person, password};
use super::row::{Row, row};
use super::sheet::Sheet;
use super::{Error, RequiredAal};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!(
            "K-70a",
            "password of a plain person, by program",
            plain_json
        ),
        row!(
            "K-70b",
            "password of an enrolled person, by program",
            enrolled_json
        )
        .only(RequiredAal::Aal1),
        row!("K-71a", "password of a plain person, by form", plain_form),
        row!(
            "K-71b",
            "password of an enrolled person, by form",
            enrolled_form
        )
        .only(RequiredAal::Aal1),
        row!(
            "K-72",
            "password of an enrolled person leads on to aal2",
            leads_on
        )
        .only(RequiredAal::HighestAvailable),
        row!("K-73", "a wrong password", wrong_password),
    ]
}

/// Opens a login flow with this query and submits the password.
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
    let (browser, answer) =
        log_in(kratos, person, &kratos.target().return_to_query(), false).await?;
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
    let (browser, answer) =
        log_in(kratos, person, &kratos.target().return_to_query(), true).await?;
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
    let query = kratos.target().return_to_query();
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
