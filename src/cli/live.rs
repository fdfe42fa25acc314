//! What each running Kratos says when it is asked: `check --live` prints it, and `serve` logs what is not well.

use std::io::{self, Write};

use super::{
    Exit,
    speak::{Tone, say},
};
use crate::{
    config::Config,
    domain::origin::OriginPattern,
    kratos::{BuildError, Finding, Settings, survey},
    telemetry::clock::Clock,
};

/// What is needed to ask every Kratos.
#[derive(Debug)]
pub(super) struct Survey(Vec<Asked>);

#[derive(Debug)]
struct Asked {
    name: Box<str>,
    settings: Settings,
    origins: Vec<OriginPattern>,
}

impl Survey {
    /// Every Kratos of a configuration.
    pub(super) fn of(config: &Config) -> Self {
        let domains = config.policy.identity_domains.iter().zip(&config.kratos);
        let asked = domains.enumerate().map(|(place, (domain, settings))| {
            let own = config.origins.iter().filter(|(_, id)| *id == place);
            Asked {
                name: domain.name.clone(),
                settings: settings.clone(),
                origins: own.map(|(origin, _)| origin.clone()).collect(),
            }
        });
        Self(asked.collect())
    }

    /// Asks, and logs what is not well. Nothing waits for it.
    pub(super) async fn warn(self) {
        for asked in &self.0 {
            match asked.ask().await {
                Ok(findings) => {
                    for finding in findings.iter().filter(|finding| !finding.is_well) {
                        tracing::warn!(kratos = %asked.name, "{}", finding.text);
                    }
                }
                Err(error) => tracing::warn!(kratos = %asked.name, %error, "can't be asked"),
            }
        }
    }
}

impl Asked {
    async fn ask(&self) -> Result<Vec<Finding>, BuildError> {
        survey(&self.settings, &self.origins, &Clock::system()).await
    }
}

/// Asks every Kratos of a configuration, and says what it heard.
pub(super) fn tell(out: &mut impl Write, config: &Config) -> io::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut exit = Exit::Done;
    for asked in &Survey::of(config).0 {
        let findings = runtime.block_on(asked.ask()).map_err(io::Error::other)?;
        for finding in findings {
            let tone = if finding.is_well {
                Tone::Ok
            } else {
                exit = Exit::No;
                Tone::Problem
            };
            say(out, tone, format_args!("{}: {}", asked.name, finding.text))?;
        }
    }
    Ok(exit)
}
