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
    // Proof that Kratos can take a login is good for a second.
    let answer = becomes(&tour, &email, 503).await;
    assert_eq!(answer.headers().get("location"), None);
    visitor.open(&email).await;
    assert_eq!(visitor.at().await, email, "no redirect");
    assert_eq!(tour.count("/email"), 0);
    visitor.open(&tour.origins.app).await;
    visitor.reads("Banking, with a second look").await;
    tour.stage.start_kratos().await.unwrap();
    becomes(&tour, &email, 303).await;
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

/// Asks for a page until it is answered so, which it is by itself.
async fn becomes(tour: &Tour, url: &str, status: u16) -> reqwest::Response {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = ask(tour, Method::GET, url, &[("accept", "text/html")]).await;
        if answer.status() == status {
            return answer;
        }
        assert!(
            Instant::now() < until,
            "{} instead of {status}",
            answer.status()
        );
    }
}
