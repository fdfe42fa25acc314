//! How a verb ended, as whoever started it is told.

use std::process::ExitCode;

/// How a verb ended. Usage errors are clap's, with code 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: it did what was asked.
    Done,
    /// 1: what was asked for was found not to hold.
    No,
    /// 64: the configuration is not sound.
    BadConfig,
    /// 70: something else went wrong.
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
