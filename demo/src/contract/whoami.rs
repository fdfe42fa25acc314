//! K-01 to K-08 and K-19 to K-24: what whoami says of a session.

use std::time::Duration;

use hyper::Method;
use serde_json::json;

use super::browser::Browser;
use super::client::{Ask, Kratos, SESSION};
use super::compare::IDENTITY;
use super::row::Row;
use super::sheet::Sheet;
use super::{Error, RequiredAal};

/// What every GET is answered with.
const NO_STORE: &str = "private, no-cache, no-store, must-revalidate";

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("K-01", "no credential is E-401", |k, s| {
            Box::pin(no_credential(k, s))
        }),
        Row::new("K-03", "plain-1 is 200 aal1", |k, s| Box::pin(plain(k, s))),
        Row::new("K-04", "enrolled-1 is 200 aal1", |k, s| {
            Box::pin(enrolled_shown(k, s))
        })
        .only(RequiredAal::Aal1),
        Row::new("K-05", "enrolled-1 is E-403-AAL2", |k, s| {
            Box::pin(enrolled_hidden(k, s))
        })
        .only(RequiredAal::HighestAvailable),
        Row::new("K-06", "aal2 is 200 with its methods in order", |k, s| {
            Box::pin(aal2(k, s))
        }),
        Row::new("K-07a", "a logged-out session is E-401", |k, s| {
            Box::pin(logged_out(k, s))
        }),
        Row::new("K-07b", "a revoked session is E-401", |k, s| {
            Box::pin(revoked(k, s))
        }),
        Row::new(
            "K-07c",
            "a session of a person whose sessions are deleted is E-401",
            |k, s| Box::pin(sessions_deleted(k, s)),
        ),
        Row::new(
            "K-07d",
            "a session of a deleted identity is E-401",
            |k, s| Box::pin(identity_deleted(k, s)),
        ),
        Row::new("K-07e", "an expired session is E-401", |k, s| {
            Box::pin(expired(k, s))
        })
        .takes_time(),
        Row::new(
            "K-08",
            "an inactive identity is E-401 until it is active again",
            |k, s| Box::pin(inactive(k, s)),
        ),
        Row::new("K-19", "other methods are answered as GET is", |k, s| {
            Box::pin(methods(k, s))
        }),
        Row::new("K-20", "other spellings of the path", |k, s| {
            Box::pin(paths(k, s))
        }),
        Row::new("K-21", "any Accept is answered in JSON", |k, s| {
            Box::pin(accept(k, s))
        }),
        Row::new("K-22", "X-Request-ID is repeated in an error", |k, s| {
            Box::pin(request_id(k, s))
        }),
        Row::new(
            "K-23",
            "a session that outlives its cookie is issued anew",
            |k, s| Box::pin(reissued(k, s)),
        ),
        Row::new("K-24", "the form of Set-Cookie", |k, s| {
            Box::pin(set_cookie(k, s))
        }),
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

async fn methods(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let session = kratos.plain().await?.session();
    for name in ["HEAD", "POST", "PUT", "PATCH", "OPTIONS", "TRACE", "DELETE"] {
        let ask = Ask::new(
            Method::from_bytes(name.as_bytes()).unwrap_or_default(),
            "/sessions/whoami",
        );
        let answer = kratos.send(ask.clone().session(&session)).await?;
        sheet.same(name, answer.status, 200);
        sheet.same(
            format!("{name}: Cache-Control"),
            answer.header("cache-control"),
            json!(null),
        );
        sheet.holds(
            format!("{name}: identity header"),
            answer.header(IDENTITY).is_some(),
        );
        sheet.same(
            format!("{name}: has a body"),
            answer.json.is_object(),
            name != "HEAD",
        );
        let answer = kratos.send(ask).await?;
        sheet.same(format!("{name} without credential"), answer.status, 401);
        sheet.same(
            format!("{name} without credential: has a body"),
            answer.json.is_object(),
            name != "HEAD",
        );
    }
    Ok(())
}

