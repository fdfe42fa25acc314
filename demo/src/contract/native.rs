//! K-107 to K-111: API flows with a session token, logging out, and paths that are not there.

use hyper::Method;
use serde_json::json;

use super::answer::Answer;
use super::browser::Flow;
use super::client::{Ask, Kratos, TOKEN_WAYS};
use super::login::CODE_FORM;
use super::person::{PASSWORD, password};
use super::row::{Row, row};
use super::sheet::Sheet;
use super::{Error, RequiredAal};

const LOGIN: &str = "/self-service/login/api";

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("K-107", "API login gives a token", login),
        row!("K-108a", "API step-up keeps token and session", step_up),
        row!(
            "K-108b",
            "API step-up without token, or without a factor",
            no_step_up
        ),
        row!(
            "K-108c",
            "login/browser reads a token, whichever way it comes",
            browser_by_token
        ),
        row!(
            "K-109",
            "an API submit with Cookie or Origin is refused",
            from_browser
        ),
        row!("K-110", "API logout ends the token", logout),
        row!("K-111", "unknown paths, health and version", paths),
    ]
}

async fn login(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let plain = kratos.person().await?;
    let answer = kratos.api_login(&plain).await?;
    sheet.same(
        "plain",
        json!([answer.status, answer.at("/session/identity/id")]),
        json!([200, plain.id]),
    );
    sheet.no_cookie("plain", &answer);
    sheet.starts("token", Some(&answer.text("/session_token")), "ory_st_");
    sheet.same(
        "length of the token",
        answer.text("/session_token").len(),
        39,
    );
    let enrolled = kratos.aal2().await?.person;
    let answer = kratos.api_login(&enrolled).await?;
    sheet.same("enrolled", answer.status, 200);
    sheet.starts(
        "enrolled: token",
        Some(&answer.text("/session_token")),
        "ory_st_",
    );
    let whoami = kratos
        .send(Ask::whoami().token(&answer.text("/session_token")))
        .await?;
    let identity = answer.at("/session/identity");
    match kratos.target().required_aal {
        RequiredAal::Aal1 => {
            sheet.same(
                "enrolled: identity",
                identity.pointer("/id").cloned().unwrap_or_default(),
                enrolled.id,
            );
            sheet.same("enrolled: whoami", whoami.status, 200);
        }
        RequiredAal::HighestAvailable => {
            sheet.same("enrolled: identity", identity, json!(null));
            sheet.refused(
                "enrolled: whoami",
                &whoami,
                403,
                Some("session_aal2_required"),
            );
        }
    }
    Ok(())
}

async fn submit(
    kratos: &Kratos<'_>,
    token: &str,
    query: &str,
    code: &str,
) -> Result<(Answer, Answer), Error> {
    let flow = kratos
        .send(Ask::get(format!("{LOGIN}?{query}")).json().token(token))
        .await?;
    let flow = Flow::new("login", flow.expect("open an API step-up", &[200])?)?;
    let fields = json!({"method": "lookup_secret", "lookup_secret": code});
    let ask = Ask::new(Method::POST, flow.path())
        .json()
        .token(token)
        .sends(&fields);
    Ok((flow.answer, kratos.send(ask).await?))
}

async fn step_up(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let person = kratos.aal2().await?.person;
    let login = kratos.api_login(&person).await?;
    let token = login.text("/session_token");
    let (flow, answer) = submit(kratos, &token, "aal=aal2", &person.backup_code()?).await?;
    let got = json!([flow.at("/type"), flow.nodes(), flow.messages()]);
    sheet.same("flow", got, json!(["api", CODE_FORM, [1_010_004]]));
    let got = json!([
        answer.status,
        answer.at("/session_token"),
        answer.at("/session/id")
    ]);
    sheet.same(
        "same token, same session",
        got,
        json!([200, token, login.at("/session/id")]),
    );
    let answer = kratos.send(Ask::whoami().token(&token)).await?;
    sheet.session("whoami", &answer, "aal2", &person.id);
    let again = kratos
        .send(Ask::get(format!("{LOGIN}?aal=aal2")).json().token(&token))
        .await?;
    sheet.refused("again", &again, 400, Some("session_already_available"));
    let (_, answer) = submit(
        kratos,
        &token,
        "aal=aal2&refresh=true",
        &person.backup_code()?,
    )
    .await?;
    sheet.same("again with refresh", answer.status, 200);
    Ok(())
}

