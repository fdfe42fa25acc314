//! The real binary, told to stop.

use std::fs;

use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tonic::transport::Endpoint;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    gate::{Heard, request},
    http,
    serving::{PATIENCE, Serving},
};

/// Far longer than a test: what ends sooner was ended by something else.
const FOREVER: &str = "1h";

fn config(api_url: &str, drain: &str) -> String {
    format!(
        "kratos: {{ ciam: {{ api_url: '{api_url}', browser_url: 'https://ciam.test', origins: ['https://app.test'], timeout: 20s }} }}
default: none
rules: [{{ id: account, match: {{ path: /account }}, require: session }}]
servers:
  grpc: {{ listen: '127.0.0.1:0' }}
  http: {{ listen: '127.0.0.1:0' }}
  admin: {{ listen: '127.0.0.1:0' }}
drain: {drain}
"
    )
}

async fn start(api_url: &str, drain: &str) -> (TempDir, Serving) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stepgate.yaml");
    fs::write(&file, config(api_url, drain)).unwrap();
    (folder, Serving::start(&file).await)
}

async fn health(serving: &Serving, service: &str) -> ServingStatus {
    let url = format!("http://{}", serving.address("grpc"));
    let channel = Endpoint::try_from(url).unwrap().connect().await.unwrap();
    let mut client = HealthClient::new(channel);
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    client.check(request).await.unwrap().into_inner().status()
}

/// Asks for health until it is this.
async fn until_health(serving: &Serving, status: ServingStatus) {
    for service in ["", "envoy.service.auth.v3.Authorization"] {
        let told = async { while health(serving, service).await != status {} };
        tokio::time::timeout(PATIENCE, told).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_drains_health_says_no_and_checks_are_answered_and_a_second_signal_ends_it() {
    let (_folder, mut serving) = start("http://127.0.0.1:9", FOREVER).await;
    assert_eq!(serving.admin("/health/ready").await.0, 200);
    assert_eq!(health(&serving, "").await, ServingStatus::Serving);
    serving.signal("TERM");
    serving.wait_for("draining").await;
    until_health(&serving, ServingStatus::NotServing).await;
    for path in ["/health/ready", "/readyz"] {
        assert_eq!(serving.admin(path).await.0, 503);
    }
    assert_eq!(serving.admin("/health/alive").await.0, 200);
    assert_eq!(serving.ask("/").await.status, 200);
    serving.signal("TERM");
    assert_eq!(serving.ended().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_in_flight_is_answered_before_the_end_and_nobody_new_is_let_in() {
    let kratos = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api_url = format!("http://{}", kratos.local_addr().unwrap());
    let (_folder, mut serving) = start(&api_url, "0s").await;
    let mut kept = TcpStream::connect(serving.address("http")).await.unwrap();
    let asking = async {
        let heard = serving.ask("/account").await;
        (heard.status, heard.reason().to_owned())
    };
    let stopping = async {
        // The check is in flight once Kratos is asked.
        let mut asked = asked(&kratos).await;
        serving.signal("INT");
        // A connection without a check in flight ends, and with it the listener has.
        let mut byte = [0; 1];
        let idle = kept.read(&mut byte);
        assert_eq!(
            tokio::time::timeout(PATIENCE, idle).await.unwrap().unwrap(),
            0
        );
        let refused = async { while TcpStream::connect(serving.address("grpc")).await.is_ok() {} };
        tokio::time::timeout(PATIENCE, refused).await.unwrap();
        let ready = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
        asked.write_all(ready).await.unwrap();
    };
    let (heard, ()) = tokio::join!(asking, stopping);
    assert_eq!(heard, (401, "session_inactive".to_owned()));
    assert_eq!(serving.ended().await, Some(0));
}

/// The last connection ends once its check is answered, and says so where HTTP/1 has a word for it.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_given_while_stopping_is_the_last_of_its_connection() {
    let kratos = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api_url = format!("http://{}", kratos.local_addr().unwrap());
    let (_folder, mut serving) = start(&api_url, "0s").await;
    let door = serving.address("http").parse().unwrap();
    // It asks for no end itself, and is read to the end.
    let asking = b"GET /ext-authz/account HTTP/1.1\r\nhost: app.test\r\n\r\n";
    let stopping = async {
        let mut asked = asked(&kratos).await;
        serving.signal("INT");
        serving.wait_for("stopping").await;
        let refused = async { while TcpStream::connect(door).await.is_ok() {} };
        tokio::time::timeout(PATIENCE, refused).await.unwrap();
        let ready = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
        asked.write_all(ready).await.unwrap();
    };
    let (heard, ()) = tokio::join!(http::send(door, asking), stopping);
    let answer = http::Answer::parse(&heard);
    assert_eq!(answer.reason(), "session_inactive", "{heard}");
    assert_eq!(answer.header("connection"), Some("close"), "{heard}");
    assert_eq!(serving.ended().await, Some(0));
}

/// Whether these bytes of an HTTP/2 server hold a GOAWAY, as far as their frames are whole (RFC 9113 §4.1, §6.8).
fn says_go_away(mut bytes: &[u8]) -> bool {
    while let [a, b, c, kind, _, _, _, _, _, rest @ ..] = bytes {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        let Some(next) = rest.get(length..) else {
            break;
        };
        if *kind == 7 {
            return true;
        }
        bytes = next;
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn envoys_door_says_go_away_and_still_answers_the_check_in_flight() {
    let kratos = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api_url = format!("http://{}", kratos.local_addr().unwrap());
    let (_folder, mut serving) = start(&api_url, "0s").await;
    // A wire that is listened in on.
    let wire = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", wire.local_addr().unwrap());
    let door = TcpStream::connect(serving.address("grpc")).await.unwrap();
    let (heard, mut hears) = tokio::sync::watch::channel(Vec::new());
    tokio::spawn(async move {
        let (client, _) = wire.accept().await.unwrap();
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_door, mut to_door) = door.into_split();
        tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_door).await });
        let mut bytes = [0; 4096];
        while let Ok(length @ 1..) = from_door.read(&mut bytes).await {
            heard.send_modify(|heard: &mut Vec<u8>| heard.extend(&bytes[..length]));
            to_client.write_all(&bytes[..length]).await.unwrap();
        }
    });
    let mut client = AuthorizationClient::connect(url).await.unwrap();
    let asking = client.check(request("GET", "app.test", "/account", &[]));
    let stopping = async {
        let mut asked = asked(&kratos).await;
        assert!(!says_go_away(&hears.borrow()));
        serving.signal("INT");
        let told = hears.wait_for(|heard| says_go_away(heard));
        tokio::time::timeout(PATIENCE, told).await.unwrap().unwrap();
        let ready = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
        asked.write_all(ready).await.unwrap();
    };
    let (answer, ()) = tokio::join!(asking, stopping);
    let answer = Heard::from(answer.unwrap().into_inner());
    assert_eq!((answer.status, answer.reason()), (401, "session_inactive"));
    assert_eq!(serving.ended().await, Some(0));
}

/// The connection on which a check asks. What `serve` itself asks after its start gets no answer.
async fn asked(kratos: &TcpListener) -> TcpStream {
    loop {
        let (mut stream, _) = kratos.accept().await.unwrap();
        let mut head = [0; 1024];
        let length = stream.read(&mut head).await.unwrap();
        if head
            .iter()
            .take(length)
            .copied()
            .take(17)
            .eq(*b"GET /health/ready")
        {
            return stream;
        }
    }
}
