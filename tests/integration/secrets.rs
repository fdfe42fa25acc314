//! Nothing that Stepgate writes holds a cookie, a token, a trait, a query value or a body.
//!
//! The real binary answers every capture, every case and every hostile input at both doors, with its log at `debug`, over a
//! Kratos that knows people and one that lies, through a reload that fails. What was sent is then looked for in all that
//! came out: the log, standard output, `/metrics`, `/version`, the spans and the metadata for Envoy.

mod inputs;
mod needles;

use std::{
    fs,
    path::{Path, PathBuf},
};

use demo::kratos::{Double, Options, Person};
use envoy_types::pb::envoy::service::auth::v3::CheckResponse;
use prost::Message as _;
use tempfile::TempDir;
use tonic::{Request, client::Grpc, codegen::http::uri::PathAndQuery, transport::Channel};

use crate::{
    collector::Collector,
    door::raw,
    http,
    reload::UNSOUND,
    scripted::{Script, Scripted, answer},
    serving::Serving,
};
use inputs::Input;
use needles::Needles;

const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";
/// Traits and the like, as no other text has them; all made up.
const EMAIL: &str = "marked-trait@person.test";
const ROLE: &str = "marked-trait-role";
const LIE: &str = "marked-trait-of-a-liar";
const RENEWED: &str = "marked-cookie-renewed";
const SECRET: &str = "marked-secret-of-the-loop-guard-0123456789";
const COLLECTOR_TOKEN: &str = "marked-token-of-the-collector";

