//! Settings where a second factor comes first: `settings: enrol_first`, with Kratos' own origin judged too.

use demo::stage::StageOptions;

use crate::visitor::{Tour, Visitor, person};

const CONFIG: &str = include_str!("../../stepgate.yaml");
/// How `envoy/envoy.yaml` leaves the customers' Kratos to itself, and what stands there instead.
const UNJUDGED: &str = "                      # Kratos guards its own API. Its admin API is another port, and has no route.
                      # Under `settings: enrol_first` Stepgate judges this host as well: see docs/settings.md.
                      typed_per_filter_config:
                        envoy.filters.http.ext_authz:
                          \"@type\": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute
                          disabled: true
";
const JUDGED: &str = "                      typed_per_filter_config:
                        envoy.filters.http.ext_authz:
                          \"@type\": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute
                          check_settings:
                            with_request_body: { max_request_bytes: 65536, allow_partial_message: true, pack_as_bytes: true }
";
const NEW: &str = "not-a-password-but-a-new-one";

async fn tour() -> Tour {
    let origins = "    credentials: [cookie, session_token, bearer]\n";
    let first = format!("{origins}    settings: enrol_first\n");
    assert!(CONFIG.contains(origins));
    Tour::with(StageOptions {
        config: Some(CONFIG.replacen(origins, &first, 1)),
        envoy_edits: vec![(UNJUDGED.to_owned(), JUDGED.to_owned())],
        ..StageOptions::default()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_enrols_before_the_password_changes() {
    let tour = tour().await;
    let (plain, visitor) = (person("plain"), tour.visitor().await);
    let ciam = tour.origins.ciam.clone();
    let settings = format!("{ciam}/self-service/settings/browser");
    visitor.open(&format!("{}/account", tour.origins.app)).await;
    visitor.log_in(&plain).await;
    visitor
        .arrives(&format!("{}/account", tour.origins.app))
        .await;
    visitor.open(&settings).await;
    visitor.arrives(&format!("{ciam}/settings?flow=")).await;
    let before = visitor.at().await;
    visitor.send("password", NEW).await;
    let other = other_flow(&visitor, &ciam, &before).await;
    assert!(!visitor.text().await.contains("have been saved"));
    assert_eq!(posted(&tour, &visitor, &other).await, 403);
    let key = visitor.key().await;
    visitor.send("totp_code", &tour.code_of(&key)).await;
    // Kratos takes them back to settings, and they are open.
    let third = other_flow(&visitor, &ciam, &other).await;
    assert_ne!(posted(&tour, &visitor, &third).await, 403);
    visitor.send("password", NEW).await;
    visitor.reads("saved").await;
    visitor.close().await;
    tour.stage.stop().await;
}

/// Waits for another settings flow than this.
async fn other_flow(visitor: &Visitor, ciam: &str, flow: &str) -> String {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(15);
    loop {
        let at = visitor.at().await;
        if at != flow && at.starts_with(&format!("{ciam}/settings?flow=")) {
            return at;
        }
        assert!(std::time::Instant::now() < until, "{at} is where it was");
        tokio::task::yield_now().await;
    }
}

/// The status of a new password that a script posts to the flow of a page; 403 where Stepgate held it.
async fn posted(tour: &Tour, visitor: &Visitor, page: &str) -> u16 {
    let (_, flow) = page.split_once('?').unwrap();
    let ciam = &tour.origins.ciam;
    let address = ([127, 0, 0, 1], tour.stage.ports().envoy).into();
    let (_, host) = ciam.split_once("://").unwrap();
    let (host, _) = host.split_once(':').unwrap();
    let http = demo::client::builder().resolve(host, address).build();
    let form = format!("method=password&password={NEW}");
    let answer = http
        .unwrap()
        .post(format!("{ciam}/self-service/settings?{flow}"))
        .header("accept", "application/json")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("cookie", visitor.cookie().await)
        .body(form)
        .send()
        .await
        .unwrap();
    let reason = answer.headers().get("x-stepgate-reason");
    assert_eq!(
        reason.is_some(),
        reason.is_some_and(|reason| reason == "session_aal2_enrolment_required")
    );
    reason.map_or(0, |_| answer.status().as_u16())
}
