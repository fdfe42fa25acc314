//! K-40 to K-54: where `GET /self-service/login/browser` leads, by session and query.

use std::time::Duration;

use serde_json::{Value, json};

use super::Error;
use super::browser::Browser;
use super::client::{Answer, Ask, Kratos};
use super::row::Row;
use super::sheet::Sheet;
use super::whoami::unknown;

const PATH: &str = "/self-service/login/browser";

/// Fields of the first factor.
const PASSWORD_FORM: &[&str] = &[
    "default:csrf_token",
    "default:identifier",
    "password:password",
    "password:method",
];
/// The form of somebody without a second factor: nothing to fill in.
const EMPTY_FORM: &[&str] = &["default:csrf_token"];
/// Fields of the second factor.
pub(super) const CODE_FORM: &[&str] = &[
    "default:csrf_token",
    "totp:totp_code",
    "totp:method",
    "lookup_secret:lookup_secret",
    "lookup_secret:method",
];

/// "Please confirm this action by verifying that it is you."
const CONFIRM: u64 = 1_010_003;
/// "Please complete the second authentication challenge."
const SECOND: u64 = 1_010_004;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new(
            "K-40",
            "aal2 without a session ends on the error UI",
            |k, s| Box::pin(aal2_of_unknown(k, s)),
        ),
        Row::new(
            "K-41",
            "without a session the first factor is asked, refresh is reset",
            |k, s| Box::pin(first_of_unknown(k, s)),
        ),
        Row::new(
            "K-42",
            "a session that is there already goes back",
            |k, s| Box::pin(already(k, s)),
        ),
        Row::new("K-43", "plain-1 at aal2 gets an empty form", |k, s| {
            Box::pin(plain_aal2(k, s))
        }),
        Row::new(
            "K-44",
            "plain-1 at aal2 with refresh gets an empty form",
            |k, s| Box::pin(plain_refresh(k, s)),
        ),
        Row::new(
            "K-45",
            "enrolled-1 at aal2 is asked for the second factor",
            |k, s| Box::pin(enrolled_aal2(k, s)),
        ),
        Row::new(
            "K-46",
            "enrolled-1 at aal2 with refresh is asked as well",
            |k, s| Box::pin(enrolled_refresh(k, s)),
        ),
        Row::new("K-47", "aal2 at aal2 goes back at once", |k, s| {
            Box::pin(aal2_again(k, s))
        }),
        Row::new(
            "K-48",
            "aal2 at aal2 with refresh is asked again",
            |k, s| Box::pin(aal2_refresh(k, s)),
        ),
        Row::new("K-49", "refresh alone asks for the password", |k, s| {
            Box::pin(refresh(k, s))
        }),
        Row::new("K-50", "aal3 and aal0 are refused", |k, s| {
            Box::pin(unknown_aal(k, s))
        }),
        Row::new("K-51", "JSON only where it is preferred", |k, s| {
            Box::pin(accept(k, s))
        }),
        Row::new("K-52a", "reading a flow needs its CSRF cookie", |k, s| {
            Box::pin(read_flow(k, s))
        }),
        Row::new(
            "K-52b",
            "an expired flow is 410 and names a login without aal",
            |k, s| Box::pin(expired_flow(k, s)),
        )
        .takes_time(),
        Row::new(
            "K-53",
            "an error can be read by anybody, again and again",
            |k, s| Box::pin(read_error(k, s)),
        ),
        Row::new(
            "K-54",
            "return_to is looked at before aal and session",
            |k, s| Box::pin(return_to_first(k, s)),
        ),
    ]
}

/// The form that a login flow must show.
struct Form<'a> {
    nodes: &'a [&'a str],
    messages: &'a [u64],
    aal: &'a str,
    refresh: bool,
}

fn form<'a>(nodes: &'a [&'a str], messages: &'a [u64], aal: &'a str, refresh: bool) -> Form<'a> {
    Form {
        nodes,
        messages,
        aal,
        refresh,
    }
}

/// One browser and one query, asked both ways.
struct Visit<'a> {
    kratos: &'a Kratos<'a>,
    browser: Browser,
    who: &'a str,
    query: &'a str,
}

