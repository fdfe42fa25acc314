//! The demo's command line: `run` it, `check` it without a browser, or hold a Kratos to the `contract`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line talks to people"
)]

mod ask;
mod check;
mod run;
mod running;
mod serve;

use std::error::Error;
use std::process::ExitCode;

use ask::Asked;

const USAGE: &str = "\
Olympus Bank: a bank behind Envoy and Stepgate.

  demo run      start everything, until Ctrl-C
  demo check    walk the story without a browser; exit 0 if every step held
  demo contract [PUBLIC_URL ADMIN_URL [aal1|highest_available]]
                hold the Kratos double, or a running Kratos, to the recorded answers

In the containers of envoy/docker-compose.yml:

  demo bank ADMIN_URL
                the bank on port 8081, and on 8090 what reached it
  demo pages KRATOS_URL
                the login pages on port 8082
  demo people ADMIN_URL
                make the people of the demo, as soon as that Kratos answers
  demo kratos [SERVE OR MIGRATE …]
                the double in the place of Kratos, on ports 4433 and 4434

With such containers running:

  demo walk ENVOY LEDGER [1|2]
                walk the story through Envoy at that address over HTTP/1.1 or HTTP/2, looking into the bank's ledger
  demo knock ENVOY SECONDS
                open the account over and over; exit 0 if every try succeeded
";

/// Exit codes, as Stepgate's own.
const YES: u8 = 0;
const NO: u8 = 1;
const USAGE_ERROR: u8 = 2;
const BROKEN: u8 = 70;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let outcome = tokio::select! {
        outcome = perform(&arguments) => outcome,
        () = stopped() => {
            println!("\ndemo: stopped");
            // These are meant to be stopped; all else was cut short.
            let endless = ["run", "bank", "pages", "kratos"];
            Ok(if arguments.first().is_some_and(|verb| endless.contains(&verb.as_str())) { YES } else { NO })
        }
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => broken(error.as_ref()),
    }
}

async fn perform(arguments: &[String]) -> Result<u8, Box<dyn Error>> {
    let (verb, arguments) = arguments
        .split_first()
        .map_or(("", arguments), |(verb, rest)| (verb.as_str(), rest));
    match (verb, arguments) {
        ("run", []) => match run::run().await? {},
        ("check", []) => Ok(verdict(check::check().await?)),
        ("contract", arguments) => match Asked::parse(arguments) {
            Some(asked) => Ok(verdict(asked.hold().await?)),
            None => Ok(usage()),
        },
        ("bank", [admin]) => match serve::bank(admin).await? {},
        ("pages", [kratos]) => match serve::pages(kratos).await? {},
        ("kratos", arguments) => serve::kratos(arguments).await.map(|()| YES),
        ("people", [admin]) => serve::people(admin).await.map(|()| YES),
        ("walk", [envoy, ledger, http @ ..]) => Ok(verdict(
            running::walk(envoy.parse()?, ledger.parse()?, http).await,
        )),
        ("knock", [envoy, seconds]) => Ok(verdict(
            running::knock(envoy.parse()?, seconds.parse()?).await?,
        )),
        ("help" | "--help" | "-h", _) => {
            print!("{USAGE}");
            Ok(YES)
        }
        _ => Ok(usage()),
    }
}

fn verdict(held: bool) -> u8 {
    if held { YES } else { NO }
}

fn usage() -> u8 {
    eprint!("{USAGE}");
    USAGE_ERROR
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
