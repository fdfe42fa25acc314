//! K-90 to K-93: factors enrolled in the settings, and what sessions make of it.

use std::time::Duration;

use serde_json::json;

use super::answer::Answer;
use super::browser::Browser;
use super::client::Kratos;
use super::row::{Row, row};
use super::second_factor::wrong;
use super::sheet::Sheet;
use super::{Error, RequiredAal};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("K-90a", "enrolling TOTP lifts the session at once", enrol),
        row!(
            "K-90b",
            "enrolling TOTP by form goes to return_to",
            enrol_form
        ),
        row!("K-91", "a wrong code enrols nothing", wrong_code),
        row!(
            "K-92a",
            "backup codes count once they are confirmed",
            backup_codes
        ),
        row!(
            "K-92b",
            "the fields of the settings tell what is set up",
            fields
        ),
        row!("K-93", "other sessions stay aal1", other_session),
    ]
}

async fn enrol(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.plain().await?;
    let before = kratos.whoami(&browser.session()).await?;
    kratos.advance(Duration::from_secs(2));
    let old = browser.session();
    let flow = browser
        .open_settings(kratos, &kratos.target().return_to_query())
        .await?;
    let fields = browser.new_totp(&flow)?;
    let answer = browser.submit(kratos, &flow, fields).await?;
    sheet.goes_on_to("submit", &answer, &kratos.target().return_to());
    let got = json!([answer.at("/state"), answer.messages()]);
    sheet.same("state and message", got, json!(["success", [1_050_001]]));
    sheet.holds(
        "a new cookie value",
        answer.new_session().is_some_and(|value| value != old),
    );
    let after = kratos.whoami(&browser.session()).await?;
    sheet.session("whoami", &after, "aal2", &browser.person.id);
    sheet.same(
        "methods",
        after.methods(),
        json!(["password/aal1", "totp/aal2"]),
    );
    for name in ["/id", "/authenticated_at", "/expires_at", "/issued_at"] {
        sheet.same(format!("{name} stays"), after.at(name), before.at(name));
    }
    Ok(())
}

async fn enrol_form(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let cases = [
        (
            kratos.target().return_to_query(),
            kratos.target().return_to(),
        ),
        (
            String::new(),
            format!("{}/settings?flow=", kratos.target().ui),
        ),
    ];
    for (query, location) in cases {
        let mut browser = kratos.plain().await?;
        let flow = browser.open_settings(kratos, &query).await?;
        let fields = browser.new_totp(&flow)?;
        let answer = browser.submit_form(kratos, &flow, fields).await?;
        let id = if query.is_empty() {
            flow.id.as_str()
        } else {
            ""
        };
        sheet.sent_to("submit", &answer, &format!("{location}{id}"));
        sheet.session(
            "whoami",
            &kratos.whoami(&browser.session()).await?,
            "aal2",
            &browser.person.id,
        );
    }
    Ok(())
}

async fn wrong_code(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.plain().await?;
    let flow = browser.open_settings(kratos, "").await?;
    browser.new_totp(&flow)?;
    let fields = wrong(&browser, &flow)?;
    sheet.flow_says(
        "submit",
        &browser.submit(kratos, &flow, fields).await?,
        4_000_008,
    );
    sheet.session(
        "whoami",
        &kratos.whoami(&browser.session()).await?,
        "aal1",
        &browser.person.id,
    );
    Ok(())
}

async fn backup_codes(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.plain().await?;
    let flow = browser.open_settings(kratos, "").await?;
    sheet.same(
        "before",
        offered(&flow.answer),
        json!(["lookup_secret_regenerate"]),
    );
    let fields = json!({"method": "lookup_secret", "lookup_secret_regenerate": true});
    let answer = browser.submit(kratos, &flow, fields).await?;
    let got = json!([
        answer.status,
        answer.at("/state"),
        answer.backup_codes().len()
    ]);
    sheet.same("generate", got, json!([200, "show_form", 12]));
    sheet.session(
        "after generate",
        &kratos.whoami(&browser.session()).await?,
        "aal1",
        &browser.person.id,
    );
    let fields = json!({"method": "lookup_secret", "lookup_secret_confirm": true});
    let answer = browser.submit(kratos, &flow, fields).await?;
    sheet.same(
        "confirm",
        json!([answer.status, answer.at("/state")]),
        json!([200, "success"]),
    );
    sheet.same(
        "after",
        offered(&answer),
        json!(["lookup_secret_reveal", "lookup_secret_disable"]),
    );
    let answer = kratos.whoami(&browser.session()).await?;
    sheet.session("after confirm", &answer, "aal2", &browser.person.id);
    sheet.same(
        "methods",
        answer.methods(),
        json!(["password/aal1", "lookup_secret/aal2"]),
    );
    Ok(())
}

