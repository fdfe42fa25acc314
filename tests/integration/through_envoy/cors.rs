//! Preflights and the headers that let a script read an answer, with and without Envoy's own CORS filter.

use demo::stage::StageOptions;
use demo::story::Http;

use super::{BOTH, Way};

const PREFLIGHT: [(&str, &str); 2] = [
    ("access-control-request-method", "POST"),
    ("access-control-request-headers", "content-type"),
];
const ALLOW_ORIGIN: &str = "access-control-allow-origin";

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_reaches_the_app_without_a_session_unless_the_rule_denies() {
    let way = Way::open().await;
    let origin = way.origin();
    let headers = [
        &PREFLIGHT[..],
        &[("origin", &origin), ("x-user-id", "forged")],
    ]
    .concat();
    for http in BOTH {
        let seen = way
            .allowed(http, &way.ask("OPTIONS", "/transfer", &headers))
            .await;
        assert_eq!((&*seen.method, seen.all("x-user-id")), ("OPTIONS", vec![]));
        let denied = way
            .refused(http, &way.ask("OPTIONS", "/closed", &headers))
            .await;
        assert_eq!(denied.status, 403);
        // Any other OPTIONS is a request like the rest.
        let plain = way
            .refused(http, &way.ask("OPTIONS", "/transfer", &[]))
            .await;
        assert_eq!(plain.status, 401);
    }
    way.stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn envoys_cors_filter_answers_preflights_and_doubles_no_header() {
    let way = Way::with(with_filter()).await;
    let origin = way.origin();
    let from = |origin| [&PREFLIGHT[..], &[("origin", origin)]].concat();
    for http in BOTH {
        let heard = way
            .hear(http, &way.ask("OPTIONS", "/transfer", &from(&origin)))
            .await;
        assert_eq!((heard.status, heard.header(ALLOW_ORIGIN)), (200, &*origin));
        assert!(
            way.app.received().is_empty(),
            "the filter answers by itself"
        );
        let script = [("origin", &*origin), ("sec-fetch-mode", "cors")];
        let refused = way
            .refused(http, &way.ask("POST", "/transfer", &script))
            .await;
        assert_eq!(
            (refused.status, refused.header(ALLOW_ORIGIN)),
            (401, &*origin)
        );
        foreign(&way, http).await;
    }
    way.stage.stop().await;
}

/// An origin that neither Envoy nor Stepgate trusts may read nothing.
async fn foreign(way: &Way, http: Http) {
    let script = [("origin", "http://evil.test"), ("sec-fetch-mode", "cors")];
    let refused = way
        .refused(http, &way.ask("POST", "/transfer", &script))
        .await;
    assert_eq!((refused.status, refused.header(ALLOW_ORIGIN)), (401, ""));
}

/// The filter as Envoy's documents place it: before the one that asks.
fn with_filter() -> StageOptions {
    let filters = "                http_filters:\n";
    let cors = "                  - name: envoy.filters.http.cors
                    typed_config:
                      \"@type\": type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors\n";
    let host = "                    - name: app\n";
    let policy = "                      typed_per_filter_config:
                        envoy.filters.http.cors:
                          \"@type\": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy
                          allow_origin_string_match: [{ exact: \"http://app.bank.localhost:8080\" }]
                          allow_methods: GET, POST
                          allow_headers: content-type
                          allow_credentials: true\n";
    let before = |place: &str, text: &str| (place.to_owned(), format!("{place}{text}"));
    StageOptions {
        envoy_edits: vec![before(filters, cors), before(host, policy)],
        ..StageOptions::default()
    }
}
