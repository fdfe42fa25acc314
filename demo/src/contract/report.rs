//! What came of the list, for people and for TAP readers.

use std::fmt;

use super::{Difference, RequiredAal, Row, Target};

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
        let required_aal = match target.required_aal {
            RequiredAal::Aal1 => "aal1",
            RequiredAal::HighestAvailable => "highest_available",
        };
        let asked = format!("{} required_aal={required_aal}", target.base());
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_text_is_tap_with_what_differs_below_its_row() {
        let row = |id, outcome| RowReport {
            id,
            title: "a fact",
            outcome,
        };
        let difference = Difference {
            what: "status".to_owned(),
            want: json!(401),
            got: json!(200),
        };
        let report = Report {
            asked: "http://kratos.example.test required_aal=aal1".to_owned(),
            rows: vec![
                row("K-01", Outcome::Passed),
                row("K-02", Outcome::Differs(vec![difference])),
                row("K-03", Outcome::Skipped("why")),
            ],
        };
        assert!(!report.is_green());
        let lines = [
            "TAP version 14",
            "# http://kratos.example.test required_aal=aal1",
            "1..3",
            "ok 1 - K-01 a fact",
            "not ok 2 - K-02 a fact",
            "  # status",
            "  #   want 401",
            "  #   got  200",
            "ok 3 - K-03 a fact # SKIP why",
            "# 1 as the contract says, 1 differ, 1 skipped",
        ];
        assert_eq!(report.to_string(), lines.join("\n"));
    }
}
