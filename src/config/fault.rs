//! What is wrong with a configuration, where, and how to mend it.

use std::{fmt, sync::Arc};

use serde_saphyr::Location;

/// One fault. Prints as `stepgate.yaml:14:9: …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub file: Arc<str>,
    /// Line and column, from 1; none where the fault is the file's.
    pub place: Option<(u64, u64)>,
    /// What is wrong and how to mend it.
    pub message: String,
}

impl Fault {
    pub(super) fn new(file: &str, at: Location, message: String) -> Self {
        let place = (at != Location::UNKNOWN).then(|| (at.line(), at.column()));
        Self {
            file: file.into(),
            place,
            message,
        }
    }
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
    /// The faults, each by itself.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl From<Vec<Fault>> for Faults {
    fn from(faults: Vec<Fault>) -> Self {
        Self(faults)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(Fault::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Faults {}

/// Collects faults and warnings while files are checked, one after the other.
#[derive(Debug)]
pub struct Collector {
    file: Arc<str>,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
}

impl Collector {
    /// None found yet in this file.
    #[must_use]
    pub fn new(file: &str) -> Self {
        Self {
            file: file.into(),
            faults: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// From here on, places are in this file.
    pub fn enter(&mut self, file: &str) {
        if *self.file != *file {
            self.file = file.into();
        }
    }

    /// Notes a fault.
    pub fn add(&mut self, at: Location, message: impl fmt::Display) {
        self.faults
            .push(Fault::new(&self.file, at, message.to_string()));
    }

    /// Notes what is sound but hardly meant.
    pub fn warn(&mut self, at: Location, message: impl fmt::Display) {
        self.warnings
            .push(Fault::new(&self.file, at, message.to_string()));
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

    /// The value, or `None` after noting the faults that another reading found.
    pub fn absorb<T>(&mut self, result: Result<T, Faults>) -> Option<T> {
        result.map_err(|faults| self.faults.extend(faults.0)).ok()
    }

    /// Faults and warnings, each in the order of their places.
    pub(super) fn into_parts(mut self) -> (Vec<Fault>, Vec<Fault>) {
        self.sort();
        (self.faults, self.warnings)
    }

    fn sort(&mut self) {
        for found in [&mut self.faults, &mut self.warnings] {
            found.sort_by(|a, b| (&a.file, a.place).cmp(&(&b.file, b.place)));
        }
    }

    /// What was found with its warnings.
    ///
    /// # Errors
    /// The faults that stand against it, if any.
    pub fn finish<T>(mut self, value: Option<T>) -> Result<(T, Vec<Fault>), Faults> {
        self.sort();
        match value {
            Some(value) if self.faults.is_empty() => Ok((value, self.warnings)),
            _ => Err(Faults(self.faults)),
        }
    }
}
