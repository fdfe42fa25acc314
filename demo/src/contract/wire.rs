//! K-19 to K-22: methods, paths and headers that whoami takes.

use hyper::Method;
use serde_json::json;

use super::Error;
use super::client::{Ask, Kratos};
use super::compare::IDENTITY;
use super::row::{Row, row};
use super::sheet::Sheet;

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("K-19", "other methods are answered as GET is", methods),
        row!("K-20", "other spellings of the path", paths),
        row!("K-21", "any Accept is answered in JSON", accept),
        row!("K-22", "X-Request-ID is repeated in an error", request_id),
    ]
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
