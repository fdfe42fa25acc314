//! Stepgate's last decisions in words, from the lines of its own log. Those hold no cookie, token, query or trait.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// How much of the log's end is read.
const TAIL: u64 = 48 * 1024;
/// What the first page asks for by itself is not news.
const QUIET: [&str; 5] = [
    "/olympus.css",
    "/olympus.js",
    "/backstage/decisions",
    "/backstage/people",
    "/me",
];

/// The log of a running Stepgate.
#[derive(Debug, Clone)]
pub struct Decisions {
    log: PathBuf,
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// In words: `POST /transfer · rule transfer · AAL1, second factor needed · sent to ciam`.
    pub words: String,
    /// Whether the request passed.
    pub granted: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    method: String,
    host: String,
    path: String,
    rule_id: String,
    decision: String,
    granted: bool,
    reason_id: String,
    client: String,
    aal: String,
}

impl Decisions {
    /// Reads the log at `log`.
    #[must_use]
    pub fn new(log: &Path) -> Self {
        Self {
            log: log.to_owned(),
        }
    }

    /// The last `count`, newest first; none where the log can't be read.
    #[must_use]
    pub fn last(&self, count: usize) -> Vec<Told> {
        let text = tail(&self.log).unwrap_or_default();
        let lines = text
            .lines()
            .rev()
            .filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let news =
            lines.filter(|line| !line.decision.is_empty() && !QUIET.contains(&line.path.as_str()));
        news.take(count).map(|line| told(&line)).collect()
    }
}

fn tail(log: &Path) -> std::io::Result<String> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn told(line: &Line) -> Told {
    let place = line.host.split('.').next().unwrap_or_default();
    // The root is logged as no path at all.
    let path = if line.path.is_empty() {
        "/"
    } else {
        &line.path
    };
    let level = if line.aal.is_empty() {
        String::new()
    } else {
        format!("{}, ", line.aal.to_uppercase())
    };
    let words = format!(
        "{} {place}{} · rule {} · {level}{} · {}",
        line.method,
        path,
        line.rule_id,
        why(&line.reason_id),
        outcome(line)
    );
    Told {
        words,
        granted: line.granted,
    }
}

/// The reason's word as a person says it.
fn why(reason: &str) -> &str {
    match reason {
        "open" => "nobody is asked",
        "preflight" => "a browser asks ahead",
        "session_ok" => "that is enough",
        "session_inactive" => "nobody is signed in",
        "session_aal2_required" => "second factor needed",
        "session_aal2_enrolment_required" => "has no second factor yet",
        "session_refresh_required" => "second factor too old",
        "identity_not_permitted" => "not this person's to do",
        "step_up_loop" => "sent round in circles",
        "kratos_unavailable" => "Kratos can't say",
        other => other,
    }
}

/// What was done about it. Pages are sent on, all else is told.
fn outcome(line: &Line) -> String {
    let kratos = if line.host.contains(".corp.") {
        "iam"
    } else {
        "ciam"
    };
    match line.decision.as_str() {
        "allow" => "let through".to_owned(),
        "login" | "step_up" | "enrol"
            if line.client == "page" && line.reason_id != "step_up_loop" =>
        {
            format!("sent to {kratos}")
        }
        "login" | "step_up" | "enrol" => format!("told, with the way to {kratos}"),
        "unavailable" => "asked to try again".to_owned(),
        _ => "refused".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(lines: &[&str]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), lines.join("\n")).unwrap();
        file
    }

    const STEP_UP: &str = r#"{"method":"POST","host":"app.bank.localhost","path":"/transfer","rule_id":"transfer","decision":"step_up","granted":false,"reason_id":"session_aal2_required","client":"page","aal":"aal1"}"#;

    #[test]
    fn a_line_is_told_in_words() {
        let log = log(&[
            "started",
            STEP_UP,
            r#"{"level":"INFO","message":"no check"}"#,
        ]);
        let told = Decisions::new(log.path()).last(5);
        let words: Vec<_> = told.iter().map(|told| told.words.as_str()).collect();
        assert_eq!(
            words,
            ["POST app/transfer · rule transfer · AAL1, second factor needed · sent to ciam"]
        );
    }

    #[test]
    fn the_pages_own_questions_are_no_news() {
        let quiet = STEP_UP.replace("/transfer", "/me");
        let log = log(&[&quiet]);
        assert_eq!(Decisions::new(log.path()).last(5), []);
    }

    #[test]
    fn a_log_that_is_not_there_has_none() {
        assert_eq!(Decisions::new(Path::new("nowhere")).last(5), []);
    }
}
