//! Hostile requests by class, each with the refusal that it must get: `tests/hostile/inputs.txt`. What is not guarded
//! there is open, so that whatever gets round a rule is let through and seen.
//!
//! `cargo test hostile -- --nocapture` prints how many were tried.

use std::time::SystemTime;

use bytes::Bytes;
use stepgate::{
    authorizer::Authorizer,
    config::Config,
    domain::{
        headers::Headers,
        reply::{Refusal, Reply},
        request::{Facts, Reach},
        session::{Enrolment, Standing},
    },
    telemetry::clock::Clock,
};

use crate::gate;

const INPUTS: &str = include_str!("../hostile/inputs.txt");

const RULES: &str = "
  - { id: transfer, match: { path: /transfer/** }, require: aal2 }
  - { id: email, match: { path: '/users/{id}/email' }, require: session }
  - { id: closed, match: { path: /closed }, require: deny }
  - { id: write, match: { path: /item, methods: [POST, PUT, DELETE] }, require: aal2 }
";

/// Inputs of one class, what they are put into, and the reason to refuse them.
pub(crate) struct Class {
    name: &'static str,
    pub(crate) place: &'static str,
    reason: &'static str,
    pub(crate) inputs: Vec<Vec<u8>>,
}

#[test]
fn every_hostile_input_is_refused_for_its_reason() {
    let mut total = 0;
    for class in classes() {
        let authorizer = authorizer(&class);
        for input in &class.inputs {
            assert_refused(&authorizer, &class, &facts(class.place, input));
        }
        println!("{:4} {}: {}", class.inputs.len(), class.name, class.reason);
        total += class.inputs.len();
    }
    println!("{total:4} in all");
    assert!(total > 550, "{total}");
}

fn assert_refused(authorizer: &Authorizer, class: &Class, facts: &Facts) {
    let answer = authorizer.suppose(facts, Standing::SignedOut, &Enrolment::Unknown);
    let Reply::Refused(refusal) = &answer.reply else {
        panic!("{} gets through: {facts:?}", class.name);
    };
    assert_eq!(answer.reason, class.reason, "{}: {facts:?}", class.name);
    assert!(refusal.status.as_u16() >= 300 && refusal.body.len() < 4096);
    assert!(!echoes(refusal), "{}: {refusal:?}", class.name);
}

/// Whether an answer repeats what only an attacker writes.
fn echoes(refusal: &Refusal) -> bool {
    let shown = format!("{:?}{}", refusal.headers, refusal.body);
    shown.contains("<script>") || shown.contains("evil")
}

fn authorizer(class: &Class) -> Authorizer {
    let paths = match class.place.split(' ').next() {
        Some("keep") => "\npaths: { semicolon: keep }\n",
        Some("insensitive") => "\npaths: { case: insensitive }\n",
        _ => "",
    };
    let kinds = "credentials: [cookie, session_token, bearer]\n    origins:";
    let config = gate::config("http://127.0.0.1:9", RULES).replace("origins:", kinds);
    let config = Config::parse("test.yaml", &format!("{config}{paths}")).unwrap();
    let clock = Clock::by_hand(|| SystemTime::UNIX_EPOCH);
    Authorizer::new(config.into_snapshot().unwrap(), clock)
}

/// A page that would be sent to log in, with the input in its place.
pub(crate) fn facts(place: &str, input: &[u8]) -> Facts {
    let input = Bytes::copy_from_slice(input);
    let mut facts = Facts {
        method: "GET".into(),
        host: "app.test".into(),
        target: "/transfer".into(),
        headers: Headers::raw(vec![("accept".into(), "text/html".into())]),
        context: vec![],
        body: None,
        reach: Reach::Edits,
        trace: Headers::default(),
    };
    let raw = |lines: Vec<(Bytes, Bytes)>| Headers::raw(lines);
    match place {
        "target" | "keep target" | "insensitive target" => facts.target = input,
        "joined target" => (facts.target, facts.headers) = (input, Headers::joined(vec![])),
        "host" => facts.host = input,
        "method" => facts.method = input,
        "query" => facts.target = [b"/item?".as_slice(), &input].concat().into(),
        "override" => facts.headers = raw(vec![(input, "PUT".into())]),
        "preflight" => {
            facts.method = "OPTIONS".into();
            let asked = ("access-control-request-method".into(), input);
            facts.headers = raw(vec![("origin".into(), "https://app.test".into()), asked]);
        }
        "joined cookie" => facts.headers = Headers::joined(vec![("cookie".into(), input)]),
        "beside" => {
            let cookie = ("cookie".into(), "ory_kratos_session=a".into());
            facts.headers = raw(vec![cookie, pair(&input, b':')]);
        }
        "line" => facts.headers = raw(vec![pair(&input, b'=')]),
        "context" => (facts.target, facts.context) = ("/open".into(), vec![pair(&input, b'=')]),
        header => {
            let name = header.strip_prefix("header ").unwrap();
            facts.method = "POST".into();
            facts.headers = raw(vec![(Bytes::copy_from_slice(name.as_bytes()), input)]);
        }
    }
    facts
}

fn pair(text: &Bytes, mark: u8) -> (Bytes, Bytes) {
    let at = text.iter().position(|&b| b == mark).unwrap();
    (text.slice(..at), text.slice(at + 1..))
}

pub(crate) fn classes() -> Vec<Class> {
    let written = INPUTS.split("\n## ").skip(1).map(|text| {
        let (head, inputs) = text.split_once('\n').unwrap();
        let mut fields = head.split(" | ");
        let mut field = || fields.next().unwrap();
        Class {
            name: field(),
            place: field(),
            reason: field(),
            inputs: inputs
                .lines()
                .filter(|line| !line.is_empty())
                .map(unescaped)
                .collect(),
        }
    });
    written.chain(made()).collect()
}

/// Inputs that are better made than written.
fn made() -> [Class; 2] {
    let controls = (0..=0x20_u8).chain([0x7f]);
    let forms = |byte: u8| {
        let raw = [b"/transfer".as_slice(), &[byte]].concat();
        let in_query = [b"/transfer?q=".as_slice(), &[byte]].concat();
        let encoded = [
            format!("/transfer%{byte:02x}"),
            format!("/transfer%25{byte:02X}"),
        ];
        let encoded = encoded
            .into_iter()
            .filter(move |_| byte != b' ')
            .map(String::into_bytes);
        [raw, in_query].into_iter().chain(encoded)
    };
    let class = |name, inputs| Class {
        name,
        place: "target",
        reason: "request_malformed",
        inputs,
    };
    let long = vec![
        b"/".repeat(8193),
        [b"/".as_slice(), &b"a".repeat(8192)].concat(),
        b"/a/..".repeat(4000),
        b"/%2e%2e".repeat(1200),
        b"/%25".repeat(3000),
    ];
    [
        class("path: control bytes", controls.flat_map(forms).collect()),
        class("path: too long", long),
    ]
}

/// `\xNN` is a byte, `\\` a backslash, and `\` alone nothing.
fn unescaped(line: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = line.bytes();
    while let Some(byte) = rest.next() {
        match (byte == b'\\').then(|| rest.next()) {
            None => bytes.push(byte),
            Some(Some(b'x')) => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                let digits = std::str::from_utf8(&digits).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
            }
            Some(escaped) => bytes.extend(escaped),
        }
    }
    bytes
}
