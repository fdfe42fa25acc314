//! The log: one line a refusal, in JSON or text; an allow is a line at `debug`.

mod json;
mod lines;

use std::{io, sync::OnceLock, time::Duration};

use tracing::Level;
use tracing_subscriber::EnvFilter;

use super::clock::Clock;
use json::Json;
use lines::Lines;

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// A JSON object a line.
    #[default]
    Json,
    /// For a person at a terminal.
    Text,
}

/// The configuration's `log`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The least level that is written.
    pub level: Level,
    /// How lines are written.
    pub format: Format,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            level: Level::INFO,
            format: Format::Json,
        }
    }
}

static LINES: OnceLock<Lines> = OnceLock::new();

/// Starts writing to standard error. A second call in one process changes nothing.
///
/// # Errors
/// Where a thread can't be had.
pub fn init(settings: Settings) -> io::Result<()> {
    let started = Lines::start()?;
    let lines = LINES.get_or_init(|| started);
    // The audit's lines are no matter of the level, and of a collector's failures `traces` tells now and then.
    let (others, own) = (Level::WARN, settings.level);
    let directives = format!("{others},stepgate={own},{AUDIT}=info,opentelemetry-otlp=off");
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(directives))
        .with_writer(lines.clone());
    // It fails only where a subscriber is set already, as in tests.
    let _ = match settings.format {
        Format::Json => {
            let clock = Clock::system();
            subscriber.event_format(Json { clock }).try_init()
        }
        Format::Text => subscriber.with_target(false).try_init(),
    };
    Ok(())
}

/// Writes what was logged and still waits: the last thing that a process does.
pub fn flush() {
    if let Some(lines) = LINES.get() {
        lines.flush();
    }
}

/// What is marked so in the log is a second factor's story, for whoever audits it.
const AUDIT: &str = "audit";

/// What is marked so in the log passed because its rule is in shadow.
const SHADOW: &str = "shadow";

/// What an audit line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A request was refused for want of a second factor, or of a fresh one.
    StepUpRequired,
    /// A page passed that had been sent to step up.
    StepUpCompleted,
    /// A request was refused because no second factor that counts is set up.
    EnrolmentRequired,
}

impl Event {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StepUpRequired => "auth.aal2_stepup_required",
            Self::StepUpCompleted => "auth.aal2_stepup_completed",
            Self::EnrolmentRequired => "mfa.enrollment_required",
        }
    }
}

/// What one check leaves in the log.
#[derive(Clone, Copy, Debug)]
pub struct Check<'a> {
    /// The door: `grpc` or `http`.
    pub door: &'static str,
    /// The request's method, where it is one.
    pub method: &'a str,
    /// The request's host, where it is one.
    pub host: &'a str,
    /// The path as rules match it, without its query.
    pub path: &'a str,
    /// The rule's id.
    pub rule_id: &'a str,
    /// The decision's word; where a rule in shadow lets the request pass, what it would have been.
    pub decision: &'static str,
    /// Whether the request passes.
    pub granted: bool,
    /// The reason's word.
    pub reason_id: &'static str,
    /// Where a rule in shadow lets the request pass: why it would have been refused.
    pub lifted: Option<&'static str>,
    /// The client's kind.
    pub client: &'static str,
    /// The session's level, where there is a session.
    pub aal: &'static str,
    /// The Kratos identity's id, where there is a session.
    pub subject: &'a str,
    /// The id that the client was told too.
    pub request_id: &'a str,
    /// What was wrong, where it needs words.
    pub detail: &'a str,
    /// How long the check took.
    pub duration: Duration,
    /// How much of it was spent waiting for Kratos.
    pub kratos: Duration,
    /// What memory gave: `hit`, `miss`, or nothing where it was not looked into.
    pub cache: &'static str,
}

/// Writes the line: a refusal at `info`, and so what would be one but for a rule in shadow; an allow at `debug`.
pub fn check(check: &Check<'_>) {
    if check.granted && check.lifted.is_none() {
        line!(DEBUG, check);
    } else {
        line!(INFO, check);
    }
}

/// Writes an audit line beside the check's own.
pub fn audit(event: Event, check: &Check<'_>) {
    tracing::info!(
        target: AUDIT,
        event = event.as_str(),
        "type" = AUDIT,
        door = check.door,
        method = check.method,
        host = check.host,
        path = check.path,
        rule_id = check.rule_id,
        client = check.client,
        aal = check.aal,
        subject = check.subject,
        request_id = check.request_id,
    );
}

macro_rules! line {
    ($level:ident, $check:ident) => {
        tracing::event!(
            Level::$level,
            door = $check.door,
            method = $check.method,
            host = $check.host,
            path = $check.path,
            rule_id = $check.rule_id,
            decision = $check.decision,
            granted = $check.granted,
            reason_id = $check.reason_id,
            mode = $check.lifted.map(|_| SHADOW),
            lifted = $check.lifted,
            client = $check.client,
            aal = $check.aal,
            subject = $check.subject,
            request_id = $check.request_id,
            detail = $check.detail,
            duration_us = micros($check.duration),
            kratos_us = micros($check.kratos),
            cache = $check.cache,
            "check"
        )
    };
}
use line;

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
