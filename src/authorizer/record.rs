//! What a check leaves behind.

use std::time::Duration;

use super::check::Check;
use crate::{
    domain::decision::Decision,
    telemetry::{
        log::{self, Event},
        metrics,
        traces::CheckSpan,
    },
};

/// Writes the check's line, and the audit line of what it means for a second factor; counts it and ends its span.
pub(super) fn record(
    door: &'static str,
    check: &Check<'_>,
    decision: &Decision,
    duration: Duration,
    span: CheckSpan,
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
        cache: check.memory.as_str(),
    };
    log::check(&line);
    metrics::check(&line);
    span.end(&line);
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
