//! The story, walked without a screen: signed out, password, step-up, done; and the same with a factor to enrol first.
//!
//! Every step looks at both ends: what the browser got, to the letter, and what reached the bank. A step that fails
//! ends its part, since the later steps of it would only repeat the news.

mod browser;
mod form;
mod jar;
mod part;
mod tale;
mod walk;

use std::fmt;
use std::net::SocketAddr;

pub use browser::{Answer, Browser, Http};
pub use form::Form;
pub use jar::Jar;
pub use tale::{Step, tap};
pub use walk::walk;

use crate::bank::Ledger;

/// Where the story takes place.
pub struct Place {
    /// Where Envoy listens.
    pub envoy: SocketAddr,
    /// The bank's origin, `http://app.bank.localhost:8080`.
    pub app: String,
    /// The origin of Kratos and its pages, `http://ciam.bank.localhost:8080`.
    pub ciam: String,
    /// What reached the bank.
    pub ledger: Ledger,
    /// Whether this Kratos hides the sessions of enrolled people until their second factor
    /// (`session.whoami.required_aal: highest_available`).
    pub hides_enrolled: bool,
    /// The code an authenticator app with this key would show now.
    pub code: Box<dyn Fn(&str) -> String + Send + Sync>,
}

/// Somebody in the story.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Customer {
    /// What they log in with.
    pub email: String,
    /// Their password.
    pub password: String,
    /// The key of their authenticator app, in base 32, if they have one.
    pub totp_secret: Option<String>,
    /// Their backup codes.
    pub backup_codes: Vec<String>,
    /// What they have, in a few words.
    pub about: &'static str,
    /// Whether the phone with that app is gone.
    pub phone_lost: bool,
    /// The role that an admin gave them.
    pub role: Option<&'static str>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("envoy", &self.envoy)
            .field("app", &self.app)
            .finish_non_exhaustive()
    }
}
