//! One check on a warm session, and all that it needs.

use std::{
    fmt::Write,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use demo::kratos::{Double, Options, Person};
use stepgate::{
    authorizer::{Answer, Authorizer},
    config::Config,
    domain::{
        credential::{Credential, CredentialKind, Presented},
        headers::Headers,
        path::PathOptions,
        request::{Facts, Request},
    },
    kratos::Kratos,
    telemetry::clock::Clock,
};
use tokio::runtime::{Builder, Runtime};

use crate::{Outcome, message};

/// Somebody with a second factor.
const EMAIL: &str = "totp@app.test";
/// What stands before a message of gRPC.
const PREFIX: usize = 5;
const DOOR: &str = "grpc";
/// The name of the session cookie.
pub(crate) const COOKIE: &str = "ory_kratos_session";
/// Hosts that many rules are spread over.
const HOSTS: usize = 50;

/// An authorizer that remembers the session of one request.
pub(crate) struct Stage {
    pub(crate) authorizer: Authorizer,
    pub(crate) kratos: Arc<Kratos>,
    pub(crate) facts: Facts,
    pub(crate) request: Request,
    pub(crate) credential: Credential,
    cookie: String,
    /// The same request as Envoy sends it.
    pub(crate) message: Bytes,
    _double: Double,
    _runtime: Runtime,
}

impl Stage {
    /// Asks once, so that the session is remembered.
    pub(crate) fn new(rules: usize) -> Outcome<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let double = runtime.block_on(Double::start(Options::default()))?;
        double.add_person(Person {
            email: EMAIL.to_owned(),
            password: "not-a-password-only-for-benchmarks".to_owned(),
            totp_secret: Some("NOTASECRETNOTASECRETNOTASECRET22".to_owned()),
            ..Person::default()
        });
        let session = double.sign_in(EMAIL).ok_or("nobody signed in")?;
        let session = double
            .step_up(&session, "totp")
            .ok_or("nobody stepped up")?;
        let config = Config::parse(
            "stepgate.yaml",
            &config(double.public_url().as_str(), rules)?,
        )?;
        let snapshot = config.into_snapshot()?;
        let kratos = snapshot.kratos.first().ok_or("no Kratos")?;
        let kratos = Arc::clone(kratos);
        let authorizer = Authorizer::new(snapshot, Clock::system());
        let framed = message::page("h0.app.test", "/area0/1", Some(&session.header()))?;
        let facts = facts(&session.header());
        let presented = Presented::find(&facts.headers, &[CredentialKind::Cookie], COOKIE)?;
        let Presented::One(credential) = presented else {
            return Err("no credential in the request".into());
        };
        let first = runtime.block_on(authorizer.check(DOOR, &facts, None));
        if first.decision != "allow" {
            return Err(format!("the first check was answered {}", first.decision).into());
        }
        Ok(Self {
            authorizer,
            kratos,
            request: Request::parse(&facts, PathOptions::default())?,
            facts,
            credential,
            cookie: session.header(),
            message: framed.slice(PREFIX..),
            _double: double,
            _runtime: runtime,
        })
    }

    /// The request's facts in bytes of their own, as each message's are.
    pub(crate) fn own_facts(&self) -> Facts {
        facts(&self.cookie)
    }

    /// One whole check. A warm hit waits for nothing, so it is answered when it is first looked at.
    pub(crate) fn check(&self) -> Option<Answer> {
        self.check_of(&self.facts)
    }

    /// The same of these facts.
    pub(crate) fn check_of(&self, facts: &Facts) -> Option<Answer> {
        let check = pin!(self.authorizer.check(DOOR, facts, None));
        match check.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => None,
        }
    }
}

/// So many rules; the first is the request's.
fn config(api_url: &str, rules: usize) -> Outcome<String> {
    let mut text = format!(
        "kratos:
  ciam:
    api_url: {api_url}
    browser_url: https://ciam.app.test
    origins: ['https://*.app.test']
    # Under valgrind all takes fifty times as long.
    timeout: 1m
    cache: {{ ttl: 10m }}
default: deny
rules:
  - {{ id: login, match: {{ host: ciam.app.test, path: /self-service/** }}, require: none }}
"
    );
    for rule in 0..rules {
        let host = rule.checked_rem(HOSTS).unwrap_or_default();
        writeln!(
            text,
            "  - {{ id: r{rule}, match: {{ host: h{host}.app.test, path: /area{rule}/** }}, require: aal2 }}"
        )?;
    }
    Ok(text)
}

fn facts(cookie: &str) -> Facts {
    let lines = message::HEADERS.into_iter().chain([("cookie", cookie)]);
    let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    let lines = lines.map(|(name, value)| (bytes(name), bytes(value)));
    Facts {
        method: Bytes::from_static(b"GET"),
        host: Bytes::from_static(b"h0.app.test"),
        target: Bytes::from_static(b"/area0/1"),
        headers: Headers::joined(lines.collect()),
        ..Facts::default()
    }
}
