//! K-02 and K-09 to K-18: which credential whoami reads, and which of several.

use serde_json::json;

use super::Error;
use super::client::{Ask, Kratos, SESSION};
use super::compare::IDENTITY;
use super::row::{Row, row};
use super::sheet::Sheet;

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!(
            "K-02",
            "a cookie that does not decode is E-401",
            undecodable
        ),
        row!("K-09", "X-Session-Token is read", token),
        row!(
            "K-10",
            "Bearer is read, in any case, after one space",
            bearer
        ),
        row!(
            "K-11",
            "an unknown token wins over a good cookie, an empty one is absent",
            unknown_token
        ),
        row!(
            "K-12",
            "a token wins over another person's cookie",
            token_and_cookie
        ),
        row!(
            "K-13",
            "a token that outlives the cookie beside it replaces that cookie",
            token_outlives
        ),
        row!(
            "K-14",
            "a cookie wins over Bearer, even a revoked one",
            bearer_and_cookie
        ),
        row!(
            "K-15",
            "a good token beside an undecodable cookie is 500 with the identity",
            token_and_garbage
        ),
        row!(
            "K-16",
            "X-Session-Cookie is not read",
            session_cookie_header
        ),
        row!(
            "K-17",
            "of several cookies the first that decodes is used",
            several
        ),
        row!(
            "K-18",
            "neighbours do not disturb a good cookie",
            neighbours
        ),
    ]
}

async fn undecodable(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let browser = kratos.plain().await?;
    let good = browser.session();
    sheet.same("the good value", kratos.whoami(&good).await?.status, 200);
    let token = kratos.token(&browser.person).await?;
    let cases = [
        ("garbage", "garbage".to_owned()),
        ("empty", String::new()),
        ("'=' as %3D", good.replace('=', "%3D")),
        ("padding cut", good.trim_end_matches('=').to_owned()),
        ("one character changed", one_changed(&good)),
        ("a token as value", token),
    ];
    for (what, value) in cases {
        if value != good {
            sheet.e401(what, &kratos.whoami(&value).await?);
        }
    }
    let capitals = Ask::whoami().cookie(format!("{}={good}", SESSION.to_uppercase()));
    sheet.e401("name in capitals", &kratos.send(capitals).await?);
    Ok(())
}

/// The value with a character in its middle replaced.
fn one_changed(value: &str) -> String {
    let middle = value.len() / 2;
    let change = |(at, char)| {
        if at == middle {
            if char == 'A' { 'B' } else { 'A' }
        } else {
            char
        }
    };
    value.chars().enumerate().map(change).collect()
}

async fn token(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let person = kratos.person().await?;
    let token = kratos.token(&person).await?;
    let answer = kratos.send(Ask::whoami().token(&token)).await?;
    sheet.session("whoami", &answer, "aal1", &person.id);
    sheet.no_cookie("whoami", &answer);
    Ok(())
}

async fn bearer(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let person = kratos.person().await?;
    let token = kratos.token(&person).await?;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let answer = kratos
            .send(Ask::whoami().header("authorization", format!("{scheme} {token}")))
            .await?;
        sheet.session(scheme, &answer, "aal1", &person.id);
    }
    let wrong = [
        format!("Bearer  {token}"),
        format!("Token {token}"),
        token,
        "Bearer not-a-token".to_owned(),
    ];
    for value in wrong {
        let answer = kratos
            .send(Ask::whoami().header("authorization", &value))
            .await?;
        sheet.e401(value.split("ory_st").next().unwrap_or_default(), &answer);
    }
    Ok(())
}

async fn unknown_token(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let session = kratos.plain().await?.session();
    let unknown = Ask::whoami().token("ory_st_not-a-token").session(&session);
    sheet.e401("unknown token", &kratos.send(unknown).await?);
    let empty = Ask::whoami().token("").session(&session);
    sheet.same("empty token", kratos.send(empty).await?.status, 200);
    Ok(())
}

async fn token_and_cookie(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let x = kratos.person().await?;
    let token = kratos.token(&x).await?;
    let y = kratos.plain().await?;
    let answer = kratos
        .send(Ask::whoami().token(&token).session(&y.session()))
        .await?;
    sheet.session("whoami", &answer, "aal1", &x.id);
    sheet.no_cookie("whoami", &answer);
    Ok(())
}

