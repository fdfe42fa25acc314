//! What can be learned of a Kratos by asking it as nobody: whether it answers as one, whether challenges come back, and what
//! time it has.

use std::{error::Error, time::Duration};

use http::StatusCode;
use percent_encoding::utf8_percent_encode;

use super::{
    BuildError, Settings,
    client::{Answer, Client},
    wire,
};
use crate::{
    domain::{challenge::COMPONENT, origin::OriginPattern, pattern::HostPattern},
    telemetry::clock::Clock,
};

/// More is neither the way there nor the second that the header is cut to.
const LARGEST_SKEW: Duration = Duration::from_secs(5);

/// One thing that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it is as it must be.
    pub is_well: bool,
    /// What was found and, where it is not well, how to mend it.
    pub text: String,
}

/// Asks a Kratos that these origins are judged by. It waits no longer for an answer than a check does.
///
/// # Errors
/// [`BuildError`] where TLS can't be set up.
pub async fn survey(
    settings: &Settings,
    origins: &[OriginPattern],
    clock: &Clock,
) -> Result<Vec<Finding>, BuildError> {
    let asker = Asker {
        client: Client::new(settings)?,
        settings,
        clock,
    };
    let (whoami, answers) = asker.whoami().await;
    let mut found = vec![whoami];
    if answers {
        found.extend(asker.readiness().await);
        for origin in origins {
            found.push(asker.return_to(origin).await);
        }
    }
    Ok(found)
}

struct Asker<'a> {
    client: Client,
    settings: &'a Settings,
    clock: &'a Clock,
}

impl Asker<'_> {
    /// Asks who nobody is, and whether anything answers at all.
    async fn whoami(&self) -> (Finding, bool) {
        let url = &self.settings.api_url;
        let answer = match self.get("/sessions/whoami").await {
            Ok(answer) => answer,
            Err(why) => {
                return (
                    not_well(format!(
                        "`{url}` can't be reached: {why}; until it answers, whatever needs a session is refused with 503"
                    )),
                    false,
                );
            }
        };
        let finding = match answer.status {
            StatusCode::UNAUTHORIZED => self.clock_of(&answer),
            StatusCode::TEMPORARY_REDIRECT => not_well(format!(
                "`{url}` is Kratos' admin API; name the public one in `api_url`"
            )),
            status => not_well(format!(
                "`{url}/sessions/whoami` answers {status} to nobody, where a Kratos says 401; is `api_url` Kratos' public API?"
            )),
        };
        (finding, true)
    }

    /// `max_age` is counted by both clocks.
    fn clock_of(&self, answer: &Answer) -> Finding {
        let url = &self.settings.api_url;
        let Some(theirs) = answer.date else {
            return well(format!("`{url}` answers, and doesn't say what time it has"));
        };
        let own = self.clock.now();
        let (word, skew) = match theirs.duration_since(own) {
            Ok(ahead) => ("ahead of", ahead),
            Err(behind) => ("behind", behind.duration()),
        };
        if skew <= LARGEST_SKEW {
            well(format!(
                "`{url}` answers, and its clock agrees with this one"
            ))
        } else {
            let seconds = skew.as_secs();
            not_well(format!(
                "the clock of `{url}` is {seconds} s {word} this one, so that `max_age` counts wrong; set both by NTP"
            ))
        }
    }

    async fn readiness(&self) -> Option<Finding> {
        let path = self.settings.health.as_deref()?;
        Some(match self.get(path).await.map(|answer| answer.status) {
            Ok(StatusCode::OK) => well(format!("`{path}` says that it is ready")),
            Ok(StatusCode::NOT_FOUND) => not_well(format!(
                "`{path}` is not served there, so a signed-out visitor can't be told from an outage; name the right path in `health`, or write `health: off`"
            )),
            Ok(status) => not_well(format!(
                "`{path}` answers {status}, so it is not ready; see its own log"
            )),
            Err(why) => not_well(format!("`{path}` can't be had: {why}")),
        })
    }

    /// A return address is looked at before the session, so nobody may ask: 401 where it is allowed, else 400.
    async fn return_to(&self, origin: &OriginPattern) -> Finding {
        let back = format!("{}/", one_of(origin));
        let path = format!(
            "/self-service/login/browser?aal=aal2&return_to={}",
            utf8_percent_encode(&back, COMPONENT)
        );
        match self.get(&path).await {
            Ok(answer) if answer.status == StatusCode::UNAUTHORIZED => {
                well(format!("people may return to `{back}`"))
            }
            Ok(answer) if answer.status == StatusCode::BAD_REQUEST => {
                forbidden(&answer, &back, origin)
            }
            Ok(answer) => not_well(format!(
                "asked whether people may return to `{back}`, it answers {}",
                answer.status
            )),
            Err(why) => not_well(format!(
                "whether people may return to `{back}` can't be asked: {why}"
            )),
        }
    }

    async fn get(&self, path: &str) -> Result<Answer, String> {
        let endpoint = self.client.endpoint(path);
        let endpoint = endpoint.map_err(|error| innermost(&error))?;
        let call = self.client.get(&endpoint, None, self.clock.now());
        match tokio::time::timeout(self.settings.timeout, call).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(innermost(&error)),
            Err(_) => Err("no answer within `timeout`".to_owned()),
        }
    }
}

fn forbidden(answer: &Answer, back: &str, origin: &OriginPattern) -> Finding {
    if wire::is_error(&answer.body, "self_service_flow_return_to_forbidden") {
        not_well(format!(
            "nobody may return to `{back}`, so a challenge from there ends on an error; add `{origin}/` to `selfservice.allowed_return_urls` in Kratos' configuration"
        ))
    } else {
        not_well(format!(
            "asked whether people may return to `{back}`, it answers 400 {}",
            wire::error_id(&answer.body).unwrap_or_default()
        ))
    }
}

/// The last cause says what happened; those above it name the address again.
fn innermost(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => innermost(cause),
        None => error.to_string(),
    }
}

/// A host that an origin names.
fn one_of(origin: &OriginPattern) -> String {
    match &origin.host {
        HostPattern::Exact(_) => origin.to_string(),
        HostPattern::Below(_) => origin.to_string().replacen('*', "any", 1),
    }
}

fn well(text: String) -> Finding {
    Finding {
        is_well: true,
        text,
    }
}

fn not_well(text: String) -> Finding {
    Finding {
        is_well: false,
        text,
    }
}
