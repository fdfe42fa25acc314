//! Where a row notes what it saw, next to what it wanted.

use serde_json::Value;

use super::{Error, Outcome};

/// One thing that was answered otherwise than the contract says.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// What was looked at.
    pub what: String,
    /// What the contract says.
    pub want: Value,
    /// What was answered.
    pub got: Value,
}

/// The differences of one row.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    differences: Vec<Difference>,
}

impl Sheet {
    /// Notes a difference unless both are equal.
    pub(super) fn same(
        &mut self,
        what: impl Into<String>,
        got: impl Into<Value>,
        want: impl Into<Value>,
    ) {
        let (got, want) = (got.into(), want.into());
        if got != want {
            self.differences.push(Difference {
                what: what.into(),
                want,
                got,
            });
        }
    }

    /// Notes a difference unless `holds`.
    pub(super) fn holds(&mut self, what: impl Into<String>, holds: bool) {
        self.same(what, holds, true);
    }

    /// Notes a difference unless `got` starts with `start`.
    pub(super) fn starts(&mut self, what: impl Into<String>, got: Option<&str>, start: &str) {
        if !got.is_some_and(|text| text.starts_with(start)) {
            let want = format!("{start}…").into();
            self.differences.push(Difference {
                what: what.into(),
                want,
                got: got.into(),
            });
        }
    }

    /// Notes that the row could not be asked to its end.
    pub(super) fn broken(&mut self, error: &Error) {
        let mut told = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            told = format!("{told}: {inner}");
            cause = inner.source();
        }
        let (want, got) = (Value::Null, told.into());
        self.differences.push(Difference {
            what: "the row can be asked".to_owned(),
            want,
            got,
        });
    }

    /// What the row came to.
    pub(super) fn outcome(self) -> Outcome {
        if self.differences.is_empty() {
            Outcome::Passed
        } else {
            Outcome::Differs(self.differences)
        }
    }
}
