//! From a credential to a session: what Kratos says of it, and how far that is believed.
//!
//! Kratos is asked with the one credential and nothing else of the client's. A failure never counts as "signed out", and
//! neither does a bare 401: Kratos says that too when its database is down.

mod belief;
mod client;
mod wire;

use std::time::{Duration, SystemTime};

use crate::domain::{
    claim::Pointer,
    credential::{Credential, Presented},
    session::{Aal, Enrolment, Standing},
};
pub use client::BuildError;
use client::Client;

/// Where one Kratos is and how it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Kratos' public API, http or https, without a slash at its end.
    pub api_url: Box<str>,
    /// The name of its session cookie.
    pub cookie: Box<str>,
    /// The longest that a check waits for it in all.
    pub timeout: Duration,
    /// What is asked to be known of an identity.
    pub pointers: Vec<Pointer>,
}

/// One Kratos.
#[derive(Debug)]
pub struct Kratos {
    client: Client,
    timeout: Duration,
}

impl Kratos {
    /// A client for one Kratos. It is first called when a check needs it.
    ///
    /// # Errors
    /// [`BuildError`] where TLS can't be set up.
    pub fn new(settings: &Settings) -> Result<Self, BuildError> {
        Ok(Self {
            client: Client::new(settings)?,
            timeout: settings.timeout,
        })
    }

    /// The longest that a check waits for it in all.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// What it says of what a request presents. The caller bounds the wait.
    pub async fn standing(&self, presented: &Presented, now: SystemTime) -> Standing {
        match presented {
            Presented::One(credential) => {
                belief::of_credential(&self.client, credential, now).await
            }
            Presented::Nothing | Presented::Malformed(_) => belief::of_absence(&self.client).await,
        }
    }

    /// Which second factors the owner of a session at this level has.
    ///
    /// # Errors
    /// The new standing, where the session has ended meanwhile.
    pub async fn enrolment(
        &self,
        credential: &Credential,
        aal: Aal,
        now: SystemTime,
    ) -> Result<Enrolment, Standing> {
        belief::of_enrolment(&self.client, credential, aal, now).await
    }
}

/// What a 200 of whoami with this body says at this time, of its identity what stands at these pointers.
#[must_use]
pub fn read_whoami(body: &[u8], pointers: &[Pointer], now: SystemTime) -> Standing {
    wire::standing(body, pointers, now)
}
