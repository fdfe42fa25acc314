//! The whole of it: a real Envoy with the project's own `envoy.yaml`, the Kratos double, Stepgate, and a bank that
//! counts what reaches it. Envoy comes from `make envoy`.

use std::time::Duration;

use demo::kratos::RequiredAal;
use demo::stage::{Stage, StageOptions, people};
use demo::story::{Browser, Customer, Http, tap, walk};

use crate::watch;

/// Envoy gives a check 2 s; what is left is for a busy machine.
const SOON: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread")]
async fn the_story_holds_with_raw_headers() {
    story(StageOptions::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_holds_with_joined_headers() {
    story(StageOptions {
        encode_raw_headers: false,
        ..StageOptions::default()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_holds_where_kratos_hides_enrolled_sessions() {
    story(StageOptions {
        whoami_required_aal: RequiredAal::HighestAvailable,
        ..StageOptions::default()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_kratos_is_503_within_the_timeout_and_no_redirect() {
    let mut stage = Stage::start(StageOptions::default()).await.unwrap();
    let mut browser = signed_in(&stage).await;
    stage.stop_kratos().await;
    let account = format!("{}/account", stage.place().app);
    // What was remembered of the session is gone after its second.
    let refused = async {
        loop {
            let answer = browser.get(&account).await.unwrap();
            if answer.status != 200 {
                return answer;
            }
        }
    };
    let answer = tokio::time::timeout(SOON, refused).await.unwrap();
    assert_eq!((answer.status, answer.raw_location()), (503, None));
    let transfer = browser
        .get(&format!("{}/transfer", stage.place().app))
        .await
        .unwrap();
    assert_eq!((transfer.status, transfer.raw_location()), (503, None));
    assert_eq!(stage.ledger().count("/transfer"), 0);
    let open = browser.get(&stage.place().app).await.unwrap();
    assert_eq!(open.status, 200, "open pages stay open");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_stepgate_nothing_reaches_the_bank() {
    let mut stage = Stage::start(StageOptions::default()).await.unwrap();
    let mut browser = signed_in(&stage).await;
    stage.kill_stepgate().await;
    stage.ledger().clear();
    for path in ["/", "/account", "/transfer"] {
        let url = format!("{}{path}", stage.place().app);
        let asked = browser.get(&url);
        let answer = tokio::time::timeout(SOON, asked).await.unwrap().unwrap();
        assert_eq!(
            (answer.status, answer.raw_location()),
            (503, None),
            "{path}"
        );
    }
    assert_eq!(stage.ledger().visits(), []);
    stage.stop().await;
}

async fn story(options: StageOptions) {
    let stage = Stage::start(options).await.unwrap();
    for http in [Http::One, Http::Two] {
        let [enrolled, plain] = fresh(&stage, http);
        let steps = walk(&stage.place(), http, &enrolled, &plain).await;
        let story = tap(&steps);
        assert!(steps.iter().all(|step| step.miss.is_none()), "{story}");
        assert!(steps.len() > 30, "the story was cut short:\n{story}");
    }
    watch::look_at(&stage.stop().await);
}

/// People of this walk alone, since a walk uses them up.
fn fresh(stage: &Stage, http: Http) -> [Customer; 2] {
    let people = people().into_iter().take(2).map(|customer| Customer {
        email: format!("{http:?}-{}", customer.email).to_lowercase(),
        ..customer
    });
    let people: Vec<_> = people.inspect(|customer| stage.add(customer)).collect();
    people.try_into().unwrap()
}

/// A browser with the session of somebody who gave a password.
async fn signed_in(stage: &Stage) -> Browser {
    let place = stage.place();
    let customer = people().swap_remove(0);
    let mut browser = Browser::new(
        Http::One,
        &["app.bank.localhost", "ciam.bank.localhost"],
        place.envoy,
    )
    .unwrap();
    let account = format!("{}/account", place.app);
    let page = browser.follow(&account).await.unwrap();
    let typed = [
        ("identifier", customer.email.as_str()),
        ("password", customer.password.as_str()),
    ];
    let answer = browser.submit(&page, &typed).await.unwrap();
    assert_eq!(answer.raw_location(), Some(account.as_str()));
    assert_eq!(browser.get(&account).await.unwrap().status, 200);
    browser
}
