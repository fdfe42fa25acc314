//! Freshness, deletion by script, the socket, a revoked session, and forged headers.

use std::time::{Duration, Instant};

use reqwest::Method;

use crate::visitor::{Tour, Visitor, ask, person};

/// A visitor with the second factor just given, at the payout page.
async fn stepped_up(tour: &Tour) -> Visitor {
    let (totp, visitor) = (person("totp"), tour.visitor().await);
    let payout = format!("{}/payout", tour.origins.app);
    visitor.open(&payout).await;
    visitor.log_in(&totp).await;
    visitor.send("totp_code", &tour.code(&totp).await).await;
    visitor.arrives(&payout).await;
    visitor
}

async fn session_id(tour: &Tour, visitor: &Visitor) -> String {
    let session = visitor.session(tour.stage.ports().kratos_public).await;
    session["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payout_takes_a_factor_of_the_last_minute() {
    let tour = Tour::start().await;
    let visitor = stepped_up(&tour).await;
    let id = session_id(&tour, &visitor).await;
    let payout = format!("{}/payout", tour.origins.app);
    let double = tour.stage.double().unwrap();
    young_enough(&tour, &visitor, &id).await;
    let before = tour.count("/payout");
    assert!(double.set_factor_age(&id, Duration::from_secs(61)));
    visitor.open(&payout).await;
    visitor
        .arrives(&format!("{}/login?flow=", tour.origins.ciam))
        .await;
    // A password is no second factor, however fresh it is.
    let refresh = format!(
        "{}/self-service/login/browser?refresh=true&return_to={payout}",
        tour.origins.ciam
    );
    visitor.open(&refresh).await;
    visitor.send("password", &person("totp").password).await;
    visitor
        .arrives(&format!("{}/login?flow=", tour.origins.ciam))
        .await;
    assert_eq!(tour.count("/payout"), before, "asked again at 61 s");
    visitor
        .send("totp_code", &tour.code(&person("totp")).await)
        .await;
    visitor.arrives(&payout).await;
    assert_eq!(tour.count("/payout"), before + 1);
    visitor.close().await;
    tour.stage.stop().await;
}

/// At 59 s nobody is asked. A try that took longer than what is left of the minute proves nothing, and is made anew.
async fn young_enough(tour: &Tour, visitor: &Visitor, id: &str) {
    let payout = format!("{}/payout", tour.origins.app);
    for _ in 0..10 {
        let (begun, before) = (Instant::now(), tour.count("/payout"));
        assert!(
            tour.stage
                .double()
                .unwrap()
                .set_factor_age(id, Duration::from_secs(59))
        );
        visitor.open(&payout).await;
        if tour.count("/payout") > before {
            assert_eq!(visitor.at().await, payout);
            return;
        }
        assert!(
            begun.elapsed() > Duration::from_millis(900),
            "asked again at 59 s"
        );
    }
    panic!("this machine never opens a page within a second");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_deletes_hears_json_and_asks() {
    let tour = Tour::start().await;
    let (totp, visitor) = (person("totp"), tour.visitor().await);
    visitor.open(&format!("{}/account", tour.origins.app)).await;
    visitor.log_in(&totp).await;
    let privacy = format!("{}/privacy", tour.origins.app);
    visitor
        .arrives(&format!("{}/account", tour.origins.app))
        .await;
    visitor.open(&privacy).await;
    visitor.click("#erase").await;
    // The page's script could read the refusal across origins, else it could not open the dialog with its reason.
    visitor
        .click("dialog[open][data-reason=session_aal2_required] #onward")
        .await;
    assert_eq!(deletions(&tour), 0);
    visitor.send("totp_code", &tour.code(&totp).await).await;
    visitor.arrives(&privacy).await;
    visitor.reads("Continue: delete all my data").await;
    assert_eq!(
        deletions(&tour),
        0,
        "a click repeats the call, and nothing else"
    );
    visitor.click("#erase").await;
    visitor.reads("All your data is gone.").await;
    assert_eq!(deletions(&tour), 1);
    visitor.close().await;
    tour.stage.stop().await;
}

fn deletions(tour: &Tour) -> usize {
    let visits = tour.stage.ledger().visits();
    visits
        .iter()
        .filter(|visit| visit.method == "DELETE")
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_opens_after_the_second_factor() {
    let tour = Tour::start().await;
    let (totp, visitor) = (person("totp"), tour.visitor().await);
    let trading = format!("{}/trading", tour.origins.app);
    visitor.open(&format!("{}/account", tour.origins.app)).await;
    visitor.log_in(&totp).await;
    visitor
        .arrives(&format!("{}/account", tour.origins.app))
        .await;
    visitor.open(&trading).await;
    let pages = tour.count("/trading");
    visitor.click("#trade").await;
    visitor.reads("Refused.").await;
    assert_eq!(
        tour.count("/trading"),
        pages,
        "no handshake reached the bank"
    );
    visitor.click("#trade-help a").await;
    visitor.send("totp_code", &tour.code(&totp).await).await;
    visitor.arrives(&trading).await;
    visitor.click("#trade").await;
    visitor.reads("104.").await;
    assert_eq!(
        tour.count("/trading"),
        pages + 2,
        "the page, and the handshake"
    );
    visitor.close().await;
    tour.stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_session_is_refused() {
    let tour = Tour::start().await;
    let visitor = stepped_up(&tour).await;
    let id = session_id(&tour, &visitor).await;
    let admin = format!("http://127.0.0.1:{}", tour.stage.ports().kratos_admin);
    assert!(demo::admin::Admin::new(&admin).unwrap().revoke(&id).await);
    let before = tour.count("/payout");
    visitor.open(&format!("{}/payout", tour.origins.app)).await;
    visitor
        .arrives(&format!("{}/login?flow=", tour.origins.ciam))
        .await;
    assert!(
        visitor.has("input[name=password]").await,
        "at the next request"
    );
    assert_eq!(tour.count("/payout"), before);
    visitor.close().await;
    tour.stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_identity_headers_never_arrive() {
    let tour = Tour::start().await;
    let forged = [
        ("x-user-id", "forged"),
        ("x-user-aal", "aal2"),
        ("x-user-second-factor", "2999-01-01T00:00:00Z"),
        ("x.user.id", "forged"),
    ];
    ask(&tour, Method::GET, &tour.origins.app, &forged).await;
    let visits = tour.stage.ledger().visits();
    let last = visits.last().unwrap();
    assert_eq!((&last.user_id, &last.user_aal), (&None, &None));
    tour.stage.stop().await;
}
