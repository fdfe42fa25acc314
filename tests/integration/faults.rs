//! Each fault of Kratos, under load, through Envoy's door: what is guarded stays shut, each answer comes in time, and all
//! is well again in the same process when Kratos is.
//!
//! The table is printed by `cargo test --test integration each_fault -- --nocapture`.

mod fault;
mod resident;
mod secured;
mod way;

use std::time::Duration;

use fault::{Fault, Outcome, faults};
use way::{TIMEOUT, Way};

/// Checks in flight at a time.
const IN_FLIGHT: usize = 64;
/// Checks that each caller makes while the fault lasts, one after the other.
const EACH: usize = 4;
/// How much later than the timeout an answer may come, on a machine that does much else.
const MARGIN: Duration = Duration::from_millis(1500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_keeps_shut_what_is_guarded_and_is_over_when_kratos_is_well() {
    let mut lines = vec!["fault | outcome | checks | longest answer".to_owned()];
    for fault in faults() {
        let longest = endure(&fault).await;
        lines.push(fault.line(IN_FLIGHT * EACH, longest));
    }
    let (outcome, longest) = secured::endure_a_wrong_name().await;
    lines.push(format!(
        "another name in the certificate | {outcome} | {} | {longest:?}",
        IN_FLIGHT * EACH
    ));
    let (outcome, longest) = endure_refusal().await;
    lines.push(format!(
        "connection refused | {outcome} | {} | {longest:?}",
        IN_FLIGHT * EACH
    ));
    print(&lines);
}

/// A fault, with Kratos well before and after.
async fn endure(fault: &Fault) -> Duration {
    let way = Way::open().await;
    let (known, told) = (way.new_cookie(), fault.name);
    let target = fault.target;
    assert_eq!(way.ask(target, &known).await.reason, "allowed", "{told}");
    way.kratos().play(&[("/", fault.script.clone())]);
    let longest = way.load(target, fault.outcome, told).await;
    let remembered = way.ask(target, &known).await;
    assert_eq!(remembered.reason, "allowed", "what is remembered: {told}");
    way.recovers(target, told).await;
    longest
}

/// Nobody listens where Kratos should.
async fn endure_refusal() -> (Outcome, Duration) {
    let (mut way, refusing) = Way::to_nobody().await;
    let longest = way
        .load("/transfer", Outcome::UNAVAILABLE, "connection refused")
        .await;
    way.arrive(refusing);
    way.recovers("/transfer", "connection refused").await;
    (Outcome::UNAVAILABLE, longest)
}

/// An answer that came later than this waited for more than Kratos.
fn latest() -> Duration {
    TIMEOUT + MARGIN
}

#[expect(
    clippy::print_stdout,
    reason = "the table is what a reader of this test wants to see"
)]
fn print(lines: &[String]) {
    println!("{}", lines.join("\n"));
}
