//! K-102 to K-104: recovery by a mailed code, which is a first factor and no more.

use hyper::Method;
use serde_json::{Value, json};

use super::Error;
use super::answer::Answer;
use super::browser::{Browser, Flow};
use super::client::Kratos;
use super::row::{Row, row};
use super::sheet::Sheet;

const PATH: &str = "/self-service/recovery/browser";
const ADDRESS_FORM: [&str; 3] = ["default:csrf_token", "code:email", "code:method"];

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("K-102a", "a mailed code gives a new session at aal1", json),
        row!("K-102b", "the same by form", form),
        row!("K-102c", "an unknown address is answered alike", stranger),
        row!(
            "K-102d",
            "a wrong code is refused, and the right one still taken",
            wrong
        ),
        row!("K-103", "who has a second factor still owes it", enrolled),
        row!("K-104", "nobody recovers while signed in", signed_in),
    ]
}

async fn json(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let old = kratos.plain().await?;
    let mut browser = Browser::of(old.person.clone());
    let flow = open(kratos, &mut browser).await?;
    sheet.same("the form", flow.answer.nodes(), json!(ADDRESS_FORM));
    sheet.same(
        "the flow",
        json!([flow.answer.at("/active"), flow.answer.at("/state")]),
        json!(["code", "choose_method"]),
    );
    let sent = name(kratos, &mut browser, &flow).await?;
    is_sent(sheet, "named", &sent);
    let answer = give(kratos, &mut browser, sent).await?;
    let id = Some("browser_location_change_required");
    sheet.refused("the code", &answer, 422, id);
    let page = format!("{}/settings?flow=", kratos.target().ui);
    let to = answer.text("/redirect_browser_to");
    sheet.starts("on to", Some(&to), &page);
    let whoami = kratos.whoami(&browser.session()).await?;
    sheet.session("whoami", &whoami, "aal1", &browser.person.id);
    sheet.same("methods", whoami.methods(), json!(["code_recovery/aal1"]));
    let before = kratos.whoami(&old.session()).await?;
    sheet.session("the older session", &before, "aal1", &browser.person.id);
    let id = to.strip_prefix(&page).unwrap_or_default();
    let path = format!("/self-service/settings/flows?id={id}");
    sheet.same(
        "its settings",
        browser.data(kratos, path).await?.status,
        200,
    );
    Ok(())
}

async fn form(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = Browser::of(kratos.person().await?);
    let flow = open(kratos, &mut browser).await?;
    let fields = json!({"method": "code", "email": browser.person.email});
    let answer = browser.submit_form(kratos, &flow, fields).await?;
    let page = format!("{}/recovery?flow={}", kratos.target().ui, flow.id);
    sheet.sent_to("named", &answer, &page);
    let code = mailed(kratos, &browser.person.email).await?;
    let fields = json!({"method": "code", "code": code});
    let answer = browser.submit_form(kratos, &flow, fields).await?;
    let settings = format!("{}/settings?flow=", kratos.target().ui);
    sheet.sent_near("the code", &answer, &settings);
    let whoami = kratos.whoami(&browser.session()).await?;
    sheet.session("whoami", &whoami, "aal1", &browser.person.id);
    Ok(())
}

async fn stranger(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = Browser::default();
    browser.person.email = kratos.new_email();
    let flow = open(kratos, &mut browser).await?;
    let fields = json!({"method": "code", "email": browser.person.email});
    let answer = browser.submit(kratos, &flow, fields).await?;
    is_sent(sheet, "nobody", &answer);
    Ok(())
}

async fn wrong(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = Browser::of(kratos.person().await?);
    let flow = open(kratos, &mut browser).await?;
    let sent = name(kratos, &mut browser, &flow).await?;
    let code = mailed(kratos, &browser.person.email).await?;
    let other = if code == "000000" { "000001" } else { "000000" };
    let flow = Flow::new("recovery", sent)?;
    let fields = json!({"method": "code", "code": other});
    let answer = browser.submit(kratos, &flow, fields).await?;
    sheet.same(
        "a wrong code",
        json!([answer.status, answer.messages()]),
        json!([200, [4_060_006]]),
    );
    sheet.same("no session", browser.session(), "");
    let fields = json!({"method": "code", "code": code});
    let answer = browser.submit(kratos, &flow, fields).await?;
    sheet.same("the right one", answer.status, 422);
    Ok(())
}

