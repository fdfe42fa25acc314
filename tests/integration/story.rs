//! The main job through a real Envoy: `envoy/envoy.yaml` as it stands, but for its ports.

use demo::{
    kratos::RequiredAal,
    stage::{Stage, StageOptions},
    story::{Customer, Http, walk},
};

/// Stepgate as this test was built with.
fn options() -> StageOptions {
    StageOptions {
        stepgate: Some(env!("CARGO_BIN_EXE_stepgate").into()),
        ..StageOptions::default()
    }
}

fn customer(name: &str, totp_secret: Option<&str>) -> Customer {
    Customer {
        email: format!("{name}@bank.localhost"),
        password: "not-a-password-only-for-tests".to_owned(),
        totp_secret: totp_secret.map(str::to_owned),
        backup_codes: totp_secret.iter().map(|_| "notacode".to_owned()).collect(),
    }
}

async fn walked(options: StageOptions) {
    let stage = Stage::start(options)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    for http in [Http::One, Http::Two] {
        // Each walk changes what its people have, so each has its own.
        let enrolled = customer(
            &format!("enrolled-{http:?}").to_lowercase(),
            Some("NOTASECRETNOTASECRETNOTASECRET22"),
        );
        let plain = customer(&format!("unenrolled-{http:?}").to_lowercase(), None);
        stage.add(&enrolled);
        stage.add(&plain);
        let steps = walk(&stage.place(), http, &enrolled, &plain).await;
        let missed: Vec<_> = steps
            .iter()
            .filter_map(|step| Some(format!("{}: {}", step.name, step.miss.as_ref()?)))
            .collect();
        assert!(
            steps.len() > 10 && missed.is_empty(),
            "{http:?}\n{}",
            missed.join("\n")
        );
    }
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_holds_with_raw_headers() {
    walked(options()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_holds_with_joined_headers() {
    walked(StageOptions {
        encode_raw_headers: false,
        ..options()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_holds_over_a_kratos_that_hides_unproven_sessions() {
    walked(StageOptions {
        whoami_required_aal: RequiredAal::HighestAvailable,
        ..options()
    })
    .await;
}
