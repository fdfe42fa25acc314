//! The faults, and what becomes of a check under each.

use std::{fmt, time::Duration};

use crate::{
    scripted::{Script, answer},
    trouble::strange::AAL2,
};

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n";

/// What Kratos does to every question.
pub(super) struct Fault {
    pub(super) name: &'static str,
    pub(super) script: Script,
    pub(super) target: &'static str,
    pub(super) outcome: Outcome,
}

/// What a client hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) status: i32,
    pub(super) reason: &'static str,
    pub(super) retry_after: &'static str,
}

impl Outcome {
    pub(super) const UNAVAILABLE: Self = Self {
        status: 503,
        reason: "kratos_unavailable",
        retry_after: "1",
    };

    fn challenge(reason: &'static str) -> Self {
        Self {
            status: 303,
            reason,
            retry_after: "",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.reason)?;
        if self.retry_after.is_empty() {
            return Ok(());
        }
        write!(f, ", Retry-After: {}", self.retry_after)
    }
}

impl Fault {
    /// Its line of the table.
    pub(super) fn line(&self, checks: usize, longest: Duration) -> String {
        format!("{} | {} | {checks} | {longest:?}", self.name, self.outcome)
    }
}

pub(super) fn faults() -> Vec<Fault> {
    broken().into_iter().chain(odd()).chain(lying()).collect()
}

fn unavailable(name: &'static str, script: Script) -> Fault {
    Fault {
        name,
        script,
        target: "/transfer",
        outcome: Outcome::UNAVAILABLE,
    }
}

/// Answers that don't arrive whole, or never end.
fn broken() -> Vec<Fault> {
    let begun = format!("{HEAD}{{\"id\":");
    let head = format!("HTTP/1.1 200 OK\r\nx-slow: {}", "a".repeat(4096));
    let slow = format!("{{\"id\":\"{}", "a".repeat(4096));
    vec![
        unavailable("reset before an answer", Script::Breaks(String::new())),
        unavailable("reset in the body", Script::Breaks(begun.clone())),
        unavailable("silence", Script::Stalls(String::new())),
        unavailable("slow headers", Script::Drips(String::new(), head)),
        unavailable("slow body", Script::Drips(HEAD.to_owned(), slow)),
        unavailable("a body that stops half-way", Script::Stalls(begun)),
        unavailable("endless body", Script::Endless("HTTP/1.1 200 OK\r\n\r\n")),
        unavailable(
            "a body of 1 GiB",
            Script::Endless("HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n"),
        ),
        unavailable("endless header", Script::Endless("HTTP/1.1 200 OK\r\nx: ")),
    ]
}

/// Whole answers that are no session.
fn odd() -> Vec<Fault> {
    let elsewhere = "location: http://127.0.0.1:9/sessions/whoami\r\n";
    let throttled = Fault {
        outcome: Outcome {
            retry_after: "7",
            ..Outcome::UNAVAILABLE
        },
        ..unavailable("429", answer(429, "retry-after: 7\r\n", ""))
    };
    vec![
        unavailable(
            "JSON cut short",
            answer(200, "", AAL2.strip_suffix('}').unwrap()),
        ),
        unavailable("HTML", answer(200, "", "<html>Log in</html>")),
        unavailable("302", answer(302, elsewhere, AAL2)),
        unavailable("307", answer(307, elsewhere, AAL2)),
        throttled,
        unavailable("500", answer(500, "", AAL2)),
        unavailable("502", answer(502, "", "<html>")),
        unavailable("503", answer(503, "", "")),
    ]
}

/// Sessions that are none, or not what they seem.
fn lying() -> Vec<Fault> {
    let says = |from: &str, to: &str| answer(200, "", &AAL2.replace(from, to));
    let completed = "2026-01-01T00:00:00Z";
    vec![
        Fault {
            outcome: Outcome::challenge("session_inactive"),
            ..unavailable("`active: false`", says("true", "false"))
        },
        unavailable("unknown level", says("aal2\",\n", "aal3\",\n")),
        Fault {
            outcome: Outcome::challenge("session_inactive"),
            ..unavailable(
                "Kratos' clock behind: the session is over",
                says("2099-01-01T00:00:00Z", completed),
            )
        },
        Fault {
            target: "/recent",
            outcome: Outcome::challenge("session_refresh_required"),
            ..unavailable(
                "Kratos' clock ahead: a factor from tomorrow",
                says(completed, "2026-01-02T00:00:00Z"),
            )
        },
    ]
}
