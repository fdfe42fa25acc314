//! Kratos stopped, and Stepgate stopped.

use std::time::{Duration, Instant};

use reqwest::Method;

use crate::visitor::{Tour, ask, person};

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_kratos_is_a_503_page_until_it_is_back() {
    let mut tour = Tour::start().await;
    let visitor = tour.visitor().await;
    let email = format!("{}/email", tour.origins.app);
    tour.stage.stop_kratos().await;
    let answer = ask(&tour, Method::GET, &email, &[("accept", "text/html")]).await;
    assert_eq!(
        (answer.status().as_u16(), answer.headers().get("location")),
        (503, None)
    );
    visitor.open(&email).await;
    assert_eq!(visitor.at().await, email, "no redirect");
    assert_eq!(tour.count("/email"), 0);
    visitor.open(&tour.origins.app).await;
    visitor.reads("Banking, with a second look").await;
    tour.stage.start_kratos().await.unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = ask(&tour, Method::GET, &email, &[("accept", "text/html")]).await;
        if answer.status() == 303 {
            break;
        }
        assert!(Instant::now() < until, "it recovers by itself");
    }
    visitor.open(&email).await;
    visitor.log_in(&person("totp")).await;
    visitor.close().await;
    tour.stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_stepgate_nothing_is_served() {
    let mut tour = Tour::start().await;
    tour.stage.kill_stepgate().await;
    let before = tour.stage.ledger().visits().len();
    for path in ["/", "/account", "/transfer"] {
        let answer = ask(
            &tour,
            Method::GET,
            &format!("{}{path}", tour.origins.app),
            &[],
        )
        .await;
        assert_ne!(answer.status(), 200, "{path}");
    }
    assert_eq!(tour.stage.ledger().visits().len(), before);
    tour.stage.stop().await;
}
