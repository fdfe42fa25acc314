//! The spans of the real binary, as a collector gets them.

use std::{fs, path::PathBuf};

use demo::kratos::{Double, Options, Person, SessionCookie};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode};
use tempfile::TempDir;
use tonic::Request;

use crate::{
    collector::{Collector, attribute},
    gate::{self, Heard, request},
    scripted::Scripted,
    serving::Serving,
};

const RULES: &str = "
  - { id: account, match: { path: /account }, require: session }
  - { id: transfer, match: { path: /transfer/** }, require: aal2 }
servers: { admin: { listen: off }, grpc: { listen: '127.0.0.1:0' }, http: { listen: '127.0.0.1:0' } }
drain: 0s
";
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// Spans are sent as soon as they are there, not every five seconds.
const AT_ONCE: (&str, &str) = ("OTEL_BSP_SCHEDULE_DELAY", "10");
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const OTHER: &str = "00-11111111111111111111111111111111-2222222222222222-01";

/// A Kratos with somebody who has a second factor and gave a password so far.
async fn kratos() -> (Double, SessionCookie) {
    let double = Double::start(Options::default()).await.unwrap();
    double.add_person(Person {
        email: "totp@app.test".to_owned(),
        password: "not-a-password-only-for-tests".to_owned(),
        totp_secret: Some("NOTASECRETNOTASECRETNOTASECRET22".to_owned()),
        ..Person::default()
    });
    let cookie = double.sign_in("totp@app.test").unwrap();
    (double, cookie)
}

fn written(api_url: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stepgate.yaml");
    fs::write(&file, gate::config(api_url, RULES)).unwrap();
    (folder, file)
}

/// Asks about a page in this trace, told beside the check or with the request.
async fn ask(serving: &Serving, path: &str, cookie: &str, beside: &str, own: &str) -> Heard {
    let headers = [
        ("accept", "text/html"),
        ("cookie", cookie),
        ("traceparent", own),
    ];
    let mut check = Request::new(request("GET", "app.test", path, &headers));
    check
        .metadata_mut()
        .insert("traceparent", beside.parse().unwrap());
    let response = serving.client.clone().check(check).await.unwrap();
    Heard::from(response.into_inner())
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let mut spans = spans.iter().filter(|span| span.name == name);
    let span = spans.next().unwrap_or_else(|| panic!("no span {name}"));
    assert!(spans.next().is_none(), "{name} came twice");
    span
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn words<const N: usize>(span: &Span, names: [&str; N]) -> [String; N] {
    names.map(|name| attribute(&span.attributes, name).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_and_its_calls_to_kratos_are_spans_of_the_callers_trace() {
    let (double, cookie) = kratos().await;
    let collector = Collector::start().await;
    let (_folder, config) = written(double.public_url().as_str());
    let env = [
        (ENDPOINT, collector.url.as_str()),
        AT_ONCE,
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=x"),
        ("HTTP_PROXY", "http://127.0.0.1:9"),
    ];
    let serving = Serving::start_with(&config, &env).await;
    let cookie = cookie.header();
    let heard = ask(&serving, "/transfer/to?sum=100", &cookie, CALLER, OTHER).await;
    assert_eq!(heard.reason(), "session_aal2_required");
    let spans = collector.until(|spans| spans.len() >= 3).await;

    let check = named(&spans, "stepgate.check");
    assert_is_the_check(check);
    for (name, outcome, status) in [
        ("kratos.whoami", "ok", "200"),
        ("kratos.enrolment", "forbidden", "403"),
    ] {
        let call = named(&spans, name);
        assert_eq!(call.kind, i32::from(SpanKind::Client), "{name}");
        assert_eq!(hex(&call.trace_id), TRACE, "{name}");
        assert_eq!(call.parent_span_id, check.span_id, "{name}");
        let names = [
            "http.request.method",
            "stepgate.kratos",
            "stepgate.outcome",
            "http.response.status_code",
        ];
        assert_eq!(words(call, names), ["GET", "ciam", outcome, status]);
        assert_eq!(call.attributes.len(), names.len(), "and nothing else");
    }
    let batch = collector.batches().swap_remove(0);
    assert_eq!(batch.target, "/v1/traces");
    let resource = batch.decoded().resource_spans.swap_remove(0).resource;
    let told = resource.unwrap().attributes;
    let of = |name| attribute(&told, name).unwrap();
    assert_eq!(of("service.name"), "stepgate");
    assert_eq!(of("service.version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(of("deployment.environment.name"), "x");
}

/// The span of a page that is sent to step up, in the caller's trace.
fn assert_is_the_check(check: &Span) {
    assert_eq!(check.kind, i32::from(SpanKind::Server));
    assert_eq!(hex(&check.trace_id), TRACE);
    assert_eq!(hex(&check.parent_span_id), PARENT);
    let wanted = [
        ("http.request.method", "GET"),
        ("server.address", "app.test"),
        ("stepgate.door", "grpc"),
        ("stepgate.rule", "transfer"),
        ("stepgate.decision", "step_up"),
        ("stepgate.reason", "session_aal2_required"),
        ("stepgate.client", "page"),
        ("stepgate.aal", "aal1"),
    ];
    assert_eq!(
        words(check, wanted.map(|(name, _)| name)),
        wanted.map(|(_, word)| word)
    );
    assert_eq!(check.attributes.len(), wanted.len(), "and nothing else");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_joined_where_its_caller_is_sampled_and_begun_where_there_is_none() {
    let collector = Collector::start().await;
    let (_folder, config) = written("http://127.0.0.1:9");
    let env = [
        (ENDPOINT, collector.url.as_str()),
        AT_ONCE,
        ("OTEL_SERVICE_NAME", "gate"),
    ];
    let serving = Serving::start_with(&config, &env).await;
    let unsampled = CALLER.replace("-01", "-00");
    ask(&serving, "/a", "", &unsampled, OTHER).await;
    ask(&serving, "/b", "", "malformed", OTHER).await;
    ask(&serving, "/c", "", "malformed", "malformed").await;
    let down = ask(&serving, "/account", "", CALLER, "").await;
    assert_eq!(down.status, 503);
    let is_check = |span: &&Span| span.name == "stepgate.check";
    let spans = collector
        .until(|spans| spans.iter().filter(is_check).count() == 3)
        .await;
    let checks: Vec<&Span> = spans.iter().filter(is_check).collect();
    let traces: Vec<String> = checks.iter().map(|check| hex(&check.trace_id)).collect();
    assert_eq!(traces[0], "1".repeat(32), "the request's own");
    assert!(checks[1].parent_span_id.is_empty(), "a new one");
    assert_eq!(traces[2], TRACE);
    let failed = checks[2].status.as_ref().unwrap();
    assert_eq!(failed.code(), StatusCode::Error);
    assert_eq!(failed.message, "kratos_unavailable");
    let call = named(&spans, "kratos.health");
    assert_eq!(call.parent_span_id, checks[2].span_id);
    assert_eq!(words(call, ["stepgate.outcome"]), ["failed"]);
    assert_eq!(call.status.as_ref().unwrap().code(), StatusCode::Error);
    let mut batch = collector.batches().swap_remove(0).decoded();
    let resource = batch.resource_spans.swap_remove(0).resource.unwrap();
    let name = attribute(&resource.attributes, "service.name");
    assert_eq!(name.as_deref(), Some("gate"));
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_that_still_wait_are_sent_at_the_end() {
    let collector = Collector::start().await;
    let (_folder, config) = written("http://127.0.0.1:9");
    let env = [
        (ENDPOINT, collector.url.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "3600000"),
    ];
    let mut serving = Serving::start_with(&config, &env).await;
    ask(&serving, "/", "", CALLER, "").await;
    assert_eq!(collector.spans(), []);
    serving.signal("TERM");
    assert_eq!(serving.ended().await, Some(0));
    assert_eq!(collector.spans().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_gone_is_told_of_and_holds_nothing_up() {
    // Held, so that nobody listens there.
    let (url, _refusing) = Scripted::refusing();
    let (_folder, config) = written("http://127.0.0.1:9");
    let env = [(ENDPOINT, url.as_str()), AT_ONCE];
    let mut serving = Serving::start_with(&config, &env).await;
    for _ in 0..10 {
        assert_eq!(ask(&serving, "/", "", CALLER, "").await.status, 200);
    }
    let line = serving.wait_for("spans can't be sent").await;
    assert!(line.contains("\"level\":\"WARN\""), "{line}");
    assert_eq!(ask(&serving, "/", "", CALLER, "").await.status, 200);
    serving.signal("TERM");
    assert_eq!(serving.ended().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_that_can_not_be_met_leave_traces_off_and_say_why() {
    let (_folder, config) = written("http://127.0.0.1:9");
    let url = "http://127.0.0.1:9";
    let cases = [
        (vec![(ENDPOINT, "127.0.0.1:4317")], "begins with `http://`"),
        (
            vec![(ENDPOINT, url), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
            "`http/protobuf`",
        ),
        (
            vec![
                (ENDPOINT, url),
                ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such/file"),
            ],
            "can't be read as PEM",
        ),
    ];
    for (env, why) in cases {
        let (serving, line) = Serving::start_after(&config, &env, "traces stay off").await;
        assert!(line.contains(why), "{line}");
        assert_eq!(ask(&serving, "/", "", CALLER, "").await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_hears_nothing_where_the_environment_wants_no_traces() {
    let collector = Collector::start().await;
    let (_folder, config) = written("http://127.0.0.1:9");
    for switch in [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "none"),
    ] {
        let env = [(ENDPOINT, collector.url.as_str()), AT_ONCE, switch];
        let mut serving = Serving::start_with(&config, &env).await;
        ask(&serving, "/", "", CALLER, "").await;
        serving.signal("TERM");
        assert_eq!(serving.ended().await, Some(0));
    }
    assert_eq!(collector.spans(), []);
}
