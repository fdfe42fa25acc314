//! K-07 and K-08: sessions that are over.

use std::time::Duration;

use hyper::Method;
use serde_json::json;

use super::Error;
use super::client::{Ask, Kratos};
use super::row::{Row, row};
use super::sheet::Sheet;

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("K-07a", "a logged-out session is E-401", logged_out),
        row!("K-07b", "a revoked session is E-401", revoked),
        row!(
            "K-07c",
            "a session of a person whose sessions are deleted is E-401",
            sessions_deleted
        ),
        row!(
            "K-07d",
            "a session of a deleted identity is E-401",
            identity_deleted
        ),
        row!("K-07e", "an expired session is E-401", expired).takes_time(),
        row!(
            "K-08",
            "an inactive identity is E-401 until it is active again",
            inactive
        ),
    ]
}

async fn logged_out(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.plain().await?;
    let session = browser.session();
    let flow = browser.data(kratos, "/self-service/logout/browser").await?;
    sheet.same("logout flow", flow.status, 200);
    let url = flow.text("/logout_url");
    let path = url.strip_prefix(kratos.target().base()).unwrap_or_default();
    let answer = browser.page(kratos, path).await?;
    sheet.sent_to(
        "logout",
        &answer,
        &format!("{}/goodbye", kratos.target().ui),
    );
    sheet.e401("whoami", &kratos.whoami(&session).await?);
    Ok(())
}

async fn revoked(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let session = kratos.revoked().await?;
    sheet.e401("whoami", &kratos.whoami(&session).await?);
    Ok(())
}

async fn sessions_deleted(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let browser = kratos.plain().await?;
    let path = format!("/admin/identities/{}/sessions", browser.person.id);
    sheet.same(
        "admin",
        kratos.admin(Method::DELETE, path).await?.status,
        204,
    );
    sheet.e401("whoami", &kratos.whoami(&browser.session()).await?);
    Ok(())
}

async fn identity_deleted(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let browser = kratos.plain().await?;
    let path = format!("/admin/identities/{}", browser.person.id);
    sheet.same(
        "admin",
        kratos.admin(Method::DELETE, path).await?.status,
        204,
    );
    sheet.e401("whoami", &kratos.whoami(&browser.session()).await?);
    Ok(())
}

async fn expired(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.plain().await?;
    let session = browser.session();
    sheet.same("before", kratos.whoami(&session).await?.status, 200);
    kratos.advance(
        kratos
            .target()
            .lifespan
            .saturating_add(Duration::from_secs(1)),
    );
    sheet.e401("whoami", &kratos.whoami(&session).await?);
    let answer = browser
        .data(kratos, "/self-service/login/browser?aal=aal2")
        .await?;
    sheet.refused("login/browser", &answer, 401, Some("session_aal1_required"));
    Ok(())
}

async fn inactive(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let browser = kratos.plain().await?;
    let set = async |state: &str| {
        let path = format!("/admin/identities/{}", browser.person.id);
        let patch = json!([{"op": "replace", "path": "/state", "value": state}]);
        kratos
            .send(Ask::new(Method::PATCH, path).admin().sends(&patch))
            .await
    };
    sheet.same("admin", set("inactive").await?.status, 200);
    sheet.e401("whoami", &kratos.whoami(&browser.session()).await?);
    sheet.same("admin", set("active").await?.status, 200);
    sheet.same(
        "whoami again",
        kratos.whoami(&browser.session()).await?.status,
        200,
    );
    Ok(())
}
