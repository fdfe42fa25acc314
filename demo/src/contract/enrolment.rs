//! K-90 to K-98: factors that come and go in the settings, and what sessions make of it.

use hyper::Method;
use serde_json::{Value, json};

use super::browser::{Browser, code};
use super::client::{Answer, Kratos};
use super::login::{CODE_FORM, enc};
use super::person::{PASSWORD, password};
use super::row::Row;
use super::sheet::Sheet;
use super::{Error, RequiredAal};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new(
            "K-90a",
            "enrolling TOTP lifts the session at once",
            |k, s| Box::pin(enrol(k, s)),
        ),
        Row::new(
            "K-90b",
            "enrolling TOTP by form goes to return_to",
            |k, s| Box::pin(enrol_form(k, s)),
        ),
        Row::new("K-91", "a wrong code enrols nothing", |k, s| {
            Box::pin(wrong_code(k, s))
        }),
        Row::new(
            "K-92",
            "backup codes count once they are confirmed",
            |k, s| Box::pin(backup_codes(k, s)),
        ),
        Row::new("K-93", "other sessions stay aal1", |k, s| {
            Box::pin(other_session(k, s))
        }),
        Row::new(
            "K-94a",
            "TOTP unlinked: that session stays aal2, a new login is plain-1",
            |k, s| Box::pin(unlinked(k, s)),
        ),
        Row::new("K-94b", "factors deleted by the admin", |k, s| {
            Box::pin(deleted(k, s))
        }),
        Row::new(
            "K-95",
            "used-up backup codes are a second factor still",
            |k, s| Box::pin(used_up(k, s)),
        ),
        Row::new("K-96a", "an old login may not enrol, by program", |k, s| {
            Box::pin(old_login(k, s))
        })
        .takes_time(),
        Row::new(
            "K-96b",
            "an old login enrols after the password, by form",
            |k, s| Box::pin(old_login_form(k, s)),
        )
        .takes_time(),
        Row::new("K-97", "a changed password ends no session", |k, s| {
            Box::pin(new_password(k, s))
        }),
        Row::new("K-98", "what the admin sees of factors", |k, s| {
            Box::pin(admin_view(k, s))
        }),
    ]
}

fn return_to(kratos: &Kratos<'_>) -> String {
    format!("return_to={}", enc(&kratos.target().return_to()))
}

async fn enrol(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.plain().await?;
    let before = kratos.whoami(&browser.session()).await?;
    kratos.advance(std::time::Duration::from_secs(2));
    let old = browser.session();
    let flow = browser.open_settings(kratos, &return_to(kratos)).await?;
    let fields = browser.new_totp(&flow)?;
    let answer = browser.submit(kratos, &flow, fields).await?;
    sheet.goes_on_to("submit", &answer, &kratos.target().return_to());
    let got = json!([answer.at("/state"), answer.messages()]);
    sheet.same("state and message", got, json!(["success", [1_050_001]]));
    sheet.holds(
        "a new cookie value",
        answer.new_session().is_some_and(|value| value != old),
    );
    let after = kratos.whoami(&browser.session()).await?;
    sheet.session("whoami", &after, "aal2", &browser.person.id);
    sheet.same(
        "methods",
        after.methods(),
        json!(["password/aal1", "totp/aal2"]),
    );
    for name in ["/id", "/authenticated_at", "/expires_at", "/issued_at"] {
        sheet.same(format!("{name} stays"), after.at(name), before.at(name));
    }
    Ok(())
}

async fn enrol_form(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let cases = [
        (return_to(kratos), kratos.target().return_to()),
        (
            String::new(),
            format!("{}/settings?flow=", kratos.target().ui),
        ),
    ];
    for (query, location) in cases {
        let mut browser = kratos.plain().await?;
        let flow = browser.open_settings(kratos, &query).await?;
        let fields = browser.new_totp(&flow)?;
        let answer = browser.submit_form(kratos, &flow, fields).await?;
        let id = if query.is_empty() {
            flow.id.as_str()
        } else {
            ""
        };
        sheet.sent_to("submit", &answer, &format!("{location}{id}"));
        sheet.session(
            "whoami",
            &kratos.whoami(&browser.session()).await?,
            "aal2",
            &browser.person.id,
        );
    }
    Ok(())
}

