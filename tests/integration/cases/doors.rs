//! Every door under a case's configuration, and what is heard there.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    net::SocketAddr,
    num::NonZero,
    sync::Arc,
    time::Duration,
};

use envoy_types::pb::{
    envoy::{
        config::core::v3::{HeaderMap, HeaderValue, HeaderValueOption},
        service::auth::v3::{
            AttributeContext, CheckRequest, CheckResponse,
            attribute_context::{HttpRequest, Request},
            authorization_client::AuthorizationClient,
            check_response::HttpResponse,
        },
    },
    google::protobuf::{Struct, value::Kind},
};
use stepgate::{
    authorizer::{Authorizer, Snapshot},
    cli::cases::{Heard, Suite},
    domain::request::Facts,
    kratos::{Kratos, Settings},
    servers::{self, DoorSettings, HttpSettings, forward_auth::TrustedProxies, listen::Listen},
    telemetry::clock::Clock,
};
use tokio::{sync::watch, task::JoinHandle};
use tonic::transport::Channel;

use super::kratos::Scene;
use crate::http;

/// Headers of the transport, which say nothing of the check.
const TRANSPORT: [&str; 3] = ["connection", "content-length", "date"];
const PATIENCE: Duration = Duration::from_secs(10);

/// The doors, open.
pub(super) struct Doors {
    grpc: AuthorizationClient<Channel>,
    http: SocketAddr,
    stop: watch::Sender<bool>,
    served: JoinHandle<io::Result<()>>,
}

impl Doors {
    pub(super) async fn open(suite: &Suite, scene: &Scene) -> Self {
        crate::watch::listen();
        let kratos = suite.config.kratos.iter().map(|settings| {
            let api_url = scene.api_url.as_str().into();
            let settings = Settings {
                api_url,
                ..settings.clone()
            };
            Kratos::new(&settings).map(Arc::new)
        });
        let snapshot = Snapshot {
            policy: suite.config.policy.clone(),
            kratos: kratos.collect::<Result<_, _>>().unwrap(),
        };
        let now = scene.now;
        let authorizer = Arc::new(Authorizer::new(snapshot, Clock::by_hand(move || now)));
        let doors = servers::Doors::open(settings()).await.unwrap();
        let grpc = format!("http://{}", doors.grpc_address().unwrap());
        let http = doors.http_address().unwrap().unwrap().address().unwrap();
        let (stop, stopped) = watch::channel(false);
        let served = tokio::spawn(doors.serve(authorizer, NonZero::<usize>::MIN, stopped));
        Self {
            grpc: AuthorizationClient::connect(grpc).await.unwrap(),
            http,
            stop,
            served,
        }
    }

    pub(super) async fn ask(&self, door: &str, facts: &Facts) -> Heard {
        match door {
            "grpc_map" => self.check(message(facts, false)).await.1,
            "grpc_raw" => self.check(message(facts, true)).await.1,
            _ => self.forward_auth(facts).await,
        }
    }

    /// What Envoy hears, with the gRPC status inside the message.
    pub(super) async fn ask_as_envoy(&self, facts: &Facts) -> (i32, Heard) {
        self.check(message(facts, true)).await
    }

    async fn check(&self, message: CheckRequest) -> (i32, Heard) {
        let mut client = self.grpc.clone();
        of_envoy(client.check(message).await.unwrap().into_inner())
    }

    async fn forward_auth(&self, facts: &Facts) -> Heard {
        let own = lines(facts);
        let told = [
            ("host", "stepgate.test"),
            ("x-forwarded-method", text(&facts.method)),
            ("x-forwarded-host", text(&facts.host)),
            ("x-forwarded-uri", text(&facts.target)),
        ];
        let own = own
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let headers: Vec<_> = told.into_iter().chain(own).collect();
        of_http(http::ask(self.http, "GET", "/forward-auth", &headers).await)
    }

    pub(super) async fn close(self) {
        self.stop.send_replace(true);
        drop(self.grpc);
        let served = tokio::time::timeout(PATIENCE, self.served).await;
        served.unwrap().unwrap().unwrap();
    }
}

