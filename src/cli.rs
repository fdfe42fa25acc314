//! The command line: one verb, and an exit code that says how it ended.

pub mod cases;
mod health;
mod serve;
mod test;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// Puts a second factor in front of any route: Envoy asks, Ory Kratos knows.
#[derive(Debug, Parser)]
#[command(name = "stepgate", version)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Answer checks until told to stop (SIGTERM or Ctrl-C).
    Serve {
        /// The configuration file.
        #[arg(
            short,
            long,
            env = "STEPGATE_CONFIG",
            default_value = "stepgate.yaml",
            value_name = "FILE"
        )]
        config: PathBuf,
    },
    /// Ask the running server whether it is ready, and exit 1 if it is not: for the health check of a container.
    Health {
        /// Where its admin listener is reached; `servers.admin.listen`, with 127.0.0.1 for 0.0.0.0.
        #[arg(long, default_value = "127.0.0.1:4457", value_name = "ADDRESS")]
        admin: SocketAddr,
    },
    /// Try a configuration: answer the cases in these files, and exit 1 if an answer is not the one wanted.
    ///
    /// A file holds a configuration under `config:` and, under `cases:`, requests with what Kratos would say of each and
    /// the answer wanted. Nobody is asked and no port is opened. The results are printed as TAP, a line a case; under one
    /// that does not hold stands what was wanted and what the answer was. Where a file has a fault, no case is answered and
    /// the exit code is 64. docs/rules.md tells the form of the files.
    Test {
        /// Files of cases.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

/// How a verb ended. Usage errors are clap's, with code 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked.
    Done,
    /// What was asked for was found not to hold.
    No,
    /// The configuration is not sound.
    BadConfig,
    /// Something else went wrong.
    Internal,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::No => 1,
            Exit::BadConfig => 64,
            Exit::Internal => 70,
        })
    }
}

impl Cli {
    /// Runs the verb.
    #[must_use]
    pub fn run(self) -> Exit {
        match self.verb {
            Verb::Serve { config } => serve::run(&config),
            Verb::Health { admin } => health::run(admin),
            Verb::Test { files } => test::run(&files),
        }
    }
}

/// Tells a person what went wrong: the error and every cause of it.
fn complain(error: &dyn std::error::Error) {
    #[expect(clippy::print_stderr, reason = "a command line speaks to its terminal")]
    {
        eprintln!("stepgate: {error}");
        for cause in std::iter::successors(error.source(), |cause| cause.source()) {
            eprintln!("  because: {cause}");
        }
    }
}
