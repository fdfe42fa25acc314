//! What the parts of a check cost, each by itself: `make parts`. And how many instructions a whole one takes, which the
//! machine's other work doesn't change: `make instructions`.
#![expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]

mod instructions;
#[path = "../load/message.rs"]
mod message;
mod stage;

use std::{env, error::Error};

use divan::{Bencher, black_box};
use prost::Message;
use stage::Stage;
use stepgate::{
    domain::{
        credential::{CredentialKind, Presented},
        decision,
        path::PathOptions,
        request::Request,
        rule::Demand,
        session::{Enrolment, Standing},
    },
    proto::CheckRequest,
    servers::ext_authz::encode::response,
    telemetry::clock::Clock,
};

/// As Stepgate's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Whatever went wrong ends the run.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    // Cargo adds `--bench`.
    let mut words = env::args().skip(1);
    match (words.next().as_deref(), words.next()) {
        (Some(instructions::ANSWER), Some(checks)) => instructions::answer(checks.parse()?),
        (Some("instructions"), _) => instructions::hold(),
        _ => {
            divan::main();
            Ok(())
        }
    }
}

/// Everything that is set up before anything is measured.
#[expect(clippy::expect_used, reason = "what can't be set up can't be measured")]
fn stage(rules: usize) -> Stage {
    Stage::new(rules).expect("a Stepgate that remembers a session")
}

/// Envoy's message to its fields.
#[divan::bench]
fn decode(bencher: Bencher<'_, '_>) {
    let stage = stage(1);
    bencher.bench(|| CheckRequest::decode(stage.message.clone()));
}

/// Host, path and method, normalised.
#[divan::bench]
fn normalise(bencher: Bencher<'_, '_>) {
    let stage = stage(1);
    bencher.bench(|| Request::parse(&stage.facts, PathOptions::default()));
}

/// The rule for a request, of so many.
#[divan::bench(args = [1, 5_000])]
fn find_rule(bencher: Bencher<'_, '_>, rules: usize) {
    let stage = stage(rules);
    let (snapshot, request) = (stage.authorizer.snapshot(), &stage.request);
    let rules = &snapshot.policy.rules;
    bencher.bench(|| rules.select(&request.authority.host, &request.path, &request.method));
}

/// The session cookie among the headers.
#[divan::bench]
fn find_credential(bencher: Bencher<'_, '_>) {
    let stage = stage(1);
    bencher.bench(|| {
        Presented::find(
            &stage.facts.headers,
            &[CredentialKind::Cookie],
            stage::COOKIE,
        )
    });
}

/// A session that is remembered, by one thread and by two at once.
#[divan::bench(threads = [1, 2], sample_size = 1000)]
fn recall(bencher: Bencher<'_, '_>) {
    let stage = stage(1);
    let now = Clock::system().now();
    // Each is new to its fingerprint, which is the most of it.
    let credentials = bencher.with_inputs(|| stage.credential.clone());
    credentials.bench_refs(|credential| stage.kratos.remembered(credential, None, now));
}

/// A session held against what its rule demands.
#[divan::bench]
fn decide(bencher: Bencher<'_, '_>) {
    let stage = stage(1);
    let now = Clock::system().now();
    let session = stage.kratos.remembered(&stage.credential, None, now);
    let standing = session.map_or(Standing::SignedOut, Standing::Session);
    let demands = [Demand::AAL2];
    bencher.bench(|| decision::decide(black_box(&demands), &standing, &Enrolment::Unknown, now));
}

/// An allow to its bytes.
#[divan::bench]
fn encode(bencher: Bencher<'_, '_>) {
    let stage = stage(1);
    let answers = bencher.with_inputs(|| stage.check());
    answers.bench_values(|answer| answer.map(|answer| response(&answer, 0)));
}

/// All of it but the wire: from the facts to the answer, by one thread and by two at once.
#[divan::bench(threads = [1, 2], sample_size = 1000)]
fn whole(bencher: Bencher<'_, '_>) {
    let stage = stage(1);
    let messages = bencher.with_inputs(|| stage.own_facts());
    messages.bench_refs(|facts| stage.check_of(facts));
}
