//! K-60 to K-63: which `return_to` is allowed, and how it comes back.

use super::browser::Browser;
use super::client::Kratos;
use super::row::{Row, row};
use super::sheet::Sheet;
use super::target::enc;
use super::{Error, Target};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("K-60", "scheme, host, port and path prefix decide", allowed),
        row!("K-61", "kept byte for byte", kept),
        row!("K-62", "accepted but rewritten", rewritten),
        row!("K-63", "accepted though surprising", surprising),
    ]
}

/// Where an aal2 session is sent at once.
pub(super) async fn bounce(
    kratos: &Kratos<'_>,
    browser: &mut Browser,
    raw: &str,
) -> Result<Option<String>, Error> {
    let path = format!("/self-service/login/browser?aal=aal2&return_to={raw}");
    let answer = browser.page(kratos, path).await?;
    Ok(answer
        .location()
        .map(str::to_owned)
        .filter(|_| answer.status == 303))
}

/// The flow repeats it, and an aal2 session is sent there at once: to exactly that text.
async fn comes_back(
    kratos: &Kratos<'_>,
    sheet: &mut Sheet,
    browser: &mut Browser,
    url: &str,
) -> Result<(), Error> {
    let what: String = url.chars().take(60).collect();
    let flow = browser
        .open_login(
            kratos,
            &format!("aal=aal2&refresh=true&return_to={}", enc(url)),
        )
        .await?;
    sheet.same(format!("{what}: flow"), flow.answer.at("/return_to"), url);
    let location = bounce(kratos, browser, &enc(url)).await?;
    sheet.same(format!("{what}: Location"), location, url);
    Ok(())
}

/// The form of a finished step-up goes there as well.
async fn ends_there(
    kratos: &Kratos<'_>,
    sheet: &mut Sheet,
    browser: &mut Browser,
    url: &str,
) -> Result<(), Error> {
    let what: String = url.chars().take(60).collect();
    let flow = browser
        .open_login(
            kratos,
            &format!("aal=aal2&refresh=true&return_to={}", enc(url)),
        )
        .await?;
    let fields = browser.code()?;
    let answer = browser.submit_form(kratos, &flow, fields).await?;
    sheet.sent_to(&format!("{what}: after the form"), &answer, url);
    Ok(())
}

async fn allowed(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let Target {
        ui,
        app,
        prefix,
        wildcard,
        ..
    } = kratos.target();
    let mut browser = kratos.aal2().await?;
    let urls = [
        format!("{ui}/transfer"),
        format!("{app}/transfer?amount=5&to=bob"),
        app.clone(),
        format!("{prefix}/x"),
        format!("{prefix}lication"),
        format!("https://a{wildcard}/x"),
        format!("https://a.b{wildcard}/x"),
        format!("{}/self-service/settings/browser", kratos.target().base()),
    ];
    for url in urls {
        comes_back(kratos, sheet, &mut browser, &url).await?;
        ends_there(kratos, sheet, &mut browser, &url).await?;
    }
    Ok(())
}

async fn kept(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let app = &kratos.target().app;
    let upper = app.replacen("://", "://\u{0}", 1);
    let (scheme, host) = upper.split_once('\u{0}').unwrap_or_default();
    let mut browser = kratos.aal2().await?;
    let short = [
        "/a?next=%2Fb%3Fc%3D1%26d%3D2",
        "/s?q=1+2%2B3%20x",
        "/a?b=1#part-2",
        "/%C3%BCberweisung?name=Zo%C3%AB",
        "/a%2Fb/c",
        "/a/../b/./c",
        "//a//b",
        "/a;v=1?b=2;c=3",
        "/a?list[]=1&list[]=2&empty=&flag",
        "/a?b=%e2%82%ac",
        "/a?",
    ];
    let mut urls: Vec<_> = short.iter().map(|path| format!("{app}{path}")).collect();
    urls.push(format!("{scheme}{}/a", host.to_uppercase()));
    urls.push(format!("{app}/a?q={}", "x".repeat(4000)));
    urls.push(format!("{app}/a?q={}", "y".repeat(16000)));
    for url in &urls {
        comes_back(kratos, sheet, &mut browser, url).await?;
    }
    for url in urls.iter().step_by(2) {
        ends_there(kratos, sheet, &mut browser, url).await?;
    }
    Ok(())
}

async fn rewritten(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let Target {
        app, default_url, ..
    } = kratos.target();
    let origin = default_url
        .rsplit_once('/')
        .map_or("", |(origin, _)| origin);
    let mut browser = kratos.aal2().await?;
    let cases = [
        (
            format!("{app}/überweisung?name=Zoë"),
            format!("{app}/%C3%BCberweisung?name=Zo%c3%ab"),
        ),
        (format!("{app}/a b?c=d e"), format!("{app}/a%20b?c=d e")),
        (
            format!("{app}/a'b\"c?x=<y>"),
            format!("{app}/a%27b%22c?x=<y>"),
        ),
        (
            format!("{app}/a").replacen("http:", "HTTP:", 1),
            format!("{app}/a"),
        ),
        ("/transfer?x=1".to_owned(), format!("{origin}/transfer?x=1")),
        ("?x=1".to_owned(), format!("{origin}?x=1")),
    ];
    for (asked, got) in cases {
        sheet.same(
            asked.as_str(),
            bounce(kratos, &mut browser, &enc(&asked)).await?,
            got,
        );
    }
    Ok(())
}

async fn surprising(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let Target { ui, prefix, .. } = kratos.target();
    let mut browser = kratos.aal2().await?;
    for url in [
        format!("{}/a", ui.replacen("://", "://user:pw@", 1)),
        format!("{prefix}/../other"),
    ] {
        sheet.same(
            url.as_str(),
            bounce(kratos, &mut browser, &enc(&url)).await?,
            url.as_str(),
        );
    }
    Ok(())
}