/// What the settings offer to do about backup codes.
fn offered(flow: &Answer) -> Vec<String> {
    let nodes = flow.nodes().into_iter();
    nodes
        .filter_map(|node| node.strip_prefix("lookup_secret:").map(str::to_owned))
        .collect()
}

/// Fields of somebody without TOTP.
const NO_TOTP: [&str; 4] = [
    "totp:totp_qr",
    "totp:totp_secret_key",
    "totp:totp_code",
    "totp:method",
];
/// Fields of somebody with backup codes.
const CODES: [&str; 2] = [
    "lookup_secret:lookup_secret_reveal",
    "lookup_secret:lookup_secret_disable",
];

async fn fields(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.plain().await?;
    let no_codes = ["lookup_secret:lookup_secret_regenerate"];
    factors_are(
        kratos,
        sheet,
        &mut browser,
        "nothing",
        [&no_codes[..], &NO_TOTP[..]],
    )
    .await?;
    let answer = browser.enrol_totp(kratos).await?;
    let totp = ["totp:totp_unlink"];
    sheet.same(
        "the answer to TOTP",
        factors(&answer),
        json!([no_codes[0], totp[0]]),
    );
    factors_are(
        kratos,
        sheet,
        &mut browser,
        "TOTP",
        [&no_codes[..], &totp[..]],
    )
    .await?;
    browser.enrol_codes(kratos).await?;
    factors_are(kratos, sheet, &mut browser, "both", [&CODES[..], &totp[..]]).await?;
    let flow = browser.open_settings(kratos, "").await?;
    browser
        .submit(
            kratos,
            &flow,
            json!({"method": "totp", "totp_unlink": true}),
        )
        .await?;
    factors_are(
        kratos,
        sheet,
        &mut browser,
        "codes",
        [&CODES[..], &NO_TOTP[..]],
    )
    .await?;
    let flow = browser.open_settings(kratos, "").await?;
    let disable = json!({"method": "lookup_secret", "lookup_secret_disable": true});
    browser.submit(kratos, &flow, disable).await?;
    factors_are(
        kratos,
        sheet,
        &mut browser,
        "nothing again",
        [&no_codes[..], &NO_TOTP[..]],
    )
    .await
}

async fn factors_are(
    kratos: &Kratos<'_>,
    sheet: &mut Sheet,
    browser: &mut Browser,
    what: &str,
    want: [&[&str]; 2],
) -> Result<(), Error> {
    let flow = browser.open_settings(kratos, "").await?;
    sheet.same(what, factors(&flow.answer), json!(want.concat()));
    Ok(())
}

/// The fields of second factors, in order.
fn factors(flow: &Answer) -> Vec<String> {
    let of_factor = |node: &String| node.starts_with("totp:") || node.starts_with("lookup_secret:");
    flow.nodes().into_iter().filter(of_factor).collect()
}

async fn other_session(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.plain().await?;
    let other = Browser::signed_in(kratos, browser.person.clone()).await?;
    browser.enrol_totp(kratos).await?;
    let answer = kratos.whoami(&other.session()).await?;
    stays_aal1(kratos, sheet, "whoami", &answer, &browser.person.id);
    Ok(())
}

/// An aal1 session of an enrolled person, as each mode shows it.
pub(super) fn stays_aal1(
    kratos: &Kratos<'_>,
    sheet: &mut Sheet,
    what: &str,
    answer: &Answer,
    id: &str,
) {
    match kratos.target().required_aal {
        RequiredAal::Aal1 => sheet.session(what, answer, "aal1", id),
        RequiredAal::HighestAvailable => {
            sheet.refused(what, answer, 403, Some("session_aal2_required"));
        }
    }
}
