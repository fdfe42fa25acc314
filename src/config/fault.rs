//! What is wrong with a configuration, where, and how to mend it.

use std::fmt;

use serde_saphyr::Location;

/// One fault. Prints as `stepgate.yaml:14: …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub file: Box<str>,
    /// Line and column, from 1; none where the fault is the file's.
    pub place: Option<(u64, u64)>,
    /// What is wrong and how to mend it.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((line, column)) => write!(f, "{}:{line}:{column}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

/// Every fault that one reading found, at least one, in the order of their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// A fault of a file as a whole.
    #[must_use]
    pub fn of_file(file: &str, message: String) -> Self {
        Self(vec![Fault {
            file: file.into(),
            place: None,
            message,
        }])
    }

    /// The faults, each by itself.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(Fault::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Faults {}

impl From<Collector> for Faults {
    fn from(mut collector: Collector) -> Self {
        collector.faults.sort_by_key(|fault| fault.place);
        Self(collector.faults)
    }
}

/// Collects faults while a file is checked.
#[derive(Debug)]
pub struct Collector {
    file: Box<str>,
    faults: Vec<Fault>,
}

impl Collector {
    /// None found yet in this file.
    #[must_use]
    pub fn new(file: &str) -> Self {
        Self {
            file: file.into(),
            faults: Vec::new(),
        }
    }

    /// Notes a fault.
    pub fn add(&mut self, at: Location, message: impl fmt::Display) {
        let place = (at != Location::UNKNOWN).then(|| (at.line(), at.column()));
        self.faults.push(Fault {
            file: self.file.clone(),
            place,
            message: message.to_string(),
        });
    }

    /// The value, or `None` after noting why there is none; `what` names it and its text.
    pub fn ok<T, E: fmt::Display>(
        &mut self,
        at: Location,
        what: impl fmt::Display,
        result: Result<T, E>,
    ) -> Option<T> {
        result
            .map_err(|error| self.add(at, format_args!("{what}: {error}")))
            .ok()
    }

    /// The value, or `None` after noting the faults that an earlier step found.
    pub fn absorb<T>(&mut self, result: Result<T, Faults>) -> Option<T> {
        result.map_err(|faults| self.faults.extend(faults.0)).ok()
    }

    /// The value that no fault stands against.
    ///
    /// # Errors
    /// The faults that were found.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Faults> {
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(self.into()),
        }
    }
}
