//! Runs the contract by hand: `cargo run -p demo --example contract -- PUBLIC_URL ADMIN_URL [aal1|highest_available]`.
//!
//! A real Kratos with short lifespans can be asked the rows that take time as well: name the seconds of its session,
//! its login flow and its privileged session, `… aal1 20 8 8`, and they are waited for.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use demo::contract::{self, RequiredAal, Target};

fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(target) = target(&arguments) else {
        writeln!(
            io::stderr(),
            "usage: contract PUBLIC_URL ADMIN_URL [aal1|highest_available [SESSION LOGIN PRIVILEGED]]"
        )?;
        return Ok(ExitCode::from(2));
    };
    let mut rows = contract::rows();
    if target.advance.is_some() {
        rows.retain(contract::Row::needs_time);
    }
    let report = tokio::runtime::Runtime::new()?.block_on(contract::run_rows(&target, &rows));
    writeln!(io::stdout(), "{report}")?;
    Ok(if report.is_green() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn target(arguments: &[String]) -> Option<Target> {
    let required_aal = match arguments.get(2).map(String::as_str) {
        None | Some("aal1") => RequiredAal::Aal1,
        Some("highest_available") => RequiredAal::HighestAvailable,
        Some(_) => return None,
    };
    let target = Target::new(
        arguments.first()?.parse().ok()?,
        arguments.get(1)?.parse().ok()?,
        required_aal,
    );
    let seconds = |at: usize| arguments.get(at)?.parse().ok().map(Duration::from_secs);
    let (Some(lifespan), Some(login_lifespan), Some(privileged_max_age)) =
        (seconds(3), seconds(4), seconds(5))
    else {
        return Some(target);
    };
    let target = Target {
        lifespan,
        login_lifespan,
        privileged_max_age,
        ..target
    };
    Some(target.with_advance(std::thread::sleep))
}
