//! K-64 to K-67: a `return_to` that is refused, unreadable, unencoded or not there.

use serde_json::json;

use super::browser::Browser;
use super::client::Kratos;
use super::return_to::bounce;
use super::row::{Row, row};
use super::sheet::Sheet;
use super::target::enc;
use super::{Error, Target};

const FORBIDDEN: Option<&str> = Some("self_service_flow_return_to_forbidden");

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("K-64", "not allowed", forbidden),
        row!("K-65", "not a URL", unreadable),
        row!("K-66", "not encoded in the query", unencoded),
        row!("K-67", "empty or absent is the default URL", absent),
    ]
}

/// URLs that look allowed and are not.
fn forbidden_urls(target: &Target) -> Vec<String> {
    let Target {
        ui,
        app,
        prefix,
        wildcard,
        ..
    } = target;
    let without_port = app.rsplit_once(':').map_or("", |(host, _)| host);
    let host_of_prefix = prefix.rsplit_once('/').map_or("", |(host, _)| host);
    let apex = wildcard.trim_start_matches('.');
    vec![
        "http://evil.example.test/".to_owned(),
        format!("{without_port}:9090/a"),
        format!("{without_port}/a"),
        format!("{app}/a").replacen("http:", "https:", 1),
        format!("{host_of_prefix}/other"),
        format!("https://{apex}/x"),
        format!("http://a{wildcard}/x"),
        format!("https://evil{apex}/x"),
        format!("{ui}@evil.example.test/"),
        "//evil.example.test/x".to_owned(),
        "transfer".to_owned(),
        "javascript:alert(1)".to_owned(),
        format!("{}/sessions/whoami", target.base()),
        // Encoded twice: what is left after one decoding is no URL with a host.
        enc(&format!("{app}/t")),
    ]
}

async fn forbidden(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.aal2().await?;
    for url in forbidden_urls(kratos.target()) {
        refused(kratos, sheet, &mut browser, &url, FORBIDDEN).await?;
    }
    Ok(())
}

/// A program is told, a page is sent to the error UI, whoever asks.
async fn refused(
    kratos: &Kratos<'_>,
    sheet: &mut Sheet,
    browser: &mut Browser,
    url: &str,
    id: Option<&str>,
) -> Result<(), Error> {
    for (who, browser) in [("aal2", browser), ("none", &mut Browser::default())] {
        let path = format!(
            "/self-service/login/browser?aal=aal2&return_to={}",
            enc(url)
        );
        sheet.refused(
            &format!("{who} {url} J"),
            &browser.data(kratos, path.as_str()).await?,
            400,
            id,
        );
        let answer = browser.page(kratos, path).await?;
        sheet
            .error_page(&format!("{who} {url} H"), kratos, &answer, 400, id)
            .await?;
    }
    Ok(())
}

async fn unreadable(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let app = &kratos.target().app;
    let mut browser = kratos.aal2().await?;
    let bad_port = format!("{app}x/");
    for url in [
        format!("{app}/%zz"),
        format!("{app}/a\r\nSet-Cookie: x=1"),
        bad_port,
    ] {
        refused(kratos, sheet, &mut browser, &url, None).await?;
    }
    Ok(())
}

async fn unencoded(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let Target { ui, app, .. } = kratos.target();
    let mut browser = kratos.aal2().await?;
    let cases = [
        (
            "own '&'",
            format!("{app}/t?amount=5&to=bob"),
            format!("{app}/t?amount=5"),
        ),
        (
            "two",
            format!("{ui}/one&return_to={ui}/two"),
            format!("{ui}/one"),
        ),
        (
            "raw '+'",
            format!("{}1+2", enc(&format!("{app}/s?q="))),
            format!("{app}/s?q=1 2"),
        ),
    ];
    for (what, raw, want) in cases {
        sheet.same(what, bounce(kratos, &mut browser, &raw).await?, want);
    }
    Ok(())
}

async fn absent(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let default_url = &kratos.target().default_url;
    let mut browser = kratos.aal2().await?;
    for query in ["aal=aal2&return_to=", "aal=aal2", "aal=aal1", ""] {
        let answer = browser
            .page(kratos, format!("/self-service/login/browser?{query}"))
            .await?;
        sheet.sent_to(&format!("?{query}"), &answer, default_url);
    }
    let flow = browser.open_login(kratos, "aal=aal2&refresh=true").await?;
    sheet.same("flow", flow.answer.at("/return_to"), json!(null));
    Ok(())
}
