//! The demo's command line: `run` it, or `check` it without a browser.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line talks to people"
)]

mod check;
mod run;

use std::error::Error;
use std::process::ExitCode;

const USAGE: &str = "\
Olympus Bank: a bank behind Envoy and Stepgate.

  demo run      start everything, until Ctrl-C
  demo check    walk the story without a browser; exit 0 if every step held
";

/// Exit codes, as Stepgate's own.
const NO: u8 = 1;
const USAGE_ERROR: u8 = 2;
const BROKEN: u8 = 70;

#[tokio::main]
async fn main() -> ExitCode {
    let verb = std::env::args().nth(1).unwrap_or_default();
    let outcome = match verb.as_str() {
        "run" => run::run().await.map(|()| true),
        "check" => check::check().await,
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(USAGE_ERROR);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(NO),
        Err(error) => {
            eprintln!("demo: {}", whole(&error));
            ExitCode::from(BROKEN)
        }
    }
}

/// An error with its causes, each told once.
fn whole(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        if !told.contains(&error.to_string()) {
            told = format!("{told}: {error}");
        }
        cause = error.source();
    }
    told
}
