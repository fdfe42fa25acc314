//! What a check leaves behind, and the id that ties it to what the client saw.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::check::Check;
use crate::{
    domain::{decision::Decision, headers::Headers},
    telemetry::log::{self, Event},
};

/// Longest request id that is taken over from a client.
const MAX_ID_BYTES: usize = 64;

/// Writes the check's line, and the audit line of what it means for a second factor.
pub(super) fn record(
    door: &'static str,
    check: &Check<'_>,
    decision: &Decision,
    duration: Duration,
) {
    let request = check.request.as_ref();
    let session = check.session.as_ref();
    let line = log::Check {
        door,
        method: request.map_or("", |request| request.method.as_str()),
        host: request.map_or("", |request| request.authority.host.as_str()),
        path: &request
            .map(|request| String::from_utf8_lossy(request.path.whole()))
            .unwrap_or_default(),
        rule_id: check.rule.map_or("", |rule| &rule.id),
        decision: decision.as_str(),
        granted: matches!(decision, Decision::Allow(_)),
        reason_id: decision.reason().as_str(),
        client: check.client().as_str(),
        aal: session.map_or("", |session| session.aal.as_str()),
        subject: session.map_or("", |session| &session.subject),
        request_id: &check.request_id,
        detail: &detail(decision),
        duration,
        kratos: check.waited,
    };
    log::check(&line);
    if let Some(event) = event(decision, check.is_step_up_completed) {
        log::audit(event, &line);
    }
}

/// What a decision means for a second factor.
fn event(decision: &Decision, is_step_up_completed: bool) -> Option<Event> {
    match decision {
        Decision::StepUp(_) => Some(Event::StepUpRequired),
        Decision::Enrol => Some(Event::EnrolmentRequired),
        Decision::Allow(_) if is_step_up_completed => Some(Event::StepUpCompleted),
        _ => None,
    }
}

/// What was wrong with a request that can't be judged; none of its bytes are in it.
fn detail(decision: &Decision) -> String {
    match decision {
        Decision::Malformed(malformed) => malformed.to_string(),
        _ => String::new(),
    }
}

/// The request's own id where it is a short token, else a new one.
pub(super) fn request_id(headers: &Headers) -> String {
    let is_token = |id: &&[u8]| {
        let is_plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
        !id.is_empty() && id.len() <= MAX_ID_BYTES && id.iter().all(is_plain)
    };
    let own = headers.first(b"x-request-id").filter(is_token);
    own.and_then(|id| std::str::from_utf8(id).ok())
        .map_or_else(new_id, str::to_owned)
}

/// Unlike any other: a counter under a key drawn at start.
fn new_id() -> String {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!(
        "{:016x}",
        KEY.hash_one(COUNT.fetch_add(1, Ordering::Relaxed))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_token_is_taken_over_and_nothing_else() {
        let id = |text: &str| request_id(&Headers::from_lines(&[("x-request-id", text)]));
        assert_eq!(id("170d3215-a101.4beb_x"), "170d3215-a101.4beb_x");
        for text in ["", "a b", "<script>", "a\"b", &"a".repeat(65)] {
            assert_eq!(id(text).len(), 16, "{text}");
        }
        assert_ne!(id(""), id(""));
    }
}
