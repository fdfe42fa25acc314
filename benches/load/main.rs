//! What a check costs, against a server that allows everything: `make bench`.
//!
//! Both servers are processes of their own, one worker each, on a core of their own where the machine has two. The load
//! is a closed loop of prepared checks over bare HTTP/2. Each round loads the one and then the other; the figures are
//! medians of the rounds. What a server used is read from the kernel's own account of its process, so neither the load
//! nor the double of Kratos, which live in this process, are counted.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod beside;
mod buffering;
mod case;
mod envoy;
mod floor;
mod load;
mod message;
mod others;
mod process;
mod steady;
mod table;
mod wire;

use std::{env, error::Error, time::Duration};

use case::{Case, Kratos};
use load::{Load, Until};
use process::Server;
use table::{Figures, Row};

/// The floor shall owe nothing to a slower allocator than Stepgate's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Whatever went wrong ends the run.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Rounds of which the median is taken.
const ROUNDS: usize = 11;
/// How long a round loads each server.
const ROUND: Duration = Duration::from_millis(500);

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Cargo adds `--bench`.
    let mut words = env::args().skip(1).filter(|word| word != "--bench");
    match (words.next().as_deref(), words.next()) {
        (Some("allow-all"), Some(port)) => runtime.block_on(floor::serve(false, port.parse()?)),
        (Some("redirect-all"), Some(port)) => runtime.block_on(floor::serve(true, port.parse()?)),
        // A word picks the cases that have it in their name.
        (only, _) => runtime.block_on(bench(only.unwrap_or_default())),
    }
}

async fn bench(only: &str) -> Outcome<()> {
    let is_pinned = process::pin_self();
    println!("{}", table::introduction(is_pinned));
    let kratos = Kratos::start().await?;
    let mut rows = Vec::new();
    for case in case::all(&kratos)? {
        if case.name.contains(only) {
            let row = measure(&case, &kratos, is_pinned).await?;
            println!("{row}");
            rows.push(row);
        }
    }
    println!("{}\n", table::comparisons(&rows));
    others::run(only, &kratos, is_pinned).await?;
    beside::run(only, &kratos, is_pinned).await?;
    if "through Envoy".contains(only) {
        envoy::run(&kratos, is_pinned).await?;
    }
    if "buffering".contains(only) {
        buffering::run(&kratos, is_pinned).await?;
    }
    if "two cores".contains(only) {
        println!("{}", table::TWO_CORES);
    }
    Ok(())
}

pub(crate) fn print(line: &table::Line) {
    println!("{line}");
}

/// One case: its program and what that is held against, loaded in turn.
pub(crate) async fn measure(case: &Case, kratos: &Kratos, is_pinned: bool) -> Outcome<Row> {
    let floor = Server::start(&case.floor, is_pinned).await?;
    let own = Server::start(&case.program, is_pinned).await?;
    let idle = own.resident_kib()?;
    // Every message once, so that what can be remembered is.
    let warm_up = Until::Sent(case.load.messages.len().max(2_000));
    case.floor_load.run(floor.port(), warm_up).await?;
    case.load.run(own.port(), warm_up).await?;
    let calls = kratos.double.whoami_calls();
    let (mut low, mut high) = (Figures::default(), Figures::default());
    for _ in 0..ROUNDS {
        low.add(round(&floor, &case.floor_load).await?);
        high.add(round(&own, &case.load).await?);
    }
    let calls = kratos.double.whoami_calls().saturating_sub(calls);
    case.holds(calls, high.answers())?;
    Ok(Row {
        name: case.name,
        target: case.target,
        floor: low,
        own: high,
        whoami_calls: calls,
        resident_kib: (idle, own.resident_kib()?),
    })
}

/// One server for one round.
async fn round(server: &Server, load: &Load) -> Outcome<table::Round> {
    let before = server.cpu()?;
    let tally = load.run(server.port(), Until::Past(ROUND)).await?;
    let cpu = server.cpu()?.saturating_sub(before);
    Ok(table::Round { cpu, tally })
}
