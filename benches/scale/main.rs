//! What many replicas ask of Kratos, and how long a revoked session lives on: `make scale`, the figures of `docs/scaling.md`.
//!
//! Nothing runs here but arithmetic. Checks arrive at random, each of a session drawn by popularity, and go to a replica
//! drawn evenly, as Envoy's balancing spreads them. A replica that remembers the session answers; another asks Kratos and
//! remembers for the ttl. Now and then a session is revoked: from then on Kratos says no, and each replica that still
//! remembers says yes until its memory is over. The numbers drawn are the same in every run.
#![expect(
    clippy::print_stdout,
    reason = "the tables are what this program is for"
)]

mod random;
mod world;

use world::{Outcome, World};

/// Checks a second in every table; all else scales with it, as long as each session is as busy.
const RATE: f64 = 10_000.0;
/// Sessions in use.
const SESSIONS: usize = 10_000;
const REPLICAS: [usize; 5] = [1, 2, 4, 10, 40];
const TTLS: [f64; 4] = [0.0, 1.0, 5.0, 30.0];
/// Zipf exponents: all alike, as on a site that people click through, and a few scripts that ask all the time.
const POPULARITIES: [(f64, &str); 3] = [
    (0.0, "all sessions alike"),
    (0.8, "some sessions busier (Zipf 0.8)"),
    (1.1, "few sessions make most checks (Zipf 1.1)"),
];

fn main() {
    println!("{RATE} checks/s by {SESSIONS} sessions; whoami calls a second in all, and a check");
    for (exponent, name) in POPULARITIES {
        println!("\n{name}\n");
        println!("| replicas |{}", head(|ttl| format!(" ttl {ttl} s |")));
        println!("| --- |{}", head(|_| " --- |".to_owned()));
        for replicas in REPLICAS {
            let cells = head(|ttl| cell(&run(replicas, ttl, exponent)));
            println!("| {replicas} |{cells}");
        }
    }
    println!(
        "\nseconds from the revocation of a session to its last allow: half of them, 99 of 100, and the longest\n"
    );
    println!("| replicas |{}", head(|ttl| format!(" ttl {ttl} s |")));
    println!("| --- |{}", head(|_| " --- |".to_owned()));
    for replicas in REPLICAS {
        let cells = head(|ttl| lag(&run(replicas, ttl, 0.8)));
        println!("| {replicas} |{cells}");
    }
}

fn run(replicas: usize, ttl: f64, exponent: f64) -> Outcome {
    World::new(RATE, SESSIONS, replicas, ttl, exponent).run()
}

fn head(cell: impl Fn(f64) -> String) -> String {
    TTLS.into_iter().map(cell).collect()
}

fn cell(outcome: &Outcome) -> String {
    format!(" {:.0} ({:.2}) |", outcome.calls, outcome.calls / RATE)
}

fn lag(outcome: &Outcome) -> String {
    format!(
        " {:.2} · {:.2} · {:.2} |",
        outcome.lag(0.5),
        outcome.lag(0.99),
        outcome.lag(1.0)
    )
}