async fn no_step_up(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let ask = || Ask::get(format!("{LOGIN}?aal=aal2")).json();
    let answer = kratos.send(ask()).await?;
    sheet.refused("no token", &answer, 401, Some("session_aal1_required"));
    let answer = kratos.send(ask().token("ory_st_not-a-token")).await?;
    sheet.refused("unknown token", &answer, 401, Some("session_aal1_required"));
    let token = kratos.token(&kratos.person().await?).await?;
    let answer = kratos.send(ask().token(&token)).await?;
    sheet.same("nothing enrolled", answer.status, 200);
    let nodes = answer.json.pointer("/ui/nodes");
    sheet.holds(
        "nothing enrolled: nodes is there, and null",
        nodes.is_some_and(serde_json::Value::is_null),
    );
    Ok(())
}

async fn browser_by_token(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let plain = kratos.token(&kratos.person().await?).await?;
    let enrolled = kratos.token(&kratos.aal2().await?.person).await?;
    for (way, with) in TOKEN_WAYS {
        let ask = |token: &str| {
            with(
                Ask::get("/self-service/login/browser?aal=aal2").json(),
                token,
            )
        };
        let answer = kratos.send(ask(&plain)).await?;
        let got = json!([answer.status, answer.nodes()]);
        sheet.same(
            format!("plain-1 {way}"),
            got,
            json!([200, ["default:csrf_token"]]),
        );
        let answer = kratos.send(ask(&enrolled)).await?;
        let got = json!([answer.status, answer.nodes()]);
        sheet.same(format!("enrolled-1 {way}"), got, json!([200, CODE_FORM]));
        let answer = kratos.send(ask("ory_st_not-a-token")).await?;
        sheet.refused(
            &format!("unknown {way}"),
            &answer,
            401,
            Some("session_aal1_required"),
        );
    }
    Ok(())
}

async fn from_browser(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let person = kratos.person().await?;
    for (name, value) in [("cookie", "a=b"), ("origin", "http://127.0.0.1:4455")] {
        let flow = kratos.send(Ask::get(LOGIN).json()).await?;
        let flow = Flow::new("login", flow.expect("open an API login", &[200])?)?;
        let ask = Ask::new(Method::POST, flow.path())
            .json()
            .header(name, value);
        let answer = kratos
            .send(ask.sends(&password(&person.email, PASSWORD)))
            .await?;
        sheet.flow_says(name, &answer, 4_000_001);
        sheet.same(format!("{name}: same flow"), answer.at("/id"), flow.id);
    }
    Ok(())
}

async fn logout(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let token = kratos.token(&kratos.person().await?).await?;
    let ask = Ask::new(Method::DELETE, "/self-service/logout/api").json();
    let answer = kratos
        .send(ask.sends(&json!({"session_token": token})))
        .await?;
    sheet.same("logout", answer.status, 204);
    sheet.e401("whoami", &kratos.send(Ask::whoami().token(&token)).await?);
    Ok(())
}

async fn paths(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    for path in ["/nothing", "/", "/version"] {
        let answer = kratos.send(Ask::get(path)).await?;
        let got = json!([answer.status, answer.header("content-type")]);
        sheet.same(path, got, json!([404, "text/plain; charset=utf-8"]));
    }
    for path in ["/health/alive", "/health/ready"] {
        for ask in [Ask::get(path), Ask::get(path).admin()] {
            let answer = kratos.send(ask).await?;
            sheet.same(
                path,
                json!([answer.status, answer.json]),
                json!([200, {"status": "ok"}]),
            );
        }
    }
    let answer = kratos.send(Ask::get("/version").admin()).await?;
    sheet.same(
        "/version",
        json!([answer.status, answer.at("/version").is_string()]),
        json!([200, true]),
    );
    Ok(())
}
