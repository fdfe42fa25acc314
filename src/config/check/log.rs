//! `log`: how much is told, and how a line looks.
//!
//! `LOG_LEVEL` and `LOG_FORMAT` win over the file, whose own words must be right all the same: elsewhere they count.

use std::ffi::OsStr;

use serde_saphyr::Location;
use tracing::Level;

use crate::{
    config::{
        fault::Collector,
        file::Log,
        given::{Given, LOG_FORMAT, LOG_LEVEL},
    },
    telemetry::log::{Format, Settings},
};

const LEVELS: [(&str, Level); 5] = [
    ("error", Level::ERROR),
    ("warn", Level::WARN),
    ("info", Level::INFO),
    ("debug", Level::DEBUG),
    ("trace", Level::TRACE),
];
const FORMATS: [(&str, Format); 2] = [("json", Format::Json), ("text", Format::Text)];

/// How the log is written: by the environment, else by the file.
pub(super) fn check(faults: &mut Collector, log: &Log, given: &Given) -> Settings {
    let default = Settings::default();
    let level = super::word(faults, "level", log.level.as_ref(), &LEVELS);
    let format = super::word(faults, "format", log.format.as_ref(), &FORMATS);
    let given_level = variable(faults, LOG_LEVEL, given.log_level.as_deref(), &LEVELS);
    let given_format = variable(faults, LOG_FORMAT, given.log_format.as_deref(), &FORMATS);
    Settings {
        level: given_level.or(level).unwrap_or(default.level),
        format: given_format.or(format).unwrap_or(default.format),
    }
}

/// The word in a variable, of these. An empty variable is none.
fn variable<T: Copy>(
    faults: &mut Collector,
    name: &str,
    given: Option<&OsStr>,
    words: &[(&str, T)],
) -> Option<T> {
    let text = given?.to_string_lossy();
    if text.is_empty() {
        return None;
    }
    let what = format_args!("{name}={text}");
    super::pick(faults, Location::UNKNOWN, what, &text, words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Faults, File, parse};

    const KRATOS: &str =
        "kratos: {c: {api_url: http://k, browser_url: http://b, origins: [http://a.test]}}";

    /// `log` under these variables.
    fn load(log: &str, level: Option<&str>, format: Option<&str>) -> Result<Settings, Faults> {
        let given = Given {
            log_level: level.map(Into::into),
            log_format: format.map(Into::into),
            ..Given::default()
        };
        let text = format!("{KRATOS}\ndefault: none\nlog: {{ {log} }}\n");
        let config = parse::<File>("s.yaml", &text)?.check_given("s.yaml", &given)?;
        Ok(config.log)
    }

    #[test]
    fn each_variable_wins_over_its_own_key_and_an_empty_one_is_none() {
        let written = "level: warn, format: text";
        for (log, given_level, given_format, wanted) in [
            ("", None, None, (Level::INFO, Format::Json)),
            (written, None, None, (Level::WARN, Format::Text)),
            (written, Some("debug"), None, (Level::DEBUG, Format::Text)),
            (written, None, Some("json"), (Level::WARN, Format::Json)),
            (
                "",
                Some("trace"),
                Some("text"),
                (Level::TRACE, Format::Text),
            ),
            (written, Some(""), Some(""), (Level::WARN, Format::Text)),
        ] {
            let (level, format) = wanted;
            let wanted = Settings { level, format };
            let found = load(log, given_level, given_format).unwrap();
            assert_eq!(found, wanted, "{log} {given_level:?} {given_format:?}");
        }
    }

    #[test]
    fn a_word_that_is_none_names_its_variable_and_the_words() {
        let faults = load("", Some("loud"), Some("xml")).unwrap_err();
        assert_eq!(
            faults.to_string(),
            "s.yaml: `LOG_LEVEL=loud` is none of `error`, `warn`, `info`, `debug`, `trace`
s.yaml: `LOG_FORMAT=xml` is none of `json`, `text`"
        );
        for level in ["INFO", " info", "info\n", "\u{fffd}"] {
            assert!(load("", Some(level), None).is_err(), "{level:?}");
        }
    }

    #[test]
    fn a_bad_word_of_the_file_is_a_fault_though_a_variable_wins() {
        let faults = load("level: loud", Some("debug"), None).unwrap_err();
        assert!(faults.to_string().starts_with("s.yaml:3:15: `level: loud`"));
    }
}
