//! What a check leaves behind.

use std::{borrow::Cow, time::Duration};

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
    let lifted = decision.lifted();
    let line = log::Check {
        door,
        method: request.map_or("", |request| request.method.as_str()),
        host: request.map_or("", |request| request.authority.host.as_str()),
        path: &request
            .map(|request| String::from_utf8_lossy(request.path.whole()))
            .unwrap_or_default(),
        rule_id: check.rule.map_or("", |rule| &rule.id),
        decision: lifted.map_or(decision.as_str(), |verdict| verdict.decision),
        granted: matches!(decision, Decision::Allow(_)),
        reason_id: decision.reason().as_str(),
        lifted: lifted.map(|verdict| verdict.reason.as_str()),
        client: check.client().as_str(),
        aal: session.map_or("", |session| session.aal.as_str()),
        subject: session.map_or("", |session| session.subject.as_str()),
        request_id: &check.request_id,
        detail: &detail(check, decision),
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
    match decision.challenge() {
        Decision::StepUp(_) => Some(Event::StepUpRequired),
        Decision::Enrol => Some(Event::EnrolmentRequired),
        Decision::Allow(_) if is_step_up_completed => Some(Event::StepUpCompleted),
        _ => None,
    }
}

/// What was wrong with a request that can't be judged, or with a form that is not kept; none of their bytes are in it.
fn detail(check: &Check<'_>, decision: &Decision) -> Cow<'static, str> {
    match (decision, check.not_kept) {
        (Decision::Malformed(malformed), _) => malformed.to_string().into(),
        (_, Some(why)) => format!("form_not_kept: {}", why.as_str()).into(),
        _ => "".into(),
    }
}