async fn wrong_code(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.plain().await?;
    let flow = browser.open_settings(kratos, "").await?;
    browser.new_totp(&flow)?;
    // An hour away: never the code of this moment or a neighbouring one, but for one chance in a million.
    let fields = code(&browser.person.totp(flow.now.saturating_add(3600))?);
    sheet.flow_says(
        "submit",
        &browser.submit(kratos, &flow, fields).await?,
        4_000_008,
    );
    sheet.session(
        "whoami",
        &kratos.whoami(&browser.session()).await?,
        "aal1",
        &browser.person.id,
    );
    Ok(())
}

async fn backup_codes(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.plain().await?;
    let flow = browser.open_settings(kratos, "").await?;
    sheet.same(
        "before",
        offered(&flow.answer),
        json!(["lookup_secret_regenerate"]),
    );
    let fields = json!({"method": "lookup_secret", "lookup_secret_regenerate": true});
    let answer = browser.submit(kratos, &flow, fields).await?;
    let got = json!([
        answer.status,
        answer.at("/state"),
        answer.backup_codes().len()
    ]);
    sheet.same("generate", got, json!([200, "show_form", 12]));
    sheet.session(
        "after generate",
        &kratos.whoami(&browser.session()).await?,
        "aal1",
        &browser.person.id,
    );
    let fields = json!({"method": "lookup_secret", "lookup_secret_confirm": true});
    let answer = browser.submit(kratos, &flow, fields).await?;
    sheet.same(
        "confirm",
        json!([answer.status, answer.at("/state")]),
        json!([200, "success"]),
    );
    sheet.same(
        "after",
        offered(&answer),
        json!(["lookup_secret_reveal", "lookup_secret_disable"]),
    );
    let answer = kratos.whoami(&browser.session()).await?;
    sheet.session("after confirm", &answer, "aal2", &browser.person.id);
    sheet.same(
        "methods",
        answer.methods(),
        json!(["password/aal1", "lookup_secret/aal2"]),
    );
    Ok(())
}

/// What the settings offer to do about backup codes.
fn offered(flow: &Answer) -> Vec<String> {
    let nodes = flow.nodes().into_iter();
    nodes
        .filter_map(|node| node.strip_prefix("lookup_secret:").map(str::to_owned))
        .collect()
}

async fn other_session(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.plain().await?;
    let other = Browser::signed_in(kratos, browser.person.clone()).await?;
    browser.enrol_totp(kratos).await?;
    let answer = kratos.whoami(&other.session()).await?;
    stays_aal1(kratos, sheet, "whoami", &answer, &browser.person.id);
    Ok(())
}

/// An aal1 session of an enrolled person, as each mode shows it.
fn stays_aal1(kratos: &Kratos<'_>, sheet: &mut Sheet, what: &str, answer: &Answer, id: &str) {
    match kratos.target().required_aal {
        RequiredAal::Aal1 => sheet.session(what, answer, "aal1", id),
        RequiredAal::HighestAvailable => {
            sheet.refused(what, answer, 403, Some("session_aal2_required"))
        }
    }
}

