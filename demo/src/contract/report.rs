//! What came of the list, for people and for TAP readers.

use std::fmt;

use super::{Difference, Row, Target};

/// What a row came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// All was answered as the contract says.
    Passed,
    /// These things were answered otherwise.
    Differs(Vec<Difference>),
    /// The row does not fit this Kratos, and why.
    Skipped(&'static str),
}

/// One row and what it came to.
#[derive(Clone, Debug)]
pub struct RowReport {
    /// The number in the table.
    pub id: &'static str,
    /// The fact in a few words.
    pub title: &'static str,
    /// What it came to.
    pub outcome: Outcome,
}

/// All rows and what they came to. Its text is TAP: a line a row, with the differences below it.
#[derive(Clone, Debug)]
pub struct Report {
    asked: String,
    rows: Vec<RowReport>,
}

impl Report {
    pub(super) fn new(target: &Target) -> Self {
        let asked = format!("{} required_aal={}", target.base(), target.required_aal);
        Self {
            asked,
            rows: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, row: &Row, outcome: Outcome) {
        self.rows.push(RowReport {
            id: row.id(),
            title: row.title(),
            outcome,
        });
    }

    /// The rows in the order asked.
    #[must_use]
    pub fn rows(&self) -> &[RowReport] {
        &self.rows
    }

    /// Whether no row differs. Skipped rows do not count.
    #[must_use]
    pub fn is_green(&self) -> bool {
        self.rows
            .iter()
            .all(|row| !matches!(row.outcome, Outcome::Differs(_)))
    }

    /// How many rows passed, differ and were skipped.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        let count =
            |test: fn(&Outcome) -> bool| self.rows.iter().filter(|row| test(&row.outcome)).count();
        (
            count(|outcome| matches!(outcome, Outcome::Passed)),
            count(|outcome| matches!(outcome, Outcome::Differs(_))),
            count(|outcome| matches!(outcome, Outcome::Skipped(_))),
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "TAP version 14\n# {}\n1..{}",
            self.asked,
            self.rows.len()
        )?;
        for (number, row) in (1_u32..).zip(&self.rows) {
            write_row(f, number, row)?;
        }
        let (passed, differ, skipped) = self.counts();
        write!(
            f,
            "# {passed} as the contract says, {differ} differ, {skipped} skipped"
        )
    }
}

fn write_row(f: &mut fmt::Formatter<'_>, number: u32, row: &RowReport) -> fmt::Result {
    let RowReport { id, title, outcome } = row;
    match outcome {
        Outcome::Passed => writeln!(f, "ok {number} - {id} {title}"),
        Outcome::Skipped(reason) => writeln!(f, "ok {number} - {id} {title} # SKIP {reason}"),
        Outcome::Differs(differences) => {
            writeln!(f, "not ok {number} - {id} {title}")?;
            differences
                .iter()
                .try_for_each(|Difference { what, want, got }| {
                    writeln!(f, "  # {what}\n  #   want {want}\n  #   got  {got}")
                })
        }
    }
}
