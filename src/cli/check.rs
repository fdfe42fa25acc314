//! `stepgate check`: is the configuration sound, is it meant so, and does Kratos fit it?

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    ConfigFile, Exit, live,
    speak::{Tone, say, speak},
};
use crate::config::{self, Config, Fault, Faults, kratos_file};

/// What to check.
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    config: ConfigFile,
    /// Exit 1 where there is a warning, for CI.
    #[arg(long)]
    strict: bool,
    /// Also read a Kratos' configuration, and report what would break a step-up. May be given once a Kratos.
    #[arg(long, value_name = "FILE")]
    kratos: Vec<PathBuf>,
    /// Also ask each running Kratos: is it ready, may people return to each origin, do its clock and this one agree?
    #[arg(long)]
    live: bool,
}

impl Check {
    /// Checks, and says what was found.
    pub(super) fn run(&self) -> Exit {
        speak(|mut out| self.tell(&mut out))
    }

    fn tell(&self, out: &mut impl Write) -> io::Result<Exit> {
        let config = match Config::load(&self.config.path) {
            Ok(config) => config,
            Err(faults) => return errors(out, &faults),
        };
        all(out, Tone::Warning, &config.warnings)?;
        if config.is_secret_random {
            say(
                out,
                Tone::Note,
                "no secret is configured here, so each replica would draw its own; set `secret.file` or `STEPGATE_SECRET`, the same on all",
            )?;
        }
        shadows(out, &config)?;
        say(out, Tone::Ok, summary(&self.config.path, &config))?;
        let mut exit = if self.strict && !config.warnings.is_empty() {
            Exit::No
        } else {
            Exit::Done
        };
        for file in &self.kratos {
            exit = worse(exit, kratos(out, &config, file)?);
        }
        if self.live {
            exit = worse(exit, live::tell(out, &config)?);
        }
        Ok(exit)
    }
}

fn errors(out: &mut impl Write, faults: &Faults) -> io::Result<Exit> {
    for fault in faults.iter() {
        say(out, Tone::Error, fault)?;
    }
    Ok(Exit::BadConfig)
}

fn all(out: &mut impl Write, tone: Tone, found: &[Fault]) -> io::Result<()> {
    found.iter().try_for_each(|one| say(out, tone, one))
}

/// Names the rules that don't refuse yet, in the order of the file.
fn shadows(out: &mut impl Write, config: &Config) -> io::Result<()> {
    config.shadows().try_for_each(|rule| {
        let (id, at) = (&rule.id, config.rule_places.get(&rule.id));
        let at = at.map_or("", |at| at);
        say(
            out,
            Tone::Note,
            format_args!("{at}: rule `{id}` is in shadow: what it would refuse is logged and counted, and judged as if the rule were not there"),
        )
    })
}

fn summary(path: &Path, config: &Config) -> String {
    let parts = [
        (config.policy.identity_domains.len(), "identity domain"),
        (config.origins.len(), "origin"),
        (config.policy.rules.rules().len(), "rule"),
        (config.warnings.len(), "warning"),
    ];
    let counts = parts.map(|(count, what)| {
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {what}{plural}")
    });
    format!("{}: {}", path.display(), counts.join(", "))
}

/// Reviews a Kratos configuration.
fn kratos(out: &mut impl Write, config: &Config, file: &Path) -> io::Result<Exit> {
    let name = file.display().to_string();
    let text = config::text(&name).map_err(Faults::from);
    let review = match text.and_then(|text| kratos_file::review(config, &name, &text)) {
        Ok(review) => review,
        Err(faults) => return errors(out, &faults),
    };
    all(out, Tone::Problem, &review.problems)?;
    all(out, Tone::Note, &review.notes)?;
    if review.problems.is_empty() {
        say(
            out,
            Tone::Ok,
            format_args!("{name}: a step-up of `{}` would work", review.domain),
        )?;
        Ok(Exit::Done)
    } else {
        Ok(Exit::No)
    }
}

/// A fault outweighs a no, and a no what was done.
fn worse(one: Exit, other: Exit) -> Exit {
    let weight = |exit| match exit {
        Exit::Done => 0,
        Exit::No => 1,
        Exit::BadConfig => 2,
        Exit::Internal => 3,
    };
    if weight(other) > weight(one) {
        other
    } else {
        one
    }
}