impl Visit<'_> {
    fn path(&self) -> String {
        let return_to = enc(&self.kratos.target().return_to());
        let and = if self.query.is_empty() { "" } else { "&" };
        format!("{PATH}?{}{and}return_to={return_to}", self.query)
    }

    fn what(&self, way: &str) -> String {
        format!("{} ?{} {way}", self.who, self.query)
    }

    async fn html(&mut self) -> Result<Answer, Error> {
        let path = self.path();
        self.browser.page(self.kratos, path).await
    }

    async fn json(&mut self) -> Result<Answer, Error> {
        let path = self.path();
        self.browser.data(self.kratos, path).await
    }

    /// A page is sent to the login UI, a program gets the flow.
    async fn shows(&mut self, sheet: &mut Sheet, form: &Form<'_>) -> Result<(), Error> {
        let what = self.what("H");
        let answer = self.html().await?;
        let start = format!("{}/login?flow=", self.kratos.target().ui);
        sheet.sent_near(&what, &answer, &start);
        let id = answer
            .location()
            .and_then(|to| to.strip_prefix(&start))
            .unwrap_or_default()
            .to_owned();
        let flow = self
            .browser
            .data(self.kratos, format!("/self-service/login/flows?id={id}"))
            .await?;
        self.form_is(sheet, &what, &flow, form);
        let flow = self.json().await?;
        self.form_is(sheet, &self.what("J"), &flow, form);
        Ok(())
    }

    fn form_is(&self, sheet: &mut Sheet, what: &str, flow: &Answer, form: &Form<'_>) {
        sheet.same(what, flow.status, 200);
        sheet.same(format!("{what}: nodes"), flow.nodes(), form.nodes);
        sheet.same(format!("{what}: messages"), flow.messages(), form.messages);
        let got = json!([
            flow.at("/type"),
            flow.at("/requested_aal"),
            flow.at("/refresh"),
            flow.at("/return_to")
        ]);
        let want = json!([
            "browser",
            form.aal,
            form.refresh,
            self.kratos.target().return_to()
        ]);
        sheet.same(format!("{what}: flow"), got, want);
    }

    /// A page is sent to the error UI, which can read this error; a program gets it.
    async fn fails(
        &mut self,
        sheet: &mut Sheet,
        status: u16,
        id: Option<&str>,
    ) -> Result<(), Error> {
        let what = self.what("H");
        let answer = self.html().await?;
        sheet
            .error_page(&what, self.kratos, &answer, status, id)
            .await?;
        sheet.refused(&self.what("J"), &self.json().await?, status, id);
        Ok(())
    }

    /// A page is sent to `return_to`, a program is told that there is a session.
    async fn goes_back(&mut self, sheet: &mut Sheet) -> Result<(), Error> {
        let answer = self.html().await?;
        sheet.sent_to(&self.what("H"), &answer, &self.kratos.target().return_to());
        sheet.refused(
            &self.what("J"),
            &self.json().await?,
            400,
            Some("session_already_available"),
        );
        Ok(())
    }
}

impl Sheet {
    /// 303 to the error UI, and the error that it can read there.
    pub(super) async fn error_page(
        &mut self,
        what: &str,
        kratos: &Kratos<'_>,
        answer: &Answer,
        status: u16,
        id: Option<&str>,
    ) -> Result<(), Error> {
        let start = format!("{}/error?id=", kratos.target().ui);
        self.sent_near(what, answer, &start);
        let error = answer
            .location()
            .and_then(|to| to.strip_prefix(&start))
            .unwrap_or_default();
        let read = kratos
            .send(Ask::get(format!("/self-service/errors?id={error}")).json())
            .await?;
        let got = json!([read.status, read.at("/error/code"), read.at("/error/id")]);
        self.same(format!("{what}: error"), got, json!([200, status, id]));
        Ok(())
    }
}

