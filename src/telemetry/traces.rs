//! OpenTelemetry traces: a span a check, in the caller's trace, and below it a span for each call to Kratos.
//!
//! They are on where the environment names a collector (`OTEL_EXPORTER_OTLP_ENDPOINT`), and cost one branch a check where
//! it doesn't. Spans are sent in batches by a thread of their own, so no check ever waits for a collector; what a full queue
//! has no place for is dropped. No span holds an identity, a path, a query, a cookie or a token.

mod caller;
mod collector;

use std::{sync::OnceLock, time::Duration};

use opentelemetry::{
    Context, KeyValue,
    context::FutureExt,
    trace::{Span as _, SpanKind, Status, TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span};

use super::{
    log,
    metrics::{Call, Outcome},
};
use crate::domain::request::Facts;

/// The longest that the end of the process is held up for spans that still wait.
const LAST_WAIT: Duration = Duration::from_secs(2);

const AAL: &str = "stepgate.aal";
const CLIENT: &str = "stepgate.client";
const DECISION: &str = "stepgate.decision";
const DOOR: &str = "stepgate.door";
const HOST: &str = "server.address";
const KRATOS: &str = "stepgate.kratos";
const METHOD: &str = "http.request.method";
const OUTCOME: &str = "stepgate.outcome";
const REASON: &str = "stepgate.reason";
const RULE: &str = "stepgate.rule";
const STATUS: &str = "http.response.status_code";

static TRACES: OnceLock<Traces> = OnceLock::new();

#[derive(Debug)]
struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// Starts to make spans where the environment names a collector. Call it outside of a runtime, once the log is there: what
/// is wrong with the variables is told there, and never stops the process.
pub fn start() {
    match collector::provider() {
        Ok(Some(provider)) => {
            let tracer = provider.tracer("stepgate");
            // A second call changes nothing.
            let _ = TRACES.set(Traces { provider, tracer });
        }
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "traces stay off"),
    }
}

/// Sends the spans that still wait, for no longer than two seconds. Call it outside of a runtime.
pub fn flush() {
    if let Some(traces) = TRACES.get() {
        // It fails where the collector can't be had, which the log tells already.
        let _ = traces.provider.shutdown_with_timeout(LAST_WAIT);
    }
}

/// Whether spans are made, so that it matters whose trace a check is part of.
#[must_use]
pub fn are_on() -> bool {
    TRACES.get().is_some()
}

/// The span of a check; nothing where traces are off. It ends when it is dropped, if not before.
#[derive(Debug)]
pub struct CheckSpan(Option<Box<Span>>);

/// The span of a call to Kratos.
#[derive(Debug)]
pub struct CallSpan(Option<Box<Span>>);

/// Begins a check's span.
#[must_use]
pub fn check(facts: &Facts) -> CheckSpan {
    CheckSpan(TRACES.get().map(|traces| {
        let span = traces.tracer.span_builder("stepgate.check");
        let span = span.with_kind(SpanKind::Server);
        let caller = caller::of(facts);
        Box::new(traces.tracer.build_with_context(span, &caller))
    }))
}

impl CheckSpan {
    /// Asks something on the check's behalf: the calls to Kratos on the way are below its span.
    pub fn around<F: Future>(&self, asking: F) -> impl Future<Output = F::Output> {
        asking.with_context(self.context())
    }

    fn context(&self) -> Context {
        let span = self.0.as_ref();
        span.map_or_else(Context::new, |span| {
            Context::new().with_remote_span_context(span.span_context().clone())
        })
    }

    /// Ends it with what the check came to.
    pub fn end(self, check: &log::Check<'_>) {
        let Some(mut span) = self.0.filter(|span| span.is_recording()) else {
            return;
        };
        let words = [
            (METHOD, check.method),
            (HOST, check.host),
            (DOOR, check.door),
            (RULE, check.rule_id),
            (DECISION, check.decision),
            (REASON, check.reason_id),
            (CLIENT, check.client),
            (AAL, check.aal),
        ];
        let known = words.into_iter().filter(|(_, word)| !word.is_empty());
        span.set_attributes(known.map(|(key, word)| KeyValue::new(key, word.to_owned())));
        if check.decision == UNAVAILABLE {
            span.set_status(Status::error(check.reason_id));
        }
        span.end();
    }
}

/// The one decision that is an error of the server; all others are what it is for.
const UNAVAILABLE: &str = "unavailable";

/// Begins the span of a call to the Kratos of this name, below whatever it is made for.
#[must_use]
pub fn call(call: Call, kratos: &str) -> CallSpan {
    CallSpan(TRACES.get().map(|traces| {
        let attributes = [
            KeyValue::new(METHOD, "GET"),
            KeyValue::new(KRATOS, kratos.to_owned()),
        ];
        let span = traces.tracer.span_builder(name(call));
        let span = span.with_kind(SpanKind::Client).with_attributes(attributes);
        Box::new(traces.tracer.build_with_context(span, &Context::current()))
    }))
}

impl CallSpan {
    /// Ends it with what came of the call.
    pub fn end(self, outcome: Outcome) {
        let Some(mut span) = self.0 else {
            return;
        };
        span.set_attribute(KeyValue::new(OUTCOME, outcome.as_str()));
        if let Outcome::Answered(status) = outcome {
            span.set_attribute(KeyValue::new(STATUS, i64::from(status)));
        }
        if !matches!(outcome, Outcome::Answered(..500)) {
            span.set_status(Status::error(outcome.as_str()));
        }
        span.end();
    }
}

/// What runs in a task of its own is still done for whom it is begun.
pub fn carried<F: Future>(task: F) -> impl Future<Output = F::Output> {
    task.with_current_context()
}

fn name(call: Call) -> &'static str {
    match call {
        Call::Whoami => "kratos.whoami",
        Call::Verify => "kratos.verify",
        Call::Enrolment => "kratos.enrolment",
        Call::Health => "kratos.health",
    }
}
