//! K-01 and K-03 to K-06: what whoami says of a session.

use std::time::Duration;

use hyper::Method;
use serde_json::json;

use super::browser::Browser;
use super::client::{Ask, Kratos};
use super::row::{Row, row};
use super::sheet::Sheet;
use super::{Error, RequiredAal};

/// What every GET is answered with.
const NO_STORE: &str = "private, no-cache, no-store, must-revalidate";

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("K-01", "no credential is E-401", no_credential),
        row!("K-03", "plain-1 is 200 aal1", plain),
        row!("K-04", "enrolled-1 is 200 aal1", enrolled_shown).only(RequiredAal::Aal1),
        row!("K-05", "enrolled-1 is E-403-AAL2", enrolled_hidden)
            .only(RequiredAal::HighestAvailable),
        row!("K-06", "aal2 is 200 with its methods in order", aal2),
    ]
}

async fn no_credential(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let answer = kratos.send(Ask::whoami()).await?;
    sheet.e401("whoami", &answer);
    sheet.same("Cache-Control", answer.header("cache-control"), NO_STORE);
    sheet.same("Vary", answer.header("vary"), "Cookie");
    sheet.same(
        "Content-Type",
        answer.header("content-type"),
        "application/json",
    );
    Ok(())
}

async fn plain(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let browser = kratos.plain().await?;
    let answer = kratos.whoami(&browser.session()).await?;
    sheet.session("whoami", &answer, "aal1", &browser.person.id);
    sheet.same("methods", answer.methods(), json!(["password/aal1"]));
    sheet.same(
        "Content-Type",
        answer.header("content-type"),
        "application/json; charset=utf-8",
    );
    sheet.same(
        "Ory-Session-Cache-For",
        answer.header("ory-session-cache-for"),
        json!(null),
    );
    sheet.no_cookie("whoami", &answer);
    sheet.same("members", keys(&answer.json), json!(SESSION_MEMBERS));
    sheet.same(
        "members of identity",
        keys(&answer.at("/identity")),
        json!(IDENTITY_MEMBERS),
    );
    sheet.same(
        "members of a device",
        keys(&answer.at("/devices/0")),
        json!(DEVICE_MEMBERS),
    );
    sheet.holds(
        "ip_address has a port",
        answer.text("/devices/0/ip_address").contains("127.0.0.1:"),
    );
    sheet.same(
        "user_agent",
        answer.at("/devices/0/user_agent"),
        json!(null),
    );
    Ok(())
}

const SESSION_MEMBERS: [&str; 9] = [
    "id",
    "active",
    "expires_at",
    "authenticated_at",
    "authenticator_assurance_level",
    "authentication_methods",
    "issued_at",
    "identity",
    "devices",
];
const IDENTITY_MEMBERS: [&str; 11] = [
    "id",
    "schema_id",
    "schema_url",
    "state",
    "state_changed_at",
    "traits",
    "recovery_addresses",
    "metadata_public",
    "created_at",
    "updated_at",
    "organization_id",
];
const DEVICE_MEMBERS: [&str; 4] = ["id", "ip_address", "user_agent", "location"];

fn keys(value: &serde_json::Value) -> Vec<&str> {
    value
        .as_object()
        .into_iter()
        .flat_map(|object| object.keys().map(String::as_str))
        .collect()
}

async fn enrolled_shown(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let browser = kratos.enrolled().await?;
    let answer = kratos.whoami(&browser.session()).await?;
    sheet.session("whoami", &answer, "aal1", &browser.person.id);
    sheet.same("members", keys(&answer.json), json!(SESSION_MEMBERS));
    sheet.same(
        "members of identity",
        keys(&answer.at("/identity")),
        json!(IDENTITY_MEMBERS),
    );
    Ok(())
}

async fn enrolled_hidden(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let browser = kratos.enrolled().await?;
    let answer = kratos.whoami(&browser.session()).await?;
    let link = format!(
        "{}/self-service/login/browser?aal=aal2",
        kratos.target().base()
    );
    sheet.e403_aal2("whoami", &answer, &link);
    Ok(())
}

async fn aal2(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let browser = kratos.aal2().await?;
    let answer = kratos.whoami(&browser.session()).await?;
    sheet.session("whoami", &answer, "aal2", &browser.person.id);
    let order = json!(["password/aal1", "totp/aal2", "lookup_secret/aal2"]);
    sheet.same("methods", answer.methods(), order);
    Ok(())
}

impl Kratos<'_> {
    /// The cookie of a session that was good until the admin revoked it.
    pub(super) async fn revoked(&self) -> Result<String, Error> {
        let session = self.plain().await?.session();
        let id = self.whoami(&session).await?.text("/id");
        let path = format!("/admin/sessions/{id}");
        self.admin(Method::DELETE, path)
            .await?
            .expect("revoke a session", &[204])?;
        Ok(session)
    }
}

impl Kratos<'_> {
    /// Moves the end of a session without a new cookie being issued.
    pub(super) async fn extend(&self, session_id: &str) -> Result<(), Error> {
        self.advance(Duration::from_secs(2));
        let path = format!("/admin/sessions/{session_id}/extend");
        self.admin(Method::PATCH, path)
            .await?
            .expect("extend a session", &[200])
            .map(|_| ())
    }
}

/// Browsers that Kratos does not know: no cookie, and a cookie that does not decode.
pub(super) fn unknown() -> [(&'static str, Browser); 2] {
    [
        ("none", Browser::default()),
        ("garbage", Browser::holding("garbage")),
    ]
}
