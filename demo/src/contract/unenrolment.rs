//! K-94, K-95, K-97 and K-98: factors that go, a password that changes, and what the admin sees.

use hyper::Method;
use serde_json::json;

use super::Error;
use super::answer::Answer;
use super::browser::Browser;
use super::client::Kratos;
use super::enrolment::stays_aal1;
use super::login::CODE_FORM;
use super::person::PASSWORD;
use super::row::{Row, row};
use super::sheet::Sheet;

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!(
            "K-94a",
            "TOTP unlinked: that session stays aal2, a new login is plain-1",
            unlinked
        ),
        row!("K-94b", "factors deleted by the admin", deleted),
        row!(
            "K-95",
            "used-up backup codes are a second factor still",
            used_up
        ),
        row!("K-97", "a changed password ends no session", new_password),
        row!("K-98", "what the admin sees of factors", admin_view),
    ]
}

async fn unlinked(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.plain().await?;
    browser.enrol_totp(kratos).await?;
    let mut aal1 = Browser::signed_in(kratos, browser.person.clone()).await?;
    let flow = browser.open_settings(kratos, "").await?;
    sheet.holds(
        "it is offered",
        flow.answer.nodes().contains(&"totp:totp_unlink".to_owned()),
    );
    let answer = browser
        .submit(
            kratos,
            &flow,
            json!({"method": "totp", "totp_unlink": true}),
        )
        .await?;
    sheet.same(
        "unlink",
        json!([answer.status, answer.at("/state")]),
        json!([200, "success"]),
    );
    let answer = kratos.whoami(&browser.session()).await?;
    sheet.session("that session", &answer, "aal2", &browser.person.id);
    sheet.same(
        "its methods",
        answer.methods(),
        json!(["password/aal1", "totp/aal2"]),
    );
    let new = Browser::signed_in(kratos, browser.person.clone()).await?;
    sheet.session(
        "a new login",
        &kratos.whoami(&new.session()).await?,
        "aal1",
        &browser.person.id,
    );
    sheet.session(
        "an aal1 session",
        &kratos.whoami(&aal1.session()).await?,
        "aal1",
        &browser.person.id,
    );
    sheet.same(
        "its settings",
        aal1.data(kratos, "/self-service/settings/browser")
            .await?
            .status,
        200,
    );
    let flow = browser.open_login(kratos, "aal=aal2&refresh=true").await?;
    sheet.same(
        "the form offered now",
        flow.answer.nodes(),
        json!(["default:csrf_token"]),
    );
    Ok(())
}

async fn deleted(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let browser = kratos.aal2().await?;
    let aal1 = Browser::signed_in(kratos, browser.person.clone()).await?;
    let path = |kind: &str| format!("/admin/identities/{}/credentials/{kind}", browser.person.id);
    let steps = [
        ("totp", 204),
        ("totp", 404),
        ("lookup_secret", 204),
        ("lookup_secret", 404),
        ("webauthn", 404),
    ];
    for (kind, status) in steps.into_iter().chain([("password", 400)]) {
        sheet.same(
            kind,
            kratos.admin(Method::DELETE, path(kind)).await?.status,
            status,
        );
    }
    let id = &browser.person.id;
    sheet.session(
        "the aal2 session",
        &kratos.whoami(&browser.session()).await?,
        "aal2",
        id,
    );
    sheet.session(
        "the aal1 session",
        &kratos.whoami(&aal1.session()).await?,
        "aal1",
        id,
    );
    Ok(())
}

async fn used_up(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.aal2().await?;
    let path = format!("/admin/identities/{}/credentials/totp", browser.person.id);
    sheet.same(
        "admin",
        kratos.admin(Method::DELETE, path).await?.status,
        204,
    );
    for left in ["all codes left", "no code left"] {
        let mut aal1 = Browser::signed_in(kratos, browser.person.clone()).await?;
        let answer = kratos.whoami(&aal1.session()).await?;
        stays_aal1(kratos, sheet, left, &answer, &browser.person.id);
        let answer = aal1.data(kratos, "/self-service/settings/browser").await?;
        sheet.refused(
            &format!("{left}: settings"),
            &answer,
            403,
            Some("session_aal2_required"),
        );
        let flow = aal1.open_login(kratos, "aal=aal2").await?;
        let codes_only: Vec<_> = CODE_FORM
            .iter()
            .filter(|node| !node.starts_with("totp:"))
            .collect();
        sheet.same(
            format!("{left}: form"),
            flow.answer.nodes(),
            json!(codes_only),
        );
        while left == "all codes left" && browser.person.codes_left() > 0 {
            browser.step_up(kratos, "aal=aal2&refresh=true").await?;
        }
    }
    Ok(())
}

async fn new_password(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.plain().await?;
    let other = Browser::signed_in(kratos, browser.person.clone()).await?;
    let flow = browser.open_settings(kratos, "").await?;
    let fields = json!({"method": "password", "password": format!("{PASSWORD}-changed")});
    sheet.same(
        "submit",
        browser.submit(kratos, &flow, fields).await?.status,
        200,
    );
    sheet.session(
        "own session",
        &kratos.whoami(&browser.session()).await?,
        "aal1",
        &browser.person.id,
    );
    sheet.session(
        "other session",
        &kratos.whoami(&other.session()).await?,
        "aal1",
        &browser.person.id,
    );
    Ok(())
}

async fn admin_view(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let enrolled = kratos.aal2().await?.person.id;
    let plain = kratos.person().await?.id;
    let view = async |id: &str, query: &str| {
        kratos
            .admin(Method::GET, format!("/admin/identities/{id}{query}"))
            .await
    };
    let answer = view(&enrolled, "").await?;
    sheet.same(
        "enrolled",
        kinds(&answer),
        json!(["lookup_secret", "password", "totp"]),
    );
    sheet.same("config", answer.at("/credentials/totp/config"), json!(null));
    sheet.same("available_aal", answer.at("/available_aal"), json!(null));
    sheet.same(
        "plain",
        kinds(&view(&plain, "").await?),
        json!(["password"]),
    );
    let answer = view(&enrolled, "?include_credential=totp").await?;
    let secret = answer.text("/credentials/totp/config/totp_url");
    sheet.starts("include_credential=totp", Some(&secret), "otpauth://totp/");
    sheet.same(
        "include_credential=nonsense",
        view(&enrolled, "?include_credential=nonsense")
            .await?
            .status,
        400,
    );
    Ok(())
}

fn kinds(answer: &Answer) -> Vec<String> {
    let credentials = answer.at("/credentials");
    let mut kinds: Vec<_> = credentials
        .as_object()
        .into_iter()
        .flat_map(|kinds| kinds.keys().cloned())
        .collect();
    kinds.sort_unstable();
    kinds
}
