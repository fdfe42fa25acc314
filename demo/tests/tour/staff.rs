//! The console: another host, another Kratos, a role.

use std::time::Duration;

use reqwest::Method;

use crate::visitor::{Tour, Visitor, ask, person};

/// `admin@`, with a second factor, at the console.
pub(crate) async fn admin_at_the_console(tour: &Tour) -> Visitor {
    let (admin, visitor) = (person("admin"), tour.visitor().await);
    visitor.open(&format!("{}/", tour.origins.console)).await;
    visitor
        .arrives(&format!("{}/login?flow=", tour.origins.iam))
        .await;
    visitor.log_in(&admin).await;
    visitor.send("totp_code", &tour.code(&admin).await).await;
    visitor.arrives(&tour.origins.console).await;
    visitor
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_grants_after_a_fresh_code() {
    let tour = Tour::start().await;
    let visitor = admin_at_the_console(&tour).await;
    let session = visitor.session(tour.stage.ports().iam_public).await;
    let double = tour.stage.staff_double().unwrap();
    assert!(double.set_factor_age(session["id"].as_str().unwrap(), Duration::from_secs(301)));
    let grant = format!("{}/grant", tour.origins.console);
    visitor.open(&grant).await;
    visitor
        .arrives(&format!("{}/login?flow=", tour.origins.iam))
        .await;
    assert_eq!(tour.stage.console().count("/grant"), 0, "too old");
    visitor
        .send("totp_code", &tour.code(&person("admin")).await)
        .await;
    visitor.arrives(&grant).await;
    visitor.send("email", "viewer@bank.localhost").await;
    visitor.reads("Granted.").await;
    assert_eq!(
        tour.stage.console().count("/grant"),
        2,
        "the form, and its post"
    );
    visitor.close().await;
    tour.stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_sets_a_factor_up_among_the_staff_and_still_lacks_the_role() {
    let tour = Tour::start().await;
    let (viewer, visitor) = (person("viewer"), tour.visitor().await);
    visitor.open(&format!("{}/", tour.origins.console)).await;
    visitor.log_in(&viewer).await;
    // The staff's settings, never the customers'.
    visitor
        .arrives(&format!("{}/settings?flow=", tour.origins.iam))
        .await;
    assert_eq!(tour.stage.console().visits(), []);
    let key = visitor.key().await;
    visitor.send("totp_code", &tour.code_of(&key)).await;
    visitor.arrives(&tour.origins.console).await;
    let grant = format!("{}/grant", tour.origins.console);
    visitor.open(&grant).await;
    assert_eq!(visitor.at().await, grant, "no challenge helps");
    let cookie = visitor.cookie().await;
    let answer = ask(&tour, Method::GET, &grant, &[("cookie", &cookie)]).await;
    assert_eq!(answer.status(), 403);
    assert_eq!(
        answer.headers()["x-stepgate-reason"],
        "identity_not_permitted"
    );
    // People may write their own traits; the role isn't one of them.
    visitor
        .open(&format!(
            "{}/self-service/settings/browser",
            tour.origins.iam
        ))
        .await;
    visitor.send("traits.role", "admin").await;
    visitor.reads("saved").await;
    let iam = format!("http://127.0.0.1:{}", tour.stage.ports().iam_admin);
    let identity = demo::admin::Admin::new(&iam)
        .unwrap()
        .person(&viewer.email)
        .await
        .unwrap();
    assert_eq!(identity["traits"]["role"], "admin", "the trait is written");
    let answer = ask(&tour, Method::GET, &grant, &[("cookie", &cookie)]).await;
    assert_eq!(answer.status(), 403);
    assert_eq!(tour.stage.console().count("/grant"), 0);
    visitor.close().await;
    tour.stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_cookie_counts_for_nothing_at_the_console() {
    let tour = Tour::start().await;
    let double = tour.stage.double().unwrap();
    let cookie = double.sign_in(&person("totp").email).unwrap();
    let cookie = double.step_up(&cookie, "totp").unwrap().header();
    let headers = [("cookie", cookie.as_str()), ("accept", "text/html")];
    let answer = ask(&tour, Method::GET, &tour.origins.console, &headers).await;
    let location = answer.headers()["location"].to_str().unwrap();
    assert!(location.starts_with(&format!(
        "{}/self-service/login/browser?return_to=",
        tour.origins.iam
    )));
    assert_eq!(tour.stage.console().visits(), []);
    tour.stage.stop().await;
}
