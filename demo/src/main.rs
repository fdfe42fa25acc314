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
    match verb.as_str() {
        "run" => tokio::select! {
            Err(error) = run::run() => broken(&error),
            () = stopped() => {
                println!("\ndemo: stopped");
                ExitCode::SUCCESS
            }
        },
        "check" => tokio::select! {
            outcome = check::check() => match outcome {
                Ok(true) => ExitCode::SUCCESS,
                Ok(false) => ExitCode::from(NO),
                Err(error) => broken(&error),
            },
            () = stopped() => ExitCode::from(NO),
        },
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => {
            eprint!("{USAGE}");
            ExitCode::from(USAGE_ERROR)
        }
    }
}

/// Returns on Ctrl-C, or when the system asks. What was running is dropped then, and its child processes with it.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a handler there is nothing to wait for but the end.
    let _ = tokio::signal::ctrl_c().await;
}

/// Tells an error with its causes, each once.
fn broken(error: &dyn Error) -> ExitCode {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        if !told.contains(&error.to_string()) {
            told = format!("{told}: {error}");
        }
        cause = error.source();
    }
    eprintln!("demo: {told}");
    ExitCode::from(BROKEN)
}
