//! Envoy's door, asked over gRPC, with a Kratos double behind it.

use std::time::Duration;

use demo::kratos::RequiredAal;
use envoy_types::pb::envoy::service::auth::v3::{
    CheckRequest, authorization_client::AuthorizationClient,
};
use http::uri::PathAndQuery;
use stepgate::{
    authorizer::Authorizer,
    config::Config,
    domain::{headers::Headers, request::Facts},
    telemetry::clock::Clock,
};
use tokio::net::TcpListener;
use tonic::{Code, Request, client::Grpc, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{
    captures,
    gate::{self, Gate, Heard, request},
};

const RULES: &str = "
  - { id: account, match: { path: /account/** }, require: session }
  - { id: transfer, match: { path: /transfer/** }, require: aal2 }
  - { id: fresh, match: { path: /payout }, require: { max_age: 60s } }
  - { id: key, match: { path: /key }, require: { factors: [webauthn] } }
  - { id: code, match: { path: /code }, require: { factors: [totp] } }
  - { id: closed, match: { path: /closed }, require: deny }
  - { id: write, match: { path: /item, methods: [POST] }, require: aal2 }
";

const CIAM: &str = "https://ciam.test/self-service";

#[tokio::test]
async fn an_open_route_asks_nobody_and_removes_forged_identity() {
    let gate = Gate::start(RULES).await;
    let forged = [
        ("x-user-id", "root"),
        ("x_user_aal", "aal2"),
        ("accept", "text/html"),
    ];
    let heard = gate.ask("GET", "app.test", "/", &forged).await;
    assert_eq!((heard.code, heard.status), (0, 200));
    assert_eq!(heard.removed, ["x-user-id", "x-user-aal", "x_user_aal"]);
    assert_eq!(gate.double.whoami_calls(), 0);
}

#[tokio::test]
async fn login_step_up_and_enrolment_are_three_answers() {
    let gate = Gate::start(RULES).await;
    let totp = gate.double.sign_in("totp@app.test").unwrap();
    let plain = gate.double.sign_in("plain@app.test").unwrap();
    let signed_out = gate.page("/transfer?to=1", None).await;
    assert_eq!((signed_out.code, signed_out.status), (16, 303));
    let back = "return_to=https%3A%2F%2Fapp.test%2Ftransfer%3Fto%3D1";
    assert_eq!(
        signed_out.location(),
        format!("{CIAM}/login/browser?{back}")
    );
    let step_up = gate.page("/transfer?to=1", Some(&totp)).await;
    assert_eq!((step_up.code, step_up.status), (7, 303));
    assert_eq!(
        step_up.location(),
        format!("{CIAM}/login/browser?aal=aal2&refresh=true&{back}")
    );
    let enrol = gate.page("/transfer?to=1", Some(&plain)).await;
    assert_eq!((enrol.code, enrol.status), (7, 303));
    assert_eq!(enrol.location(), format!("{CIAM}/settings/browser?{back}"));
}

#[tokio::test]
async fn a_session_that_meets_its_rule_goes_through_with_its_identity() {
    let gate = Gate::start(RULES).await;
    let aal1 = gate.double.sign_in("totp@app.test").unwrap();
    let account = gate.page("/account", Some(&aal1)).await;
    assert_eq!(
        (account.status, account.header("x-user-aal")),
        (200, "aal1")
    );
    let aal2 = gate.double.step_up(&aal1, "totp").unwrap();
    for path in [
        "/transfer",
        "/transfer/",
        "/transfer/x/y",
        "/payout",
        "/code",
    ] {
        let heard = gate.page(path, Some(&aal2)).await;
        assert_eq!(
            (heard.status, heard.header("x-user-aal")),
            (200, "aal2"),
            "{path}"
        );
        assert!(!heard.header("x-user-id").is_empty());
    }
    // The cookie from before the step-up is the same session.
    assert_eq!(gate.page("/transfer", Some(&aal1)).await.status, 200);
}

#[tokio::test]
async fn a_factor_grows_stale_and_is_asked_for_again() {
    let gate = Gate::start(RULES).await;
    let aal1 = gate.double.sign_in("totp@app.test").unwrap();
    let aal2 = gate.double.step_up(&aal1, "totp").unwrap();
    gate.double.clock().advance(Duration::from_secs(50));
    assert_eq!(gate.page("/payout", Some(&aal2)).await.status, 200);
    gate.double.clock().advance(Duration::from_secs(11));
    let stale = gate.page("/payout", Some(&aal2)).await;
    assert_eq!(
        (stale.status, stale.reason()),
        (303, "session_refresh_required")
    );
    assert!(stale.location().starts_with(&format!(
        "{CIAM}/login/browser?aal=aal2&refresh=true&return_to="
    )));
    assert_eq!(
        gate.page("/transfer", Some(&aal2)).await.status,
        200,
        "age is of no matter there"
    );
    let again = gate.double.step_up(&aal2, "totp").unwrap();
    assert_eq!(gate.page("/payout", Some(&again)).await.status, 200);
}

#[tokio::test]
async fn a_listed_factor_that_is_not_set_up_is_enrolled() {
    let gate = Gate::start(RULES).await;
    let aal1 = gate.double.sign_in("totp@app.test").unwrap();
    let before = gate.page("/key", Some(&aal1)).await;
    assert_eq!(before.reason(), "session_aal2_required");
    let aal2 = gate.double.step_up(&aal1, "totp").unwrap();
    let heard = gate.page("/key", Some(&aal2)).await;
    assert_eq!(
        (heard.status, heard.reason()),
        (303, "session_aal2_enrolment_required")
    );
}

#[tokio::test]
async fn kratos_that_hides_unproven_sessions_gives_the_same_answers() {
    let gate = Gate::start_with(RULES, RequiredAal::HighestAvailable).await;
    let totp = gate.double.sign_in("totp@app.test").unwrap();
    let plain = gate.double.sign_in("plain@app.test").unwrap();
    assert_eq!(
        gate.page("/transfer", Some(&totp)).await.reason(),
        "session_aal2_required"
    );
    assert_eq!(
        gate.page("/account", Some(&totp)).await.reason(),
        "session_aal2_required"
    );
    assert_eq!(gate.page("/account", Some(&plain)).await.status, 200);
    assert_eq!(
        gate.page("/transfer", Some(&plain)).await.reason(),
        "session_aal2_enrolment_required"
    );
    let aal2 = gate.double.step_up(&totp, "totp").unwrap();
    assert_eq!(gate.page("/transfer", Some(&aal2)).await.status, 200);
}

#[tokio::test]
async fn a_session_that_is_no_more_is_signed_out() {
    let gate = Gate::start(RULES).await;
    let cookie = gate.double.sign_in("totp@app.test").unwrap();
    gate.double.revoke(&cookie);
    assert_eq!(
        gate.page("/account", Some(&cookie)).await.reason(),
        "session_inactive"
    );
    let garbage = gate
        .ask(
            "GET",
            "app.test",
            "/account",
            &[
                ("cookie", "ory_kratos_session=garbage"),
                ("accept", "text/html"),
            ],
        )
        .await;
    assert_eq!(
        (garbage.status, garbage.reason()),
        (303, "session_inactive")
    );
}

#[tokio::test]
async fn kratos_out_of_reach_closes_every_guarded_route_and_no_open_one() {
    let gate = Gate::start(RULES).await;
    let aal1 = gate.double.sign_in("totp@app.test").unwrap();
    let aal2 = gate.double.step_up(&aal1, "totp").unwrap();
    let (client, double) = (gate.client.clone(), gate.double);
    double.stop().await;
    let cookie = aal2.header();
    for (path, headers) in [
        ("/transfer", vec![("cookie", &*cookie)]),
        ("/account", vec![("cookie", &*cookie)]),
        ("/account", vec![]),
    ] {
        let headers: Vec<_> = headers
            .into_iter()
            .chain([("accept", "text/html")])
            .collect();
        let response = client
            .clone()
            .check(request("GET", "app.test", path, &headers))
            .await
            .unwrap();
        let heard = Heard::from(response.into_inner());
        assert_eq!(
            (heard.code, heard.status, heard.reason()),
            (14, 503, "kratos_unavailable"),
            "{path}"
        );
        assert_eq!((heard.location(), heard.header("retry-after")), ("", "1"));
    }
    let open = client
        .clone()
        .check(request("GET", "app.test", "/", &[]))
        .await
        .unwrap();
    assert_eq!(Heard::from(open.into_inner()).status, 200);
}

#[tokio::test]
async fn a_closed_route_and_an_unknown_host_open_to_nobody() {
    let gate = Gate::start(RULES).await;
    let aal1 = gate.double.sign_in("totp@app.test").unwrap();
    let aal2 = gate.double.step_up(&aal1, "totp").unwrap();
    let closed = gate.page("/closed", Some(&aal2)).await;
    assert_eq!(
        (closed.code, closed.status, closed.reason()),
        (7, 403, "access_denied")
    );
    let unknown = gate.ask("GET", "other.test", "/", &[]).await;
    assert_eq!(
        (unknown.code, unknown.status, unknown.reason()),
        (3, 421, "host_unknown")
    );
}

#[tokio::test]
async fn a_rule_holds_for_its_methods() {
    let gate = Gate::start(RULES).await;
    let html = [("accept", "text/html")];
    assert_eq!(
        gate.ask("GET", "app.test", "/item", &html).await.status,
        200
    );
    assert_eq!(
        gate.ask("POST", "app.test", "/item", &html).await.status,
        303
    );
    let malformed = gate.ask("post", "app.test", "/item", &html).await;
    assert_eq!((malformed.code, malformed.status), (3, 400));
}

#[tokio::test]
async fn a_route_of_envoy_may_demand_more_but_never_less() {
    let gate = Gate::start(RULES).await;
    let extended = |path: &'static str, key: &'static str, value: &'static str| {
        let mut check = request("GET", "app.test", path, &[("accept", "text/html")]);
        let context = &mut check.attributes.as_mut().unwrap().context_extensions;
        context.insert(key.to_owned(), value.to_owned());
        gate.send(check)
    };
    assert_eq!(
        extended("/", "require", "aal2").await.reason(),
        "session_inactive"
    );
    assert_eq!(
        extended("/closed", "require", "session").await.reason(),
        "access_denied"
    );
    assert_eq!(
        extended("/", "require", "none").await.reason(),
        "context_invalid"
    );
    assert_eq!(
        extended("/", "requires", "aal2").await.reason(),
        "context_invalid"
    );
}

#[tokio::test]
async fn two_sessions_in_one_request_are_refused() {
    let gate = Gate::start(RULES).await;
    let joined = "a=1,ory_kratos_session=other; ory_kratos_session=one";
    let heard = gate
        .ask(
            "GET",
            "app.test",
            "/account",
            &[("cookie", joined), ("accept", "text/html")],
        )
        .await;
    assert_eq!(
        (heard.code, heard.status, heard.reason()),
        (3, 400, "session_ambiguous")
    );
    assert_eq!(gate.double.whoami_calls(), 0);
}

#[tokio::test]
async fn the_shorter_of_the_checks_deadline_and_the_timeout_ends_the_wait() {
    // It accepts connections, as a frozen Kratos does, and never answers.
    let frozen = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", frozen.local_addr().unwrap());
    let (long, short) = (Duration::from_secs(600), Duration::from_millis(50));
    for (timeout, deadline) in [("10m", Some(short)), ("50ms", Some(long)), ("50ms", None)] {
        let config = gate::config(&url, RULES).replace(
            "    origins",
            &format!("    timeout: {timeout}\n    origins"),
        );
        let snapshot = Config::parse("test.yaml", &config)
            .unwrap()
            .into_snapshot()
            .unwrap();
        let authorizer = Authorizer::new(snapshot, Clock::system());
        for cookie in ["ory_kratos_session=any", ""] {
            let facts = Facts {
                method: "GET".into(),
                host: "app.test".into(),
                target: "/account".into(),
                headers: Headers::raw(vec![("cookie".into(), cookie.into())]),
                ..Facts::default()
            };
            let answer =
                tokio::time::timeout(long, authorizer.check("grpc", &facts, deadline)).await;
            assert_eq!(
                answer.unwrap().reason,
                "kratos_unavailable",
                "{timeout} {deadline:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_empty_check_is_refused() {
    let gate = Gate::start("  []").await;
    let heard = gate.send(CheckRequest::default()).await;
    assert_eq!(
        (heard.code, heard.status, heard.reason()),
        (3, 400, "request_malformed")
    );
}

#[tokio::test]
async fn a_check_that_cannot_be_decoded_ends_in_an_error() {
    let gate = Gate::start("  []").await;
    let channel = Channel::from_shared(gate.url.clone())
        .unwrap()
        .connect()
        .await
        .unwrap();
    for garbage in [vec![0xff; 64], vec![0x0a, 0x7f], vec![0x0a; 2 << 20]] {
        let mut grpc = Grpc::new(channel.clone());
        grpc.ready().await.unwrap();
        let path = PathAndQuery::from_static("/envoy.service.auth.v3.Authorization/Check");
        let answer = grpc.unary(Request::new(garbage), path, raw::Codec).await;
        let status = answer.map(tonic::Response::into_inner).unwrap_err();
        assert_ne!(status.code(), Code::Ok);
    }
    let client = AuthorizationClient::new(channel);
    assert!(
        client
            .clone()
            .check(request("GET", "app.test", "/", &[]))
            .await
            .is_ok(),
        "the door lives on"
    );
}

#[tokio::test]
async fn every_captured_check_gets_an_answer() {
    let gate = Gate::start(RULES).await;
    let channel = Channel::from_shared(gate.url.clone())
        .unwrap()
        .connect()
        .await
        .unwrap();
    for capture in captures::all() {
        let Some(bytes) = capture.check_request else {
            continue;
        };
        let mut grpc = Grpc::new(channel.clone());
        grpc.ready().await.unwrap();
        let path = PathAndQuery::from_static("/envoy.service.auth.v3.Authorization/Check");
        let answer = grpc
            .unary(Request::new(bytes.to_vec()), path, raw::Codec)
            .await
            .unwrap()
            .into_inner();
        let answer =
            <envoy_types::pb::envoy::service::auth::v3::CheckResponse as prost::Message>::decode(
                &*answer,
            )
            .unwrap();
        let heard = Heard::from(answer);
        assert!(
            matches!(heard.status, 400 | 421),
            "{}: {heard:?}",
            capture.name
        );
    }
}

#[tokio::test]
async fn health_is_told_for_the_door_and_for_the_whole() {
    let gate = Gate::start("  []").await;
    let channel = Channel::from_shared(gate.url.clone())
        .unwrap()
        .connect()
        .await
        .unwrap();
    let mut health = HealthClient::new(channel);
    for service in ["", "envoy.service.auth.v3.Authorization"] {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        assert_eq!(
            health.check(request).await.unwrap().into_inner().status,
            1,
            "{service}"
        );
    }
    let unknown = HealthCheckRequest {
        service: "other".to_owned(),
    };
    assert_eq!(
        health.check(unknown).await.unwrap_err().code(),
        Code::NotFound
    );
}

/// Bytes as they are.
pub(crate) mod raw {
    use bytes::{Buf, BufMut};
    use tonic::{
        Status,
        codec::{self, DecodeBuf, Decoder, EncodeBuf, Encoder},
    };

    pub(crate) struct Codec;

    impl codec::Codec for Codec {
        type Encode = Vec<u8>;
        type Decode = Vec<u8>;
        type Encoder = Self;
        type Decoder = Self;

        fn encoder(&mut self) -> Self {
            Self
        }

        fn decoder(&mut self) -> Self {
            Self
        }
    }

    impl Encoder for Codec {
        type Item = Vec<u8>;
        type Error = Status;

        fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
            buffer.put_slice(&item);
            Ok(())
        }
    }

    impl Decoder for Codec {
        type Item = Vec<u8>;
        type Error = Status;

        fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
            let mut bytes = vec![0; buffer.remaining()];
            buffer.copy_to_slice(&mut bytes);
            Ok(Some(bytes))
        }
    }
}
