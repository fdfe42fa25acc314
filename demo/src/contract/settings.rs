//! K-82 to K-89: who gets into the settings, and where the others are sent.

use serde_json::json;

use super::Error;
use super::answer::Answer;
use super::browser::Browser;
use super::client::{Ask, Kratos, TOKEN_WAYS};
use super::row::{Row, row};
use super::sheet::Sheet;
use super::target::enc;
use super::whoami::unknown;

const PATH: &str = "/self-service/settings/browser";

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("K-82", "the enrolment probe with a session cookie", probe),
        row!(
            "K-83",
            "the enrolment probe with a session token",
            probe_by_token
        ),
        row!(
            "K-84",
            "a page without a session is sent to log in",
            no_session
        ),
        row!("K-85", "plain-1 and aal2 are let in", let_in),
        row!(
            "K-86",
            "enrolled-1 with return_to steps up and comes back",
            comes_back
        ),
        row!(
            "K-87",
            "enrolled-1 without return_to steps up and does not",
            does_not
        ),
        row!("K-88", "a return_to that is not allowed", forbidden),
        row!(
            "K-89",
            "a foreign host in front ends on the error UI",
            forwarded
        ),
    ]
}

async fn probe(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let ask = |browser: &Browser| Ask::get(PATH).json().session(&browser.session());
    for (who, browser) in [
        ("plain-1", kratos.plain().await?),
        ("aal2", kratos.aal2().await?),
    ] {
        let answer = kratos.send(ask(&browser)).await?;
        sheet.same(
            who,
            json!([answer.status, answer.at("/identity/id")]),
            json!([200, browser.person.id]),
        );
    }
    let link = format!(
        "{}/self-service/login/browser?aal=aal2",
        kratos.target().base()
    );
    let answer = kratos.send(ask(&kratos.enrolled().await?)).await?;
    sheet.e403_aal2("enrolled-1", &answer, &link);
    for (who, browser) in unknown() {
        let answer = kratos.send(ask(&browser)).await?;
        sheet.refused(who, &answer, 401, Some("session_inactive"));
        sheet.holds(
            format!("{who}: extra member"),
            answer.json.get("CredentialsMissing").is_some(),
        );
    }
    Ok(())
}

async fn probe_by_token(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let plain = kratos.token(&kratos.person().await?).await?;
    let enrolled = kratos.token(&kratos.aal2().await?.person).await?;
    let link = format!(
        "{}/self-service/login/browser?aal=aal2",
        kratos.target().base()
    );

    for path in [PATH, "/self-service/settings/api"] {
        for (way, with) in TOKEN_WAYS {
            let ask = |token: &str| with(Ask::get(path).json(), token);
            let what = |who: &str| format!("{who} {way} {path}");
            sheet.same(what("plain-1"), kratos.send(ask(&plain)).await?.status, 200);
            sheet.e403_aal2(
                &what("enrolled-1"),
                &kratos.send(ask(&enrolled)).await?,
                &link,
            );
            let answer = kratos.send(ask("ory_st_not-a-token")).await?;
            sheet.refused(&what("unknown"), &answer, 401, Some("session_inactive"));
        }
    }
    Ok(())
}

fn with_return_to(kratos: &Kratos<'_>) -> String {
    format!("{PATH}?return_to={}", enc(&kratos.target().return_to()))
}

async fn no_session(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let base = kratos.target().base();
    for (who, mut browser) in unknown() {
        let answer = browser.page(kratos, with_return_to(kratos)).await?;
        let link = format!(
            "{base}/self-service/login/browser?return_to={}",
            enc(&kratos.target().return_to())
        );
        sheet.sent_to(who, &answer, &link);
    }
    Ok(())
}

/// The settings flow that a page was sent to.
async fn settings_flow(
    kratos: &Kratos<'_>,
    browser: &mut Browser,
    answer: &Answer,
) -> Result<Answer, Error> {
    let start = format!("{}/settings?flow=", kratos.target().ui);
    let id = answer
        .location()
        .and_then(|to| to.strip_prefix(&start))
        .unwrap_or_default();
    browser
        .data(kratos, format!("/self-service/settings/flows?id={id}"))
        .await
}

