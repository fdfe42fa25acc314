//! K-51 to K-54: how a login flow is asked for, read and refused.

use std::time::Duration;

use serde_json::{Value, json};

use super::Error;
use super::answer::Answer;
use super::browser::Browser;
use super::client::{Ask, Kratos};
use super::login::sessions;
use super::row::{Row, row};
use super::sheet::Sheet;
use super::target::enc;
use super::visit::PATH;
use super::whoami::unknown;

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("K-51", "JSON only where it is preferred", accept),
        row!("K-52a", "reading a flow needs its CSRF cookie", read_flow),
        row!(
            "K-52b",
            "an expired flow is 410 and names a login without aal",
            expired_flow
        )
        .takes_time(),
        row!(
            "K-53",
            "an error can be read by anybody, again and again",
            read_error
        ),
        row!(
            "K-54",
            "return_to is looked at before aal and session",
            return_to_first
        ),
    ]
}

async fn return_to_first(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let visitors = unknown().into_iter().chain(sessions(kratos).await?);
    for (who, mut browser) in visitors {
        for query in ["", "aal=aal1&", "aal=aal2&", "aal=aal3&"] {
            let path = format!(
                "{PATH}?{query}return_to={}",
                enc("http://evil.example.test/")
            );
            let id = Some("self_service_flow_return_to_forbidden");
            let what = format!("{who} ?{query}return_to=…");
            sheet.refused(
                &format!("{what} J"),
                &browser.data(kratos, path.as_str()).await?,
                400,
                id,
            );
            let answer = browser.page(kratos, path).await?;
            sheet
                .error_page(&format!("{what} H"), kratos, &answer, 400, id)
                .await?;
        }
    }
    Ok(())
}

async fn accept(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let ask = || Ask::get(format!("{PATH}?aal=aal2"));
    let page = json!([303, "text/html; charset=utf-8"]);
    let data = json!([401, "application/json"]);
    let accepts = [
        ("*/*", &page),
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            &page,
        ),
        ("application/json, text/plain, */*", &data),
        ("text/html, application/json", &page),
        ("application/json;q=0.5, text/html;q=0.9", &page),
        ("image/avif,image/webp,*/*;q=0.8", &page),
        ("text/event-stream", &page),
    ];
    for (accept, want) in accepts {
        let answer = kratos.send(ask().header("accept", accept)).await?;
        sheet.same(accept, kind(&answer), want.clone());
    }
    sheet.same("no Accept", kind(&kratos.send(ask()).await?), page);
    let any = || ask().header("accept", "*/*");
    let answer = kratos
        .send(any().header("x-requested-with", "XMLHttpRequest"))
        .await?;
    sheet.same("X-Requested-With", answer.status, 303);
    let answer = kratos
        .send(any().header("content-type", "application/json"))
        .await?;
    sheet.same("Content-Type: application/json", answer.status, 401);
    head(kratos, sheet).await
}

async fn head(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.enrolled().await?;
    let ask = Ask::new(hyper::Method::HEAD, format!("{PATH}?aal=aal2")).html();
    let answer = browser.send(kratos, ask).await?;
    sheet.sent_near(
        "HEAD",
        &answer,
        &format!("{}/login?flow=", kratos.target().ui),
    );
    Ok(())
}

fn kind(answer: &Answer) -> Value {
    json!([answer.status, answer.header("content-type")])
}

async fn read_flow(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = Browser::default();
    let flow = browser.open_login(kratos, "").await?;
    let path = format!("/self-service/login/flows?id={}", flow.id);
    let answer = browser.data(kratos, path.as_str()).await?;
    sheet.same(
        "with the cookie",
        json!([answer.status, answer.at("/id")]),
        json!([200, flow.id]),
    );
    let answer = kratos.send(Ask::get(path).json()).await?;
    sheet.refused("without", &answer, 403, Some("security_csrf_violation"));
    for id in ["8ac5ab9b-0000-4000-8000-000000000000", "x", ""] {
        let answer = browser
            .data(kratos, format!("/self-service/login/flows?id={id}"))
            .await?;
        sheet.refused(&format!("unknown id `{id}`"), &answer, 404, None);
    }
    Ok(())
}

impl Kratos<'_> {
    /// Lets this time pass, and a second more, for a session that is kept alive meanwhile.
    pub(super) async fn wait_signed_in(
        &self,
        browser: &Browser,
        time: Duration,
    ) -> Result<(), Error> {
        let half = time.div_f32(2.0);
        let session = self.newest_session(&browser.person).await?;
        self.advance(half);
        let id = session
            .pointer("/id")
            .and_then(Value::as_str)
            .unwrap_or_default();
        self.extend(id).await?;
        self.advance(half.saturating_add(Duration::from_secs(1)));
        Ok(())
    }
}

async fn expired_flow(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.enrolled().await?;
    let return_to = kratos.target().return_to();
    let flow = browser
        .open_login(kratos, &format!("aal=aal2&return_to={}", enc(&return_to)))
        .await?;
    kratos
        .wait_signed_in(&browser, kratos.target().login_lifespan)
        .await?;
    let answer = browser
        .data(kratos, format!("/self-service/login/flows?id={}", flow.id))
        .await?;
    sheet.refused(
        "reading it",
        &answer,
        410,
        Some("self_service_flow_expired"),
    );
    let link = format!(
        "{}{PATH}?return_to={}",
        kratos.target().base(),
        enc(&return_to)
    );
    sheet.same(
        "details.redirect_to",
        answer.at("/error/details/redirect_to"),
        link,
    );
    Ok(())
}

async fn read_error(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let answer = kratos
        .send(Ask::get(format!("{PATH}?aal=aal2")).html())
        .await?;
    for time in ["first", "second"] {
        sheet
            .error_page(time, kratos, &answer, 401, Some("session_aal1_required"))
            .await?;
    }
    for id in ["8ac5ab9b-0000-4000-8000-000000000000", "x", ""] {
        let answer = kratos
            .send(Ask::get(format!("/self-service/errors?id={id}")).json())
            .await?;
        sheet.refused(&format!("unknown id `{id}`"), &answer, 404, None);
    }
    let answer = kratos
        .send(Ask::get("/self-service/errors?id=stub:500").json())
        .await?;
    sheet.same(
        "the sample",
        json!([answer.status, answer.at("/error/code")]),
        json!([200, 500]),
    );
    Ok(())
}
