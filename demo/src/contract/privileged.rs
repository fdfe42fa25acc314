//! K-96: a login too old to change factors.

use serde_json::{Value, json};

use super::Error;
use super::browser::{Browser, Flow};
use super::client::Kratos;
use super::person::{PASSWORD, password};
use super::row::{Row, row};
use super::sheet::Sheet;
use super::target::enc;

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("K-96a", "an old login may not enrol, by program", old_login).takes_time(),
        row!(
            "K-96b",
            "an old login enrols after the password, by form",
            old_login_form
        )
        .takes_time(),
    ]
}

/// A browser whose login is older than settings allow, with a settings flow open and the fields to enrol TOTP.
async fn old(kratos: &Kratos<'_>) -> Result<(Browser, Flow, Value), Error> {
    let mut browser = kratos.plain().await?;
    kratos
        .wait_signed_in(&browser, kratos.target().privileged_max_age)
        .await?;
    let flow = browser
        .open_settings(kratos, &kratos.target().return_to_query())
        .await?;
    let fields = browser.new_totp(&flow)?;
    Ok((browser, flow, fields))
}

fn confirm_link(kratos: &Kratos<'_>, flow: &str) -> String {
    let base = kratos.target().base();
    let settings = enc(&format!("{base}/self-service/settings?flow={flow}"));
    format!("{base}/self-service/login/browser?refresh=true&return_to={settings}")
}

async fn old_login(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let (mut browser, flow, fields) = old(kratos).await?;
    let answer = browser.submit(kratos, &flow, fields).await?;
    sheet.refused("enrol", &answer, 403, Some("session_refresh_required"));
    sheet.same(
        "redirect_browser_to",
        answer.at("/redirect_browser_to"),
        confirm_link(kratos, &flow.id),
    );
    sheet.session(
        "whoami",
        &kratos.whoami(&browser.session()).await?,
        "aal1",
        &browser.person.id,
    );
    let flow = browser.open_settings(kratos, "").await?;
    let fields =
        json!({"method": "profile", "traits": {"email": browser.person.email, "role": "teller"}});
    sheet.same(
        "ordinary trait",
        browser.submit(kratos, &flow, fields).await?.status,
        200,
    );
    Ok(())
}

async fn old_login_form(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let (mut browser, settings, fields) = old(kratos).await?;
    let link = confirm_link(kratos, &settings.id);
    sheet.sent_to(
        "enrol",
        &browser.submit_form(kratos, &settings, fields).await?,
        &link,
    );
    let query = link.split_once('?').map_or("", |(_, query)| query);
    let flow = browser.open_login(kratos, query).await?;
    let fields = password(&browser.person.email, PASSWORD);
    let answer = browser.submit_form(kratos, &flow, fields).await?;
    let held = format!("{}{}", kratos.target().base(), settings.path());
    sheet.sent_to("after the password", &answer, &held);
    let answer = browser.page(kratos, settings.path()).await?;
    sheet.sent_to("the held submit", &answer, &kratos.target().return_to());
    let answer = kratos.whoami(&browser.session()).await?;
    sheet.session("whoami", &answer, "aal2", &browser.person.id);
    let order = json!(["password/aal1", "password/aal1", "totp/aal2"]);
    sheet.same("methods", answer.methods(), order);
    Ok(())
}
