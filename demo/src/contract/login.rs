//! K-40 to K-50: where `GET /self-service/login/browser` leads, by session and query.

use super::Error;
use super::browser::Browser;
use super::client::Kratos;
use super::row::{Row, row};
use super::sheet::Sheet;
use super::visit::{Visit, form};
use super::whoami::unknown;

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
        row!(
            "K-40",
            "aal2 without a session ends on the error UI",
            aal2_of_unknown
        ),
        row!(
            "K-41",
            "without a session the first factor is asked, refresh is reset",
            first_of_unknown
        ),
        row!("K-42", "a session that is there already goes back", already),
        row!("K-43", "plain-1 at aal2 gets an empty form", plain_aal2),
        row!(
            "K-44",
            "plain-1 at aal2 with refresh gets an empty form",
            plain_refresh
        ),
        row!(
            "K-45",
            "enrolled-1 at aal2 is asked for the second factor",
            enrolled_aal2
        ),
        row!(
            "K-46",
            "enrolled-1 at aal2 with refresh is asked as well",
            enrolled_refresh
        ),
        row!("K-47", "aal2 at aal2 goes back at once", aal2_again),
        row!(
            "K-48",
            "aal2 at aal2 with refresh is asked again",
            aal2_refresh
        ),
        row!("K-49", "refresh alone asks for the password", refresh),
        row!("K-50", "aal3 and aal0 are refused", unknown_aal),
    ]
}

async fn aal2_of_unknown(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    for (who, browser) in unknown() {
        for query in ["aal=aal2", "aal=aal2&refresh=true"] {
            let mut visit = Visit::new(kratos, browser.clone(), who, query);
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
            let mut visit = Visit::new(kratos, browser.clone(), who, query);
            visit
                .shows(sheet, &form(PASSWORD_FORM, &[], "aal1", false))
                .await?;
        }
    }
    Ok(())
}

/// The three sessions of the table.
pub(super) async fn sessions(kratos: &Kratos<'_>) -> Result<[(&'static str, Browser); 3], Error> {
    Ok([
        ("plain-1", kratos.plain().await?),
        ("enrolled-1", kratos.enrolled().await?),
        ("aal2", kratos.aal2().await?),
    ])
}

async fn already(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    for (who, browser) in sessions(kratos).await? {
        for query in ["", "aal=aal1", "aal="] {
            Visit::new(kratos, browser.clone(), who, query)
                .goes_back(sheet)
                .await?;
        }
    }
    Ok(())
}

async fn plain_aal2(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut visit = Visit::new(kratos, kratos.plain().await?, "plain-1", "aal=aal2");
    visit
        .shows(sheet, &form(EMPTY_FORM, &[SECOND], "aal2", false))
        .await
}

async fn plain_refresh(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut visit = Visit::new(
        kratos,
        kratos.plain().await?,
        "plain-1",
        "aal=aal2&refresh=true",
    );
    visit
        .shows(sheet, &form(EMPTY_FORM, &[CONFIRM, SECOND], "aal2", true))
        .await
}

async fn enrolled_aal2(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let browser = kratos.enrolled().await?;
    for query in ["aal=aal2", "aal=AAL2", "aal=aal2&aal=aal1"] {
        let mut visit = Visit::new(kratos, browser.clone(), "enrolled-1", query);
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
        let mut visit = Visit::new(kratos, browser.clone(), "enrolled-1", query);
        visit
            .shows(sheet, &form(CODE_FORM, &[CONFIRM, SECOND], "aal2", true))
            .await?;
    }
    Ok(())
}

async fn aal2_again(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    Visit::new(kratos, kratos.aal2().await?, "aal2", "aal=aal2")
        .goes_back(sheet)
        .await
}

async fn aal2_refresh(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    let mut visit = Visit::new(
        kratos,
        kratos.aal2().await?,
        "aal2",
        "aal=aal2&refresh=true",
    );
    visit
        .shows(sheet, &form(CODE_FORM, &[CONFIRM], "aal2", true))
        .await
}

async fn refresh(kratos: &Kratos<'_>, sheet: &mut Sheet) -> Result<(), Error> {
    for (who, browser) in sessions(kratos).await? {
        for query in ["refresh=true", "aal=aal1&refresh=true"] {
            let mut visit = Visit::new(kratos, browser.clone(), who, query);
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
            Visit::new(kratos, browser.clone(), who, query)
                .fails(sheet, 400, None)
                .await?;
        }
    }
    Ok(())
}
