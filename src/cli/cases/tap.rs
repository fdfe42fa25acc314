//! The result of cases as TAP 14: a line a case, and under a miss what was wanted and what was heard.

use std::io::{self, Write};

use super::{Heard, Miss, Suite};

/// Answers every case and writes the results; whether all are as wanted.
///
/// # Errors
/// The output can't be written.
pub fn write(out: &mut impl Write, suites: &[Suite]) -> io::Result<bool> {
    let cases = || {
        suites
            .iter()
            .flat_map(|suite| suite.cases.iter().map(move |case| (suite, case)))
    };
    writeln!(out, "TAP version 14\n1..{}", cases().count())?;
    let mut all_hold = true;
    for (number, (suite, case)) in (1_u32..).zip(cases()) {
        let heard = suite.answer(case);
        let misses = case.expect.misses(&heard);
        let name = escape(&case.name);
        if misses.is_empty() {
            writeln!(out, "ok {number} - {name}")?;
        } else {
            all_hold = false;
            writeln!(out, "not ok {number} - {name}")?;
            diagnose(
                out,
                &format!("{}:{}", suite.file, case.line),
                &misses,
                &heard,
            )?;
        }
    }
    Ok(all_hold)
}

/// `#` starts a directive in TAP, and a line ends at its end.
fn escape(name: &str) -> String {
    name.replace('\\', "\\\\")
        .replace('#', "\\#")
        .replace(['\n', '\r'], " ")
}

fn diagnose(out: &mut impl Write, at: &str, misses: &[Miss], heard: &Heard) -> io::Result<()> {
    writeln!(out, "  ---\n  at: {}\n  want:", quote(at))?;
    for miss in misses {
        writeln!(out, "    {}: {}", miss.key, value(&miss.want))?;
    }
    writeln!(out, "  got:")?;
    for miss in misses {
        writeln!(out, "    {}: {}", miss.key, value(&miss.got))?;
    }
    let words =
        [&heard.decision, &heard.reason, &heard.rule].map(|word| word.as_deref().unwrap_or(""));
    let [decision, reason, rule] = words.map(value);
    writeln!(
        out,
        "  answer: {{ status: {}, decision: {decision}, reason: {reason}, rule: {rule} }}\n  ...",
        heard.status
    )
}

/// A text in YAML; `null` for none.
fn value(text: &str) -> String {
    if text.is_empty() {
        "null".to_owned()
    } else {
        quote(text)
    }
}

/// JSON's strings are YAML's.
fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