async fn unlinked(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.plain().await?;
    browser.enrol_totp(kratos).await?;
    let mut aal1 = Browser::signed_in(kratos, browser.person.clone()).await?;
    let flow = browser.open_settings(kratos, "").await?;
    sheet.holds(
        "it is offered",
        flow.answer.nodes().contains(&"totp:totp_unlink".to_owned()),
    );
    let answer = browser
        .submit(
            kratos,
            &flow,
            json!({"method": "totp", "totp_unlink": true}),
        )
        .await?;
    sheet.same(
        "unlink",
        json!([answer.status, answer.at("/state")]),
        json!([200, "success"]),
    );
    let answer = kratos.whoami(&browser.session()).await?;
    sheet.session("that session", &answer, "aal2", &browser.person.id);
    sheet.same(
        "its methods",
        answer.methods(),
        json!(["password/aal1", "totp/aal2"]),
    );
    let new = Browser::signed_in(kratos, browser.person.clone()).await?;
    sheet.session(
        "a new login",
        &kratos.whoami(&new.session()).await?,
        "aal1",
        &browser.person.id,
    );
    sheet.session(
        "an aal1 session",
        &kratos.whoami(&aal1.session()).await?,
        "aal1",
        &browser.person.id,
    );
    sheet.same(
        "its settings",
        aal1.data(kratos, "/self-service/settings/browser")
            .await?
            .status,
        200,
    );
    let flow = browser.open_login(kratos, "aal=aal2&refresh=true").await?;
    sheet.same(
        "the form offered now",
        flow.answer.nodes(),
        json!(["default:csrf_token"]),
    );
    Ok(())
}

async fn deleted(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let browser = kratos.aal2().await?;
    let aal1 = Browser::signed_in(kratos, browser.person.clone()).await?;
    let path = |kind: &str| format!("/admin/identities/{}/credentials/{kind}", browser.person.id);
    let steps = [
        ("totp", 204),
        ("totp", 404),
        ("lookup_secret", 204),
        ("lookup_secret", 404),
        ("webauthn", 404),
    ];
    for (kind, status) in steps.into_iter().chain([("password", 400)]) {
        sheet.same(
            kind,
            kratos.admin(Method::DELETE, path(kind)).await?.status,
            status,
        );
    }
    let id = &browser.person.id;
    sheet.session(
        "the aal2 session",
        &kratos.whoami(&browser.session()).await?,
        "aal2",
        id,
    );
    sheet.session(
        "the aal1 session",
        &kratos.whoami(&aal1.session()).await?,
        "aal1",
        id,
    );
    Ok(())
}

async fn used_up(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.aal2().await?;
    let path = format!("/admin/identities/{}/credentials/totp", browser.person.id);
    sheet.same(
        "admin",
        kratos.admin(Method::DELETE, path).await?.status,
        204,
    );
    for left in ["all codes left", "no code left"] {
        let mut aal1 = Browser::signed_in(kratos, browser.person.clone()).await?;
        let answer = kratos.whoami(&aal1.session()).await?;
        stays_aal1(kratos, sheet, left, &answer, &browser.person.id);
        let answer = aal1.data(kratos, "/self-service/settings/browser").await?;
        sheet.refused(
            &format!("{left}: settings"),
            &answer,
            403,
            Some("session_aal2_required"),
        );
        let flow = aal1.open_login(kratos, "aal=aal2").await?;
        let codes_only: Vec<_> = CODE_FORM
            .iter()
            .filter(|node| !node.starts_with("totp:"))
            .collect();
        sheet.same(
            format!("{left}: form"),
            flow.answer.nodes(),
            json!(codes_only),
        );
        while left == "all codes left" && browser.person.codes_left() > 0 {
            browser.step_up(kratos, "aal=aal2&refresh=true").await?;
        }
    }
    Ok(())
}

/// A browser whose login is older than settings allow, with a settings flow open and the fields to enrol TOTP.
async fn old(kratos: &Kratos<'_>) -> Result<(Browser, super::browser::Flow, Value), Error> {
    let mut browser = kratos.plain().await?;
    kratos
        .wait_signed_in(&browser, kratos.target().privileged_max_age)
        .await?;
    let flow = browser.open_settings(kratos, &return_to(kratos)).await?;
    let fields = browser.new_totp(&flow)?;
    Ok((browser, flow, fields))
}

fn confirm_link(kratos: &Kratos<'_>, flow: &str) -> String {
    let base = kratos.target().base();
    let settings = enc(&format!("{base}/self-service/settings?flow={flow}"));
    format!("{base}/self-service/login/browser?refresh=true&return_to={settings}")
}