/// One percent-encoding, as it stands in a query.
pub(super) fn enc(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn aal2_of_unknown(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    for (who, browser) in unknown() {
        for query in ["aal=aal2", "aal=aal2&refresh=true"] {
            let mut visit = Visit {
                kratos,
                browser: browser.clone(),
                who,
                query,
            };
            visit
                .fails(sheet, 401, Some("session_aal1_required"))
                .await?;
        }
    }
    Ok(())
}

async fn first_of_unknown(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    for (who, browser) in unknown() {
        for query in ["", "aal=aal1", "refresh=true"] {
            let mut visit = Visit {
                kratos,
                browser: browser.clone(),
                who,
                query,
            };
            visit
                .shows(sheet, &form(PASSWORD_FORM, &[], "aal1", false))
                .await?;
        }
    }
    Ok(())
}

/// The three sessions of the table.
async fn sessions(kratos: &Kratos<'_>) -> Result<[(&'static str, Browser); 3], Error> {
    Ok([
        ("plain-1", kratos.plain().await?),
        ("enrolled-1", kratos.enrolled().await?),
        ("aal2", kratos.aal2().await?),
    ])
}

async fn already(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    for (who, browser) in sessions(kratos).await? {
        for query in ["", "aal=aal1", "aal="] {
            Visit {
                kratos,
                browser: browser.clone(),
                who,
                query,
            }
            .goes_back(sheet)
            .await?;
        }
    }
    Ok(())
}

async fn plain_aal2(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut visit = Visit {
        kratos,
        browser: kratos.plain().await?,
        who: "plain-1",
        query: "aal=aal2",
    };
    visit
        .shows(sheet, &form(EMPTY_FORM, &[SECOND], "aal2", false))
        .await
}

async fn plain_refresh(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut visit = Visit {
        kratos,
        browser: kratos.plain().await?,
        who: "plain-1",
        query: "aal=aal2&refresh=true",
    };
    visit
        .shows(sheet, &form(EMPTY_FORM, &[CONFIRM, SECOND], "aal2", true))
        .await
}

async fn enrolled_aal2(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let browser = kratos.enrolled().await?;
    for query in ["aal=aal2", "aal=AAL2", "aal=aal2&aal=aal1"] {
        let mut visit = Visit {
            kratos,
            browser: browser.clone(),
            who: "enrolled-1",
            query,
        };
        visit
            .shows(sheet, &form(CODE_FORM, &[SECOND], "aal2", false))
            .await?;
    }
    Ok(())
}

async fn enrolled_refresh(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let browser = kratos.enrolled().await?;
    for query in [
        "aal=aal2&refresh=true",
        "aal=aal2&refresh=TRUE",
        "aal=aal2&refresh=1",
    ] {
        let mut visit = Visit {
            kratos,
            browser: browser.clone(),
            who: "enrolled-1",
            query,
        };
        visit
            .shows(sheet, &form(CODE_FORM, &[CONFIRM, SECOND], "aal2", true))
            .await?;
    }
    Ok(())
}

async fn aal2_again(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    Visit {
        kratos,
        browser: kratos.aal2().await?,
        who: "aal2",
        query: "aal=aal2",
    }
    .goes_back(sheet)
    .await
}

async fn aal2_refresh(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut visit = Visit {
        kratos,
        browser: kratos.aal2().await?,
        who: "aal2",
        query: "aal=aal2&refresh=true",
    };
    visit
        .shows(sheet, &form(CODE_FORM, &[CONFIRM], "aal2", true))
        .await
}

async fn refresh(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    for (who, browser) in sessions(kratos).await? {
        for query in ["refresh=true", "aal=aal1&refresh=true"] {
            let mut visit = Visit {
                kratos,
                browser: browser.clone(),
                who,
                query,
            };
            visit
                .shows(sheet, &form(PASSWORD_FORM, &[CONFIRM], "aal1", true))
                .await?;
        }
    }
    Ok(())
}

async fn unknown_aal(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let known = [
        ("enrolled-1", kratos.enrolled().await?),
        ("aal2", kratos.aal2().await?),
    ];
    for (who, browser) in unknown().into_iter().chain(known) {
        for query in ["aal=aal3", "aal=aal0"] {
            Visit {
                kratos,
                browser: browser.clone(),
                who,
                query,
            }
            .fails(sheet, 400, None)
            .await?;
        }
    }
    Ok(())
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
        let half = time / 2;
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
