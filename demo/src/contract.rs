//! What any Kratos must answer, row by row: a list that runs against the double and against a real one.
//!
//! Each [`Row`] states one fact of Ory Kratos v26.2.0 that Stepgate, the pages or the tests depend on, under the number
//! it has in the contract table (`K-05`). A row makes its own people through the admin API, signs them in through the
//! public one, asks, and compares the answer with what was recorded.
//!
//! - Nothing is remembered between rows, so each of them can be read, and run, alone.
//! - No redirect is followed and no cookie is kept but by the row itself.
//! - No row waits and no clock is read: a code is made for the time that Kratos gave in its own answer, and rows that
//!   need hours to pass run only where [`Target::advance`] can make them pass.

mod answer;
mod browser;
mod client;
mod compare;
mod error;
mod person;
mod report;
mod row;
mod sheet;
mod target;

mod credentials;
mod ended;
mod enrolment;
mod first_factor;
mod flows;
mod login;
mod native;
mod privileged;
mod recovery;
mod reissue;
mod return_to;
mod return_to_refused;
mod second_factor;
mod settings;
mod step_up;
mod tabs;
mod unenrolment;
mod visit;
mod whoami;
mod wire;

pub use error::Error;
pub use report::{Outcome, Report, RowReport};
pub use row::Row;
pub use sheet::Difference;
pub use target::{Advance, Target};

pub use crate::kratos::RequiredAal;

use client::Kratos;
use sheet::Sheet;

/// All rows, in the order of the table.
#[must_use]
pub fn rows() -> Vec<Row> {
    let mut rows = [
        whoami::rows(),
        ended::rows(),
        credentials::rows(),
        wire::rows(),
        reissue::rows(),
        login::rows(),
        flows::rows(),
        return_to::rows(),
        return_to_refused::rows(),
        first_factor::rows(),
        step_up::rows(),
        second_factor::rows(),
        tabs::rows(),
        settings::rows(),
        enrolment::rows(),
        unenrolment::rows(),
        privileged::rows(),
        native::rows(),
        recovery::rows(),
    ]
    .concat();
    rows.sort_by_key(Row::number);
    rows
}

/// Asks `target` every row that fits it and reports what differed.
pub async fn run(target: &Target) -> Report {
    run_rows(target, &rows()).await
}

/// Asks `target` these rows only.
pub async fn run_rows(target: &Target, rows: &[Row]) -> Report {
    let kratos = Kratos::new(target);
    let mut report = Report::new(target);
    for row in rows {
        report.add(row, ask(&kratos, row).await);
    }
    report
}

/// One row's outcome. An error on the way there is a difference too: the row could not be asked.
async fn ask(kratos: &Kratos<'_>, row: &Row) -> Outcome {
    if let Some(reason) = row.unfit(kratos.target()) {
        return Outcome::Skipped(reason);
    }
    let mut sheet = Sheet::default();
    if let Err(error) = row.run(kratos, &mut sheet).await {
        sheet.broken(&error);
    }
    sheet.outcome()
}