/// All that came out, by where it did.
type Outputs = Vec<(&'static str, Vec<u8>)>;

#[tokio::test(flavor = "multi_thread")]
async fn no_output_holds_what_a_client_or_kratos_said() {
    let double = kratos().await;
    let credentials = credentials(&double);
    let mut needles = Needles::default();
    for secret in [EMAIL, ROLE, LIE, RENEWED, SECRET, COLLECTOR_TOKEN] {
        needles.add("a secret of this test", secret.as_bytes());
    }
    for credential in &credentials {
        needles.add("a credential", credential.as_bytes());
    }
    let inputs = inputs::all(&credentials);
    for input in &inputs {
        needles.add_all(input);
    }
    for input in &inputs {
        needles.forgive(&input.open());
    }
    needles.forgive(b"https://app.test");
    let (inputs_count, count) = (inputs.len(), needles.count());
    assert!(
        inputs_count > 1000 && count > 2000,
        "{count} secrets in {inputs_count} requests"
    );
    let outputs = outputs(&double, &inputs).await;
    for (name, output) in &outputs {
        let found = needles.found_in(output);
        assert!(found.is_empty(), "in {name}: {found:#?}");
    }
    assert_would_be_found(&needles, &inputs, &outputs);
}

/// A value that were written anywhere would be seen, also where it is escaped.
fn assert_would_be_found(needles: &Needles, inputs: &[Input], outputs: &Outputs) {
    for (name, output) in outputs {
        assert!(output.len() > 100, "{name} is empty");
        let mut leaky = output.clone();
        leaky.extend(b"\nx=marked-trait@person.test\n");
        assert_eq!(needles.found_in(&leaky).len(), 1, "{name}");
    }
    let last = inputs.last().unwrap();
    let target = inputs.iter().map(|input| &input.facts().target);
    let target = target.filter(|target| target.starts_with(b"/transfer?q=marked"));
    for planted in [
        [b"{\"path\":\"", &**target.last().unwrap(), b"\"}"].concat(),
        [b"error: ", last.body()].concat(),
        br#"{"msg":"marked\u002dtrait@person.test"}"#.to_vec(),
    ] {
        let shown = String::from_utf8_lossy(&planted);
        assert!(!needles.found_in(&planted).is_empty(), "{shown}");
    }
}

async fn kratos() -> Double {
    let double = Double::start(Options::default()).await.unwrap();
    double.add_person(Person {
        email: EMAIL.to_owned(),
        password: "not-a-password-only-for-tests".to_owned(),
        role: Some(ROLE.to_owned()),
        totp_secret: Some("NOTASECRETNOTASECRETNOTASECRET22".to_owned()),
        ..Person::default()
    });
    double
}

/// Of a session at each level, one that is no more, and a native app's.
fn credentials(double: &Double) -> Vec<String> {
    let [aal1, other, revoked] = [(); 3].map(|()| double.sign_in(EMAIL).unwrap());
    let aal2 = double.step_up(&other, "totp").unwrap();
    double.revoke(&revoked);
    let native = double.sign_in_native(EMAIL).unwrap();
    let cookies = [aal1, aal2, revoked].map(|cookie| cookie.value().to_owned());
    cookies.into_iter().chain([native]).collect()
}

/// What a Kratos says that can't be believed.
fn lies() -> Vec<Script> {
    let whoami = format!(
        r#"{{"id":"s","active":true,"expires_at":"{LIE}","authenticator_assurance_level":"aal2","identity":{{"id":"i","traits":{{"email":"{LIE}"}}}}}}"#
    );
    let renewed = format!("set-cookie: ory_kratos_session={RENEWED}; Path=/\r\n");
    vec![
        answer(200, &renewed, &whoami),
        answer(200, "", &whoami.replace("active", LIE)),
        answer(200, "", LIE),
        answer(500, &format!("x-said: {LIE}\r\n"), LIE),
        answer(302, &format!("location: http://127.0.0.1:9/{LIE}\r\n"), ""),
        answer(401, "", &format!("{{\"error\":\"{LIE}\"}}")),
        answer(429, &format!("retry-after: {LIE}\r\n"), LIE),
        Script::Says(format!("{LIE} 200 OK\r\n\r\n")),
        Script::Says(format!(
            "HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{LIE}"
        )),
    ]
}

fn written(double: &Double, liar: &Scripted) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stepgate.yaml");
    let (api_url, liar) = (double.public_url(), &liar.url);
    let text = format!(
        "kratos:
  ciam:
    api_url: {api_url}
    browser_url: https://ciam.test
    origins:
      - https://app.test
      - https://app.example.test
      - https://app.example.com
      - https://*.shop.example.com
    credentials: [cookie, session_token, bearer]
  liar: {{ api_url: '{liar}', browser_url: 'https://login.test', origins: ['https://liar.test'] }}
default: session
rules:
  - {{ id: transfer, match: {{ path: /transfer/** }}, require: aal2 }}
  - {{ id: closed, match: {{ path: /closed }}, require: deny }}
  - {{ id: open, match: {{ path: /open }}, require: none }}
  - {{ id: admin, match: {{ path: /admin/** }}, require: {{ identity: {{ /metadata_public/role: [another] }} }} }}
upstream_headers: {{ X-User-Id: identity.id, X-User-Email: identity./traits/email, X-User-Role: identity./metadata_public/role }}
servers:
  grpc: {{ listen: '127.0.0.1:0' }}
  http: {{ listen: '127.0.0.1:0' }}
  admin: {{ listen: '127.0.0.1:0' }}
log: {{ level: debug }}
drain: 0s
"
    );
    fs::write(&file, text).unwrap();
    (folder, file)
}

/// All that comes out while these are answered.
async fn outputs(double: &Double, inputs: &[Input]) -> Outputs {
    let (collector, liar) = (Collector::start().await, Scripted::start(&[]).await);
    let (_folder, config) = written(double, &liar);
    let headers = format!("authorization=Bearer {COLLECTOR_TOKEN}");
    let env = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", &headers),
        ("OTEL_BSP_SCHEDULE_DELAY", "10"),
        ("STEPGATE_SECRET", SECRET),
    ];
    let mut serving = Serving::start_with(&config, &env).await;
    let mut metadata = String::new();
    for input in inputs {
        metadata.push_str(&through_envoy(&serving, input.message()).await);
        http::send(serving.address("http").parse().unwrap(), &input.head()).await;
    }
    for lie in lies() {
        liar.play(&[("/", lie)]);
        let headers = [("cookie", "ory_kratos_session=marked-cookie-for-a-liar")];
        let message = crate::gate::request("GET", "liar.test", "/account", &headers);
        metadata.push_str(&through_envoy(&serving, message.encode_to_vec()).await);
    }
    reload_in_vain(&mut serving, &config).await;
    let (_, metrics) = serving.admin("/metrics").await;
    let (_, version) = serving.admin("/version").await;
    serving.signal("TERM");
    assert_eq!(serving.ended().await, Some(0));
    let lines = serving.output().await;
    assert!(lines.matches("\"msg\":\"check\"").count() > inputs.len());
    let spans = collector.batches();
    vec![
        ("the log", lines.into_bytes()),
        ("/metrics", metrics.into_bytes()),
        ("/version", version.into_bytes()),
        ("the metadata for Envoy", metadata.into_bytes()),
        (
            "the spans",
            spans.into_iter().flat_map(|batch| batch.bytes).collect(),
        ),
    ]
}

/// The metadata that a check's answer has for Envoy.
async fn through_envoy(serving: &Serving, message: Vec<u8>) -> String {
    let mut grpc: Grpc<Channel> = serving.grpc();
    grpc.ready().await.unwrap();
    let path = PathAndQuery::from_static(CHECK);
    let answer = grpc.unary(Request::new(message), path, raw::Codec).await;
    // What can't be decoded is refused with an error, which is an output too.
    match answer {
        Ok(answer) => {
            let answer = CheckResponse::decode(&*answer.into_inner()).unwrap();
            format!("{:?}\n", answer.dynamic_metadata)
        }
        Err(status) => format!("{status:?}\n"),
    }
}

async fn reload_in_vain(serving: &mut Serving, config: &Path) {
    let sound = fs::read_to_string(config).unwrap();
    fs::write(config, sound + "nonsense: true\n").unwrap();
    serving.signal("HUP");
    serving.wait_for(UNSOUND).await;
}