async fn token_outlives(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let y = kratos.plain().await?;
    let x = kratos.person().await?;
    let token = kratos.token(&x).await?;
    let id = kratos.send(Ask::whoami().token(&token)).await?.text("/id");
    kratos.extend(&id).await?;
    let answer = kratos
        .send(Ask::whoami().token(&token).session(&y.session()))
        .await?;
    sheet.session("whoami", &answer, "aal1", &x.id);
    let new = answer.new_session().unwrap_or_default();
    sheet.session("the new cookie", &kratos.whoami(&new).await?, "aal1", &x.id);
    Ok(())
}

async fn bearer_and_cookie(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let token = kratos.token(&kratos.person().await?).await?;
    let y = kratos.plain().await?;
    let answer = kratos
        .send(Ask::whoami().bearer(&token).session(&y.session()))
        .await?;
    sheet.session("good cookie", &answer, "aal1", &y.person.id);
    let revoked = kratos.revoked().await?;
    sheet.e401(
        "revoked cookie",
        &kratos
            .send(Ask::whoami().bearer(&token).session(&revoked))
            .await?,
    );
    Ok(())
}

async fn token_and_garbage(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let person = kratos.person().await?;
    let token = kratos.token(&person).await?;
    for (what, ask) in [
        ("token", Ask::whoami().token(&token)),
        ("Bearer", Ask::whoami().bearer(&token)),
    ] {
        let answer = kratos.send(ask.session("garbage")).await?;
        sheet.refused(what, &answer, 500, None);
        sheet.starts(
            format!("{what}: message"),
            Some(&answer.text("/error/message")),
            "securecookie:",
        );
        sheet.same(
            format!("{what}: identity header"),
            answer.header(IDENTITY),
            person.id.as_str(),
        );
    }
    Ok(())
}

async fn session_cookie_header(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let session = kratos.plain().await?.session();
    sheet.e401(
        "whoami",
        &kratos
            .send(Ask::whoami().header("x-session-cookie", &session))
            .await?,
    );
    Ok(())
}

async fn several(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let (first, second) = (kratos.plain().await?, kratos.plain().await?);
    let (x, y, bad) = (first.session(), second.session(), "garbage".to_owned());
    let revoked = kratos.revoked().await?;
    let good = json!([200, first.person.id]);
    let cases = [
        ("bad, good", [&bad, &x], good.clone()),
        ("good, bad", [&x, &bad], good.clone()),
        ("empty, good", [&String::new(), &x], good.clone()),
        ("good, good of another", [&x, &y], good.clone()),
        ("good, revoked", [&x, &revoked], good),
        ("revoked, good", [&revoked, &x], json!([401, null])),
    ];
    for (what, [one, two], want) in cases {
        let line = Ask::whoami().cookie(format!("{SESSION}={one}; {SESSION}={two}"));
        let answer = kratos.send(line).await?;
        sheet.same(
            what,
            json!([answer.status, answer.at("/identity/id")]),
            want.clone(),
        );
        let answer = kratos.send(Ask::whoami().session(one).session(two)).await?;
        sheet.same(
            format!("{what}, in two lines"),
            json!([answer.status, answer.at("/identity/id")]),
            want,
        );
    }
    Ok(())
}

async fn neighbours(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let good = format!("{SESSION}={}", kratos.plain().await?.session());
    let quoted = good.replacen('=', "=\"", 1);
    let many: String = (0..30)
        .map(|number| format!("c{number}={}; ", "x".repeat(1000)))
        .collect();
    let cases = [
        (
            "unrelated",
            format!("a=1; theme=dark; {good}; csrf_token_0123=zzz; b=\"q\"").into_bytes(),
        ),
        ("quoted", format!("{quoted}\"").into_bytes()),
        ("no space after ';'", format!("a=1;{good};b=2").into_bytes()),
        (
            "malformed",
            format!("bad cookie name=1; =x; ;; {good}").into_bytes(),
        ),
        ("UTF-8", format!("x=é; {good}").into_bytes()),
        (
            "Latin-1",
            [b"x=\xe9; ".as_slice(), good.as_bytes()].concat(),
        ),
        ("30 kB", format!("{many}{good}").into_bytes()),
    ];
    for (what, line) in cases {
        sheet.same(
            what,
            kratos.send(Ask::whoami().cookie(line)).await?.status,
            200,
        );
    }
    Ok(())
}
