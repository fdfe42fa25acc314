//! What the environment gives: it wins over the file.

use std::{env, ffi::OsString};

/// The variable that wins over `secret.file`.
pub(super) const SECRET: &str = "STEPGATE_SECRET";
/// The variable that wins over `log.level`.
pub(super) const LOG_LEVEL: &str = "LOG_LEVEL";
/// The variable that wins over `log.format`.
pub(super) const LOG_FORMAT: &str = "LOG_FORMAT";

/// The variables that win over a key of the file, each where it is set.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) secret: Option<OsString>,
    pub(super) log_level: Option<OsString>,
    pub(super) log_format: Option<OsString>,
}

impl Given {
    /// This process' own.
    pub(super) fn here() -> Self {
        Self {
            secret: env::var_os(SECRET),
            log_level: env::var_os(LOG_LEVEL),
            log_format: env::var_os(LOG_FORMAT),
        }
    }
}
