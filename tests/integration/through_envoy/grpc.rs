//! gRPC calls, by a client that knows nothing of Stepgate.

use std::str::FromStr;

use demo::kratos::SessionCookie;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus,
};

use super::{Sessions, Way};

const SERVING: i32 = ServingStatus::Serving as i32;

/// The app takes gRPC over HTTP/2, on a route of its own as an operator would write it.
pub(super) fn route() -> Vec<(String, String)> {
    let route = "                        - match: { prefix: / }
                          route: { cluster: bank, timeout: 15s }\n";
    let own = "                        - match: { prefix: /, grpc: {} }
                          route: { cluster: bank_grpc, timeout: 15s }\n";
    let cluster = "    - name: bank
      type: STATIC\n";
    let copy = "    - name: bank_grpc
      type: STATIC
      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          \"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          explicit_http_config: { http2_protocol_options: {} }
      load_assignment:
        cluster_name: bank_grpc
        endpoints:
          - lb_endpoints:
              - endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: 8081 } } }\n";
    vec![
        (route.to_owned(), format!("{own}{route}")),
        (cluster.to_owned(), format!("{copy}{cluster}")),
    ]
}

/// Envoy answers a gRPC call with HTTP 200 and a gRPC status, which it makes from the HTTP status of the refusal.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_call_is_a_status_that_any_client_understands() {
    let mut way = Way::open().await;
    for (cookie, code, reason) in refusals(&way.sessions()) {
        hears(&way, cookie.as_deref(), code, reason).await;
    }
    let mut elsewhere = client(&way, "other").await;
    let status = elsewhere.check(HealthCheckRequest::default()).await;
    assert_eq!(status.unwrap_err().code(), Code::Unknown, "Envoy's for 421");
    assert!(way.app.received().is_empty());
    way.stage.stop_kratos().await;
    // That Kratos was well a moment ago says nothing of a session that nobody asked about.
    let unknown = Some("ory_kratos_session=unknown");
    hears(&way, unknown, Code::Unavailable, "kratos_unavailable").await;
    way.stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowed_call_is_answered_by_the_app() {
    let way = Way::open().await;
    let cookie = way.sessions().aal2.header();
    let answer = call(&way, Some(&cookie)).await.unwrap();
    assert_eq!(answer.get_ref().status, SERVING);
    let [seen] = way.app.received().try_into().unwrap();
    assert_eq!(seen.version, hyper::Version::HTTP_2);
    assert_eq!(seen.all("x-user-aal"), ["aal2"]);
    way.stage.stop().await;
}

/// A 400 becomes `INTERNAL`: that is Envoy's table, whatever the refusal's own gRPC status.
fn refusals(sessions: &Sessions) -> [(Option<String>, Code, &'static str); 4] {
    let [aal1, plain] = [&sessions.aal1, &sessions.plain].map(SessionCookie::header);
    let two = format!("{aal1}; {plain}");
    let enrol = "session_aal2_enrolment_required";
    [
        (None, Code::Unauthenticated, "session_inactive"),
        (Some(aal1), Code::PermissionDenied, "session_aal2_required"),
        (Some(plain), Code::PermissionDenied, enrol),
        (Some(two), Code::Internal, "session_ambiguous"),
    ]
}

async fn hears(way: &Way, cookie: Option<&str>, code: Code, reason: &str) {
    let status = call(way, cookie).await.unwrap_err();
    assert_eq!(status.code(), code, "{status:?}");
    let told = status.metadata().get_all("x-stepgate-reason").iter();
    let told: Vec<_> = told.map(|reason| reason.to_str().unwrap()).collect();
    assert_eq!(told, [reason]);
    let words = status.message();
    assert!(words.ends_with('.') && words.contains(' '), "{status:?}");
}

async fn call(way: &Way, cookie: Option<&str>) -> Result<Response<HealthCheckResponse>, Status> {
    let mut request = Request::new(HealthCheckRequest::default());
    if let Some(cookie) = cookie {
        request
            .metadata_mut()
            .insert("cookie", cookie.parse().unwrap());
    }
    client(way, "app").await.check(request).await
}

async fn client(way: &Way, host: &str) -> HealthClient<Channel> {
    let origin = format!("http://{}", way.host(host));
    let origin = http::Uri::from_str(&origin).unwrap();
    let endpoint = Endpoint::from_shared(format!("http://{}", way.envoy())).unwrap();
    HealthClient::new(endpoint.origin(origin).connect().await.unwrap())
}