async fn let_in(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    for (who, mut browser) in [
        ("plain-1", kratos.plain().await?),
        ("aal2", kratos.aal2().await?),
    ] {
        let answer = browser.page(kratos, with_return_to(kratos)).await?;
        sheet.sent_near(
            who,
            &answer,
            &format!("{}/settings?flow=", kratos.target().ui),
        );
        let flow = settings_flow(kratos, &mut browser, &answer).await?;
        let got = json!([flow.status, flow.at("/return_to"), flow.at("/state")]);
        sheet.same(
            format!("{who}: flow"),
            got,
            json!([200, kratos.target().return_to(), "show_form"]),
        );
    }
    Ok(())
}

async fn comes_back(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.enrolled().await?;
    let base = kratos.target().base();
    let settings = format!("{base}{}", with_return_to(kratos));
    let link = format!(
        "{base}/self-service/login/browser?aal=aal2&return_to={}",
        enc(&settings)
    );
    sheet.e403_aal2(
        "J",
        &browser.data(kratos, with_return_to(kratos)).await?,
        &link,
    );
    sheet.sent_to(
        "H",
        &browser.page(kratos, with_return_to(kratos)).await?,
        &link,
    );
    let flow = browser
        .open_login(kratos, &format!("aal=aal2&return_to={}", enc(&settings)))
        .await?;
    let fields = browser.code()?;
    let answer = browser.submit_form(kratos, &flow, fields).await?;
    sheet.sent_to("after the code", &answer, &settings);
    let answer = browser.page(kratos, with_return_to(kratos)).await?;
    let flow = settings_flow(kratos, &mut browser, &answer).await?;
    sheet.same(
        "return_to of the settings",
        flow.at("/return_to"),
        kratos.target().return_to(),
    );
    Ok(())
}

async fn does_not(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.enrolled().await?;
    let link = format!(
        "{}/self-service/login/browser?aal=aal2",
        kratos.target().base()
    );
    sheet.e403_aal2("J", &browser.data(kratos, PATH).await?, &link);
    sheet.sent_to("H", &browser.page(kratos, PATH).await?, &link);
    let flow = browser.open_login(kratos, "aal=aal2").await?;
    let fields = browser.code()?;
    let answer = browser.submit_form(kratos, &flow, fields).await?;
    sheet.sent_to("after the code", &answer, &kratos.target().default_url);
    Ok(())
}

async fn forbidden(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let path = format!("{PATH}?return_to={}", enc("http://evil.example.test/"));
    let id = Some("self_service_flow_return_to_forbidden");
    let mut plain = kratos.plain().await?;
    sheet.refused(
        "plain-1 J",
        &plain.data(kratos, path.as_str()).await?,
        400,
        id,
    );
    let answer = plain.page(kratos, path.as_str()).await?;
    sheet
        .error_page("plain-1 H", kratos, &answer, 400, id)
        .await?;
    let answer = kratos.enrolled().await?.data(kratos, path.as_str()).await?;
    sheet.refused("enrolled-1 J", &answer, 403, Some("session_aal2_required"));
    let answer = Browser::default().data(kratos, path).await?;
    sheet.refused("none J", &answer, 401, Some("session_inactive"));
    Ok(())
}

async fn forwarded(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.enrolled().await?;
    let base = kratos.target().base();
    let ask = || Ask::get(with_return_to(kratos)).html();
    let asks = [
        (
            "https",
            ask()
                .header("x-forwarded-host", "internal.example.test")
                .header("x-forwarded-proto", "https"),
        ),
        ("http", ask().header("host", "internal.example.test")),
    ];
    for (scheme, ask) in asks {
        let answer = browser.send(kratos, ask).await?;
        let inner = format!("{scheme}://internal.example.test{}", with_return_to(kratos));
        let query = format!(
            "/self-service/login/browser?aal=aal2&return_to={}",
            enc(&inner)
        );
        sheet.sent_to(scheme, &answer, &format!("{base}{query}"));
        let answer = browser.page(kratos, query).await?;
        let id = Some("self_service_flow_return_to_forbidden");
        sheet.error_page(scheme, kratos, &answer, 400, id).await?;
    }
    Ok(())
}
