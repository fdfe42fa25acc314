//! `stepgate schema`: the JSON Schema of the configuration, for editors.

use super::{Exit, speak::speak};
use crate::config::schema;

/// Prints the schema of a configuration, or that of a rule file.
pub(super) fn run(rules: bool) -> Exit {
    let schema = if rules {
        schema::rules()
    } else {
        schema::configuration()
    };
    speak(|out| {
        writeln!(out, "{schema:#}")?;
        Ok(Exit::Done)
    })
}
