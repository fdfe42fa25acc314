//! The double answers every row of the contract as a real Kratos does.

use std::io;

use demo::contract::{self, Outcome, Report, RequiredAal, Target};
use demo::kratos::{Double, Options};

async fn asked(required_aal: RequiredAal) -> io::Result<Report> {
    let options = Options {
        whoami_required_aal: required_aal,
        ..Options::default()
    };
    let double = Double::start(options).await?;
    let clock = double.clock().clone();
    let target = Target::new(double.public_url(), double.admin_url(), required_aal)
        .with_advance(move |time| clock.advance(time));
    Ok(contract::run(&target).await)
}

fn every_row_holds(report: &Report) {
    assert!(report.is_green(), "{report}");
    let other_mode = Outcome::Skipped("holds in the other mode only");
    let mut rows = report.rows().iter().map(|row| &row.outcome);
    assert!(
        rows.all(|outcome| [&Outcome::Passed, &other_mode].contains(&outcome)),
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_double_answers_as_kratos_does_at_aal1() {
    every_row_holds(&asked(RequiredAal::Aal1).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_double_answers_as_kratos_does_at_highest_available() {
    every_row_holds(&asked(RequiredAal::HighestAvailable).await.unwrap());
}

#[test]
fn each_row_has_an_id_of_its_own() {
    let mut ids: Vec<_> = contract::rows().iter().map(contract::Row::id).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}