async fn paths(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let session = kratos.plain().await?.session();
    let base = kratos.target().base();
    let own = format!("{base}/sessions/whoami");
    let cases = [
        (Ask::get("/sessions/whoami/"), 404, None),
        (Ask::get("//sessions/whoami"), 307, Some("/sessions/whoami")),
        (Ask::get("/sessions/WHOAMI"), 405, None),
        (Ask::whoami().admin(), 307, Some(own.as_str())),
    ];
    for (ask, status, location) in cases {
        let what = format!("{ask:?}").chars().take(80).collect::<String>();
        let answer = kratos.send(ask.session(&session)).await?;
        sheet.same(
            what,
            json!([answer.status, answer.location()]),
            json!([status, location]),
        );
    }
    Ok(())
}

async fn accept(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let session = kratos.plain().await?.session();
    for accept in [
        "text/html",
        "text/html,application/xhtml+xml,*/*;q=0.8",
        "*/*",
        "image/webp",
    ] {
        let good = kratos
            .send(Ask::whoami().header("accept", accept).session(&session))
            .await?;
        let got = json!([good.status, good.header("content-type")]);
        sheet.same(accept, got, json!([200, "application/json; charset=utf-8"]));
        let none = kratos.send(Ask::whoami().header("accept", accept)).await?;
        sheet.e401(accept, &none);
    }
    Ok(())
}

async fn request_id(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let answer = kratos
        .send(Ask::whoami().header("x-request-id", "req-0001"))
        .await?;
    sheet.same(
        "error.request",
        json!([answer.status, answer.at("/error/request")]),
        json!([401, "req-0001"]),
    );
    Ok(())
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

async fn reissued(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let browser = kratos.plain().await?;
    let old = browser.session();
    let before = kratos.whoami(&old).await?;
    kratos.extend(&before.text("/id")).await?;
    let answer = kratos.whoami(&old).await?;
    sheet.session("the old value", &answer, "aal1", &browser.person.id);
    sheet.same("same session", answer.at("/id"), before.at("/id"));
    sheet.holds(
        "expires_at moved",
        answer.at("/expires_at") != before.at("/expires_at"),
    );
    sheet.same("cookies set", answer.set_cookies().len(), 1);
    let new = answer.new_session().unwrap_or_default();
    sheet.holds("a new value", !new.is_empty() && new != old);
    let answer = kratos.whoami(&new).await?;
    sheet.same("the new value", answer.status, 200);
    sheet.no_cookie("the new value", &answer);
    let answer = kratos.whoami(&old).await?;
    sheet.same(
        "the old value again",
        json!([answer.status, answer.new_session().is_some()]),
        json!([200, true]),
    );
    Ok(())
}

async fn set_cookie(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let browser = kratos.plain().await?;
    let id = kratos.whoami(&browser.session()).await?.text("/id");
    kratos.extend(&id).await?;
    let answer = kratos.whoami(&browser.session()).await?;
    let cookies = answer.set_cookies();
    let parts: Vec<_> = cookies
        .first()
        .into_iter()
        .flat_map(|cookie| cookie.split("; "))
        .collect();
    let names: Vec<_> = parts
        .iter()
        .filter_map(|part| part.split('=').next())
        .collect();
    let wanted = [
        SESSION, "Path", "Expires", "Max-Age", "HttpOnly", "SameSite",
    ];
    sheet.same("attributes", names, json!(wanted));
    sheet.holds(
        "Path=/ and SameSite=Lax",
        parts.contains(&"Path=/") && parts.contains(&"SameSite=Lax"),
    );
    let age = parts
        .iter()
        .find_map(|part| part.strip_prefix("Max-Age=")?.parse::<u64>().ok());
    let whole = kratos.target().lifespan.as_secs();
    let near = whole.saturating_sub(10)..=whole;
    sheet.holds(
        format!("Max-Age {age:?} is what is left of {whole}"),
        age.is_some_and(|age| near.contains(&age)),
    );
    Ok(())
}

/// Browsers that Kratos does not know: no cookie, and a cookie that does not decode.
pub(super) fn unknown() -> [(&'static str, Browser); 2] {
    [
        ("none", Browser::default()),
        ("garbage", Browser::holding("garbage")),
    ]
}
