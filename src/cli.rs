//! The command line: one verb, and an exit code that says how it ended.

pub mod cases;
mod check;
mod exit;
mod explain;
mod health;
mod live;
mod schema;
mod serve;
mod speak;
mod test;

use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use clap::{Args, CommandFactory, Parser, Subcommand, builder::Styles};
use clap_complete::Shell;

use crate::servers::listen::Listen;
use check::Check;
pub use exit::Exit;
use explain::Explain;

const STYLES: Styles = Styles::styled()
    .header(Style::new().bold())
    .usage(Style::new().bold())
    .literal(AnsiColor::Cyan.on_default());

const EXIT_CODES: &str = "\
Exit codes:
  0   done
  1   the answer is no: a case fails, Kratos doesn't fit, the server isn't ready, a warning under --strict
  2   the command line can't be understood
  64  the configuration is not sound
  70  something else went wrong";

const CHECK_EXAMPLES: &str = "\
Examples:
  stepgate check                                 is stepgate.yaml sound, and is it meant so?
  stepgate check --strict                        the same in CI: a warning is a no
  stepgate check --kratos kratos.yml             does that Kratos' configuration fit?
  stepgate check --live                          does the running Kratos?";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  stepgate explain --url https://app.example.com/transfer
  stepgate explain --url https://app.example.com/transfer --session aal2:10m
  stepgate explain --method POST --url https://app.example.com/api/pay \\
      --header 'Accept: application/json' --session aal1-enrolled";

const TEST_EXAMPLES: &str = "\
Examples:
  stepgate test cases/*.yaml
  stepgate test cases/*.yaml | grep -A 12 '^not ok'";

const SERVE_EXAMPLES: &str = "\
Examples:
  stepgate serve
  stepgate serve -c /etc/stepgate/stepgate.yaml
  kill -HUP $(pidof stepgate)                    read the configuration again";

const SCHEMA_EXAMPLES: &str = "\
Examples:
  stepgate schema > stepgate.schema.json
and at the top of stepgate.yaml, for editors with the YAML language server:
  # yaml-language-server: $schema=stepgate.schema.json";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  stepgate completions bash > /etc/bash_completion.d/stepgate
  stepgate completions zsh > ~/.zfunc/_stepgate
  stepgate completions fish > ~/.config/fish/completions/stepgate.fish";

/// Puts a second factor in front of any route: Envoy asks, Ory Kratos knows.
#[derive(Debug, Parser)]
#[command(name = "stepgate", version, styles = STYLES, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Answer checks until told to stop (SIGTERM or Ctrl-C).
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ConfigFile),
    /// Say whether a configuration is sound, and what in it is hardly meant.
    ///
    /// Every fault and every warning names its file and line, what is wrong, and how to mend it. Exit 64 where it is not
    /// sound. With --kratos or --live it is also held against a Kratos, and exit 1 says that something there would break
    /// a step-up.
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Check),
    /// Show why a request is answered as it is: every rule, the decision, and the answer at each door.
    ///
    /// Runs what serve runs, but asks no Kratos: what it would say is given by --session. Exit 0 whatever the decision.
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(Box<Explain>),
    /// Ask the running server whether it is ready, and exit 1 if it is not: for the health check of a container.
    Health {
        /// Where its admin listener is reached: `servers.admin.listen`, with 127.0.0.1 for 0.0.0.0, or its `unix:/path`.
        #[arg(long, default_value = "127.0.0.1:4457", value_name = "ADDRESS")]
        admin: Listen,
    },
    /// Try a configuration: answer the cases in these files, and exit 1 if an answer is not the one wanted.
    ///
    /// A file holds a configuration under `config:` and, under `cases:`, requests with what Kratos would say of each and
    /// the answer wanted. Nobody is asked and no port is opened. The results are printed as TAP, a line a case; under one
    /// that does not hold stands what was wanted and what the answer was. Where a file has a fault, no case is answered and
    /// the exit code is 64. docs/rules.md tells the form of the files.
    #[command(after_help = TEST_EXAMPLES)]
    Test {
        /// Files of cases.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Print the JSON Schema of the configuration.
    #[command(after_help = SCHEMA_EXAMPLES)]
    Schema {
        /// That of a file that `rule_files` names instead.
        #[arg(long)]
        rules: bool,
    },
    /// Print the version.
    Version,
    /// Print what a shell needs to complete the command line.
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// Which configuration.
#[derive(Debug, Args)]
struct ConfigFile {
    /// The configuration file.
    #[arg(
        short = 'c',
        long = "config",
        env = "STEPGATE_CONFIG",
        default_value = "stepgate.yaml",
        value_name = "FILE"
    )]
    path: PathBuf,
}

impl Cli {
    /// Runs the verb.
    #[must_use]
    pub fn run(self) -> Exit {
        match self.verb {
            Verb::Serve(config) => serve::run(&config.path),
            Verb::Check(check) => check.run(),
            Verb::Explain(explain) => explain.run(),
            Verb::Health { admin } => health::run(&admin),
            Verb::Test { files } => test::run(&files),
            Verb::Schema { rules } => schema::run(rules),
            Verb::Version => speak::speak(|out| {
                writeln!(out, "stepgate {}", env!("CARGO_PKG_VERSION"))?;
                Ok(Exit::Done)
            }),
            Verb::Completions { shell } => speak::speak(|mut out| {
                clap_complete::generate(shell, &mut Self::command(), "stepgate", &mut out);
                Ok(Exit::Done)
            }),
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
