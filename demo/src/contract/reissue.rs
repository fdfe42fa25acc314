//! K-23 and K-24: when whoami sets a cookie, and which.

use serde_json::json;

use super::Error;
use super::client::{Kratos, SESSION};
use super::row::{Row, row};
use super::sheet::Sheet;

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!(
            "K-23",
            "a session that outlives its cookie is issued anew",
            reissued
        ),
        row!("K-24", "the form of Set-Cookie", set_cookie),
    ]
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