fn settings() -> servers::Settings {
    let door = DoorSettings {
        listen: Listen::Tcp(SocketAddr::from(([127, 0, 0, 1], 0))),
        max_connections: NonZero::new(16).unwrap(),
        tls: None,
    };
    servers::Settings {
        admin: None,
        grpc: door.clone(),
        http: Some(HttpSettings {
            door,
            trusted_proxies: TrustedProxies::default(),
        }),
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Every header line.
pub(super) fn lines(facts: &Facts) -> Vec<(String, String)> {
    let mut seen = Vec::new();
    let mut lines = Vec::new();
    for name in facts.headers.names() {
        if !seen.contains(&name) {
            seen.push(name);
            let values = facts.headers.all(name);
            lines.extend(values.map(|value| (text(name).to_owned(), text(value).to_owned())));
        }
    }
    lines
}

/// A message as Envoy writes it: a map with lines of one name joined by commas, or every line by itself.
fn message(facts: &Facts, is_raw: bool) -> CheckRequest {
    let whole = ("x-envoy-auth-partial-body", "false");
    let own = facts.body.as_ref().map(|_| whole);
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut map: HashMap<String, String> = HashMap::new();
    let mut raw = Vec::new();
    for (key, value) in lines(facts).into_iter().chain(own) {
        if is_raw {
            let raw_value = value.into_bytes();
            raw.push(HeaderValue {
                key,
                raw_value,
                ..HeaderValue::default()
            });
        } else {
            map.entry(key)
                .and_modify(|joined| *joined = format!("{joined},{value}"))
                .or_insert(value);
        }
    }
    let raw_body = facts.body.as_deref().unwrap_or_default().to_vec();
    let http = HttpRequest {
        raw_body,
        method: text(&facts.method).to_owned(),
        host: text(&facts.host).to_owned(),
        path: text(&facts.target).to_owned(),
        headers: map,
        header_map: is_raw.then_some(HeaderMap { headers: raw }),
        ..HttpRequest::default()
    };
    let context = facts.context.iter();
    CheckRequest {
        attributes: Some(AttributeContext {
            request: Some(Request {
                http: Some(http),
                ..Request::default()
            }),
            context_extensions: context
                .map(|(key, value)| (text(key).to_owned(), text(value).to_owned()))
                .collect(),
            ..AttributeContext::default()
        }),
    }
}

fn of_envoy(response: CheckResponse) -> (i32, Heard) {
    let words = response.dynamic_metadata.unwrap_or_default();
    let code = response.status.map_or(0, |status| status.code);
    let heard = match response.http_response {
        Some(HttpResponse::OkResponse(ok)) => Heard {
            status: 200,
            headers: by_name(ok.headers),
            removed: sorted(ok.headers_to_remove),
            ..Heard::default()
        },
        Some(HttpResponse::DeniedResponse(denied)) => Heard {
            status: u16::try_from(denied.status.unwrap().code).unwrap(),
            headers: by_name(denied.headers),
            body: denied.body,
            ..Heard::default()
        },
        other => panic!("an answer that Envoy might take for an allow: {other:?}"),
    };
    assert_eq!(code == 0, heard.status == 200, "code and answer must agree");
    let heard = Heard {
        decision: word(&words, "decision"),
        reason: word(&words, "reason"),
        rule: word(&words, "rule"),
        ..heard
    };
    (code, heard)
}

fn word(words: &Struct, name: &str) -> Option<String> {
    match words.fields.get(name)?.kind.as_ref()? {
        Kind::StringValue(word) => Some(word.clone()),
        _ => None,
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

fn by_name(options: Vec<HeaderValueOption>) -> BTreeMap<String, Vec<String>> {
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for header in options.into_iter().map(|option| option.header.unwrap()) {
        headers.entry(header.key).or_default().push(header.value);
    }
    headers
}

/// Of an allow, a header that is there and empty is one that the proxy takes away.
fn of_http(answer: http::Answer) -> Heard {
    let mut heard = Heard {
        status: answer.status,
        body: answer.body,
        ..Heard::default()
    };
    let is_allowed = heard.status == 200;
    for (name, value) in answer.headers {
        if TRANSPORT.contains(&name.as_str()) {
            continue;
        }
        if is_allowed && value.is_empty() {
            heard.removed.push(name);
        } else {
            heard.headers.entry(name).or_default().push(value);
        }
    }
    heard.reason = heard
        .headers
        .get("x-stepgate-reason")
        .map(|lines| lines.join(","));
    heard.removed = sorted(heard.removed);
    heard
}
