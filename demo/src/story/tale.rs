use std::fmt::Display;

/// One step of the story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The fact it states.
    pub name: String,
    /// What was found instead, in words, when it didn't hold.
    pub miss: Option<String>,
}

/// The steps as TAP: a line each, and the plan at the end.
#[must_use]
pub fn tap(steps: &[Step]) -> String {
    let line = |(number, step): (usize, &Step)| match &step.miss {
        None => format!("ok {number} - {}\n", step.name),
        Some(miss) => format!(
            "not ok {number} - {}\n  # {}\n",
            step.name,
            miss.replace('\n', "\n  # ")
        ),
    };
    let lines: String = (1..).zip(steps).map(line).collect();
    format!("{lines}1..{}\n", steps.len())
}

/// The story as it is told.
#[derive(Debug, Default)]
pub(super) struct Tale {
    pub(super) steps: Vec<Step>,
}

/// A step didn't hold, so this part of the story ends; the step itself is in the tale.
#[derive(Debug)]
pub(super) struct End;

impl Tale {
    /// Tells a step, and passes its outcome on.
    pub(super) fn step<T>(
        &mut self,
        name: impl Into<String>,
        outcome: Result<T, String>,
    ) -> Result<T, End> {
        let (miss, passed) = match outcome {
            Ok(value) => (None, Ok(value)),
            Err(miss) => (Some(miss), Err(End)),
        };
        self.steps.push(Step {
            name: name.into(),
            miss,
        });
        passed
    }
}

/// Holds `got` against `want`.
pub(super) fn same<T: PartialEq + Display + ?Sized>(
    what: &str,
    got: &T,
    want: &T,
) -> Result<(), String> {
    if got == want {
        Ok(())
    } else {
        Err(format!("{what}: want {want}\n{what}:  got {got}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_miss_ends_the_part_and_is_told_in_tap() {
        let mut tale = Tale::default();
        assert!(tale.step("one is one", same("number", &1, &1)).is_ok());
        assert!(tale.step("one is two", same("number", &1, &2)).is_err());
        assert_eq!(
            tap(&tale.steps),
            "ok 1 - one is one\nnot ok 2 - one is two\n  # number: want 2\n  # number:  got 1\n1..2\n"
        );
    }
}
