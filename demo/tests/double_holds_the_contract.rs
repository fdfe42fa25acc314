//! The double is held to the contract: every row, in both modes of `whoami.required_aal`.

use demo::contract::{self, Target};
use demo::kratos::{Double, Options, RequiredAal};

async fn hold(mode: RequiredAal, asked: contract::RequiredAal) {
    let double = Double::start(Options {
        whoami_required_aal: mode,
        ..Options::default()
    })
    .await
    .unwrap();
    let clock = double.clock().clone();
    let target = Target::new(double.public_url(), double.admin_url(), asked)
        .with_advance(move |by| clock.advance(by));
    let report = contract::run(&target).await;
    assert!(report.is_green(), "{report}");
    double.stop().await;
}

#[tokio::test]
async fn with_required_aal_aal1() {
    hold(RequiredAal::Aal1, contract::RequiredAal::Aal1).await;
}

#[tokio::test]
async fn with_required_aal_highest_available() {
    hold(
        RequiredAal::HighestAvailable,
        contract::RequiredAal::HighestAvailable,
    )
    .await;
}