async fn enrolled(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = Browser::of(kratos.aal2().await?.person);
    let flow = open(kratos, &mut browser).await?;
    let sent = name(kratos, &mut browser, &flow).await?;
    let answer = give(kratos, &mut browser, sent).await?;
    let to = answer.text("/redirect_browser_to");
    let id = to.rsplit('=').next().unwrap_or_default();
    let settings = browser
        .data(kratos, format!("/self-service/settings/flows?id={id}"))
        .await?;
    sheet.refused(
        "its settings",
        &settings,
        403,
        Some("session_aal2_required"),
    );
    let opened = browser
        .data(kratos, "/self-service/settings/browser")
        .await?;
    sheet.refused("others", &opened, 403, Some("session_aal2_required"));
    let lifted = browser.step_up(kratos, "aal=aal2").await?;
    sheet.same("stepped up", lifted.status, 200);
    let whoami = kratos.whoami(&browser.session()).await?;
    sheet.session("whoami", &whoami, "aal2", &browser.person.id);
    sheet.same(
        "methods",
        whoami.methods(),
        json!(["code_recovery/aal1", "lookup_secret/aal2"]),
    );
    Ok(())
}

async fn signed_in(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.plain().await?;
    let answer = browser.page(kratos, PATH).await?;
    sheet.same(
        "H",
        json!([answer.status, answer.location()]),
        json!([302, kratos.target().default_url]),
    );
    let answer = browser.data(kratos, PATH).await?;
    sheet.refused("J", &answer, 400, Some("session_already_available"));
    let whoami = kratos.whoami(&browser.session()).await?;
    sheet.session("the session", &whoami, "aal1", &browser.person.id);
    Ok(())
}

async fn open(kratos: &Kratos<'_>, browser: &mut Browser) -> Result<Flow, Error> {
    let answer = browser.data(kratos, PATH).await?;
    Flow::new("recovery", answer.expect("open a recovery flow", &[200])?)
}

/// Names the address of whoever sits there.
async fn name(kratos: &Kratos<'_>, browser: &mut Browser, flow: &Flow) -> Result<Answer, Error> {
    let fields = json!({"method": "code", "email": browser.person.email});
    browser.submit(kratos, flow, fields).await
}

/// Gives the code that was mailed.
async fn give(kratos: &Kratos<'_>, browser: &mut Browser, sent: Answer) -> Result<Answer, Error> {
    let code = mailed(kratos, &browser.person.email).await?;
    let flow = Flow::new("recovery", sent)?;
    let fields = json!({"method": "code", "code": code});
    browser.submit(kratos, &flow, fields).await
}

fn is_sent(sheet: &mut Sheet, what: &str, answer: &Answer) {
    sheet.same(
        what,
        json!([answer.status, answer.at("/state"), answer.messages()]),
        json!([200, "sent_email", [1_060_003]]),
    );
    let nodes = [
        "default:csrf_token",
        "code:code",
        "code:method",
        "code:method",
        "code:email",
    ];
    sheet.same(format!("{what}: form"), answer.nodes(), json!(nodes));
}

/// The six digits of the newest mail to that address.
async fn mailed(kratos: &Kratos<'_>, email: &str) -> Result<String, Error> {
    let answer = kratos
        .admin(Method::GET, "/admin/courier/messages".to_owned())
        .await?;
    let mails = answer.at("");
    let mut mails = mails.as_array().into_iter().flatten();
    let mail = mails.find(|mail| mail.get("recipient").and_then(Value::as_str) == Some(email));
    let body = mail.and_then(|mail| mail.get("body")?.as_str());
    let words = body.unwrap_or_default().split_whitespace();
    let mut codes =
        words.filter(|word| word.len() == 6 && word.bytes().all(|b| b.is_ascii_digit()));
    codes
        .next()
        .map(str::to_owned)
        .ok_or(Error::Missing("code in a mail"))
}
