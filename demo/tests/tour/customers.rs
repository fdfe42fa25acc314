//! The core: signed out, password, second factor; enrolling; going round in circles; recovering with the phone lost.

use demo::kratos::RequiredAal;
use demo::stage::{Proxy, StageOptions};
use reqwest::Method;

use crate::visitor::{Tour, Visitor, ask, flow, person};

#[tokio::test(flavor = "multi_thread")]
async fn the_core_holds_where_whoami_asks_for_aal1() {
    core(Tour::in_mode(RequiredAal::Aal1).await, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_core_holds_where_whoami_asks_for_all_there_is() {
    core(Tour::in_mode(RequiredAal::HighestAvailable).await, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_steps_hold_behind_caddy() {
    let tour = Tour::with(StageOptions {
        proxy: Proxy::Caddy,
        ..StageOptions::default()
    })
    .await;
    core(tour, false).await;
}

/// Where Kratos hides enrolled people's sessions, their password leads on to the second factor by itself.
async fn core(tour: Tour, hides: bool) {
    let (totp, visitor) = (person("totp"), tour.visitor().await);
    let app = tour.origins.app.clone();
    signed_out(&tour, &visitor).await;
    visitor.log_in(&totp).await;
    if !hides {
        visitor.arrives(&format!("{app}/account")).await;
        visitor.reads("aal1").await;
        exact_step_up(&tour, &visitor).await;
        let before = visitor.session(tour.stage.ports().kratos_public).await;
        visitor.open(&format!("{app}/email")).await;
        visitor
            .arrives(&format!("{}/login?flow=", tour.origins.ciam))
            .await;
        visitor.send("totp_code", "000000").await;
        visitor.reads("code is invalid").await;
        visitor.open(&format!("{app}/email")).await;
        visitor
            .arrives(&format!("{}/login?flow=", tour.origins.ciam))
            .await;
        assert_eq!(tour.count("/email"), 0, "a wrong code opens nothing");
        visitor.send("totp_code", &tour.code(&totp).await).await;
        visitor.arrives(&format!("{app}/email")).await;
        assert_eq!(tour.count("/email"), 1);
        let after = visitor.session(tour.stage.ports().kratos_public).await;
        assert_eq!(before["id"], after["id"], "one session, lifted");
    } else {
        visitor
            .arrives(&format!("{}/login?flow=", tour.origins.ciam))
            .await;
        visitor.send("totp_code", &tour.code(&totp).await).await;
        visitor.arrives(&format!("{app}/account")).await;
    }
    visitor.open(&format!("{app}/password")).await;
    assert_eq!(
        visitor.at().await,
        format!("{app}/password"),
        "a second page opens at once"
    );
    assert_eq!(tour.count("/password"), 1);
    visitor.close().await;
    tour.stage.stop().await;
}

async fn signed_out(tour: &Tour, visitor: &Visitor) {
    let account = format!("{}/account", tour.origins.app);
    let answer = ask(tour, Method::GET, &account, &[("accept", "text/html")]).await;
    let want = flow(&tour.origins.ciam, "login/browser", &account);
    assert_eq!(
        answer.headers()["location"].to_str().unwrap(),
        want,
        "without `aal`"
    );
    visitor.open(&account).await;
    visitor
        .arrives(&format!("{}/login?flow=", tour.origins.ciam))
        .await;
    assert_eq!(tour.count("/account"), 0);
}

async fn exact_step_up(tour: &Tour, visitor: &Visitor) {
    let email = format!("{}/email", tour.origins.app);
    let cookie = visitor.cookie().await;
    let headers = [("accept", "text/html"), ("cookie", cookie.as_str())];
    let answer = ask(tour, Method::GET, &email, &headers).await;
    let want = flow(
        &tour.origins.ciam,
        "login/browser?aal=aal2&refresh=true",
        &email,
    );
    assert_eq!(answer.headers()["location"].to_str().unwrap(), want);
    assert_eq!(tour.count("/email"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn enrolling_lands_on_the_operation_without_a_second_code() {
    let tour = Tour::start().await;
    let (plain, visitor) = (person("plain"), tour.visitor().await);
    let transfer = format!("{}/transfer?to=Hermes&amount=250", tour.origins.app);
    visitor.open(&transfer).await;
    visitor.log_in(&plain).await;
    visitor
        .arrives(&format!("{}/settings?flow=", tour.origins.ciam))
        .await;
    assert!(visitor.has(".qr svg").await);
    assert_eq!(tour.count("/transfer"), 0);
    let key = visitor.key().await;
    visitor.send("totp_code", &tour.code_of(&key)).await;
    visitor.arrives(&transfer).await;
    assert_eq!(tour.count("/transfer"), 1);
    visitor.close().await;
    tour.stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn going_back_four_times_ends_on_a_page_that_explains() {
    let tour = Tour::start().await;
    let (plain, visitor) = (person("plain"), tour.visitor().await);
    visitor.open(&format!("{}/account", tour.origins.app)).await;
    visitor.log_in(&plain).await;
    visitor
        .arrives(&format!("{}/account", tour.origins.app))
        .await;
    let email = format!("{}/email", tour.origins.app);
    for _ in 0..3 {
        visitor.open(&email).await;
        visitor
            .arrives(&format!("{}/settings?flow=", tour.origins.ciam))
            .await;
    }
    visitor.open(&email).await;
    assert_eq!(visitor.at().await, email, "no further redirect");
    visitor.reads("second factor").await;
    assert_eq!(tour.count("/email"), 0);
    visitor.close().await;
    tour.stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovered_account_is_no_second_factor() {
    let tour = Tour::start().await;
    let (lost, visitor) = (person("lost"), tour.visitor().await);
    let ciam = tour.origins.ciam.clone();
    visitor.open(&format!("{ciam}/recovery")).await;
    visitor.arrives(&format!("{ciam}/recovery?flow=")).await;
    visitor.send("email", &lost.email).await;
    visitor.reads("has been sent").await;
    visitor.send("code", &mailed(&tour).await).await;
    // The factor is still there, so Kratos asks for it before it shows any settings (K-103).
    visitor.arrives(&format!("{ciam}/login?flow=")).await;
    visitor.open(&format!("{}/account", tour.origins.app)).await;
    visitor.reads("aal1").await;
    let email = format!("{}/email", tour.origins.app);
    visitor.open(&email).await;
    visitor.arrives(&format!("{ciam}/login?flow=")).await;
    assert_eq!(tour.count("/email"), 0);
    let admin = crate::staff::admin_at_the_console(&tour).await;
    admin
        .click("button[aria-label='Remove the second factor of lost@bank.localhost']")
        .await;
    admin.reads("The lost factor is gone").await;
    assert_eq!(tour.stage.console().count("/customers/remove-factor"), 1);
    visitor.open(&email).await;
    visitor.arrives(&format!("{ciam}/settings?flow=")).await;
    let key = visitor.key().await;
    visitor.send("totp_code", &tour.code_of(&key)).await;
    visitor.arrives(&email).await;
    assert_eq!(tour.count("/email"), 1);
    visitor.close().await;
    admin.close().await;
    tour.stage.stop().await;
}

/// The code in the last mail, as the mail page shows it.
async fn mailed(tour: &Tour) -> String {
    let answer = ask(tour, Method::GET, &tour.origins.mail, &[]).await;
    let page = answer.text().await.unwrap();
    let (_, rest) = page.split_once("Use code ").unwrap();
    rest.chars().take(6).collect()
}