async fn old_login(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let (mut browser, flow, fields) = old(kratos).await?;
    let answer = browser.submit(kratos, &flow, fields).await?;
    sheet.refused("enrol", &answer, 403, Some("session_refresh_required"));
    sheet.same(
        "redirect_browser_to",
        answer.at("/redirect_browser_to"),
        confirm_link(kratos, &flow.id),
    );
    sheet.session(
        "whoami",
        &kratos.whoami(&browser.session()).await?,
        "aal1",
        &browser.person.id,
    );
    let flow = browser.open_settings(kratos, "").await?;
    let fields =
        json!({"method": "profile", "traits": {"email": browser.person.email, "role": "teller"}});
    sheet.same(
        "ordinary trait",
        browser.submit(kratos, &flow, fields).await?.status,
        200,
    );
    Ok(())
}

async fn old_login_form(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let (mut browser, settings, fields) = old(kratos).await?;
    let link = confirm_link(kratos, &settings.id);
    sheet.sent_to(
        "enrol",
        &browser.submit_form(kratos, &settings, fields).await?,
        &link,
    );
    let query = link.split_once('?').map_or("", |(_, query)| query);
    let flow = browser.open_login(kratos, query).await?;
    let fields = password(&browser.person.email, PASSWORD);
    let answer = browser.submit_form(kratos, &flow, fields).await?;
    let held = format!("{}{}", kratos.target().base(), settings.path());
    sheet.sent_to("after the password", &answer, &held);
    let answer = browser.page(kratos, settings.path()).await?;
    sheet.sent_to("the held submit", &answer, &kratos.target().return_to());
    let answer = kratos.whoami(&browser.session()).await?;
    sheet.session("whoami", &answer, "aal2", &browser.person.id);
    let order = json!(["password/aal1", "password/aal1", "totp/aal2"]);
    sheet.same("methods", answer.methods(), order);
    Ok(())
}

async fn new_password(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut browser = kratos.plain().await?;
    let other = Browser::signed_in(kratos, browser.person.clone()).await?;
    let flow = browser.open_settings(kratos, "").await?;
    let fields = json!({"method": "password", "password": format!("{PASSWORD}-changed")});
    sheet.same(
        "submit",
        browser.submit(kratos, &flow, fields).await?.status,
        200,
    );
    sheet.session(
        "own session",
        &kratos.whoami(&browser.session()).await?,
        "aal1",
        &browser.person.id,
    );
    sheet.session(
        "other session",
        &kratos.whoami(&other.session()).await?,
        "aal1",
        &browser.person.id,
    );
    Ok(())
}

async fn admin_view(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let enrolled = kratos.aal2().await?.person.id;
    let plain = kratos.person().await?.id;
    let view = async |id: &str, query: &str| {
        kratos
            .admin(Method::GET, format!("/admin/identities/{id}{query}"))
            .await
    };
    let answer = view(&enrolled, "").await?;
    sheet.same(
        "enrolled",
        kinds(&answer),
        json!(["lookup_secret", "password", "totp"]),
    );
    sheet.same("config", answer.at("/credentials/totp/config"), json!(null));
    sheet.same("available_aal", answer.at("/available_aal"), json!(null));
    sheet.same(
        "plain",
        kinds(&view(&plain, "").await?),
        json!(["password"]),
    );
    let answer = view(&enrolled, "?include_credential=totp").await?;
    let secret = answer.text("/credentials/totp/config/totp_url");
    sheet.starts("include_credential=totp", Some(&secret), "otpauth://totp/");
    sheet.same(
        "include_credential=nonsense",
        view(&enrolled, "?include_credential=nonsense")
            .await?
            .status,
        400,
    );
    Ok(())
}

fn kinds(answer: &Answer) -> Vec<String> {
    let credentials = answer.at("/credentials");
    let mut kinds: Vec<_> = credentials
        .as_object()
        .into_iter()
        .flat_map(|kinds| kinds.keys().cloned())
        .collect();
    kinds.sort_unstable();
    kinds
}
