//! Whose trace a check is part of.

use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;

use crate::domain::{headers::Headers, request::Facts};

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
/// Longest `tracestate` that is taken over, in bytes: W3C Trace Context §3.3.1.5 asks for no more.
const MAX_STATE_BYTES: usize = 512;

/// The span that a check is made in: the one that the proxy tells of beside the check, since that is what asks; else the
/// one that the request was sent in. None where neither is written as W3C Trace Context wants it.
pub(super) fn of(facts: &Facts) -> Context {
    let beside = Carrier::find(&facts.trace);
    let carrier = beside.or_else(|| Carrier::find(&facts.headers));
    carrier.map_or_else(Context::new, |carrier| {
        TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier)
    })
}

/// A `traceparent` and what comes with it.
struct Carrier<'a> {
    parent: &'a str,
    state: String,
}

impl<'a> Carrier<'a> {
    /// The one `traceparent` among these lines.
    fn find(lines: &'a Headers) -> Option<Self> {
        let mut parents = lines.all(TRACEPARENT.as_bytes());
        let parent = parents.next().filter(|_| parents.next().is_none())?;
        let parent = std::str::from_utf8(parent).ok()?;
        is_well_formed(parent).then(|| Self {
            parent,
            state: state(lines),
        })
    }
}

impl Extractor for Carrier<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            TRACEPARENT => Some(self.parent),
            TRACESTATE => Some(&self.state),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT, TRACESTATE]
    }
}

/// Four fields of lower-case hex, each as long as it must be; what they mean is the library's to say. A version to come may
/// have more.
fn is_well_formed(parent: &str) -> bool {
    let mut fields = parent.split('-');
    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    [2, 32, 16, 2].into_iter().all(|length| {
        fields
            .next()
            .is_some_and(|field| field.len() == length && field.bytes().all(is_hex))
    })
}

/// What vendors keep beside it, its lines joined; nothing where that is too long or no text.
fn state(lines: &Headers) -> String {
    let lines: Vec<&[u8]> = lines.all(TRACESTATE.as_bytes()).collect();
    let state = String::from_utf8(lines.join(b",".as_slice())).unwrap_or_default();
    if state.len() > MAX_STATE_BYTES {
        return String::new();
    }
    state
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TraceContextExt;

    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const OTHER: &str = "00-11111111111111111111111111111111-2222222222222222-00";

    /// Trace, span, whether it is sampled, and the state.
    fn told(trace: &[(&str, &str)], headers: &[(&str, &str)]) -> Option<(String, String, bool)> {
        let facts = Facts {
            trace: Headers::from_lines(trace),
            headers: Headers::from_lines(headers),
            ..Facts::default()
        };
        let context = of(&facts);
        let span = context.span();
        let span = span.span_context();
        span.is_valid().then(|| {
            (
                format!("{}-{}", span.trace_id(), span.span_id()),
                span.trace_state().header(),
                span.is_sampled(),
            )
        })
    }

    #[test]
    fn what_is_told_beside_the_check_wins_over_the_requests_own() {
        let own = told(&[], &[("Traceparent", PARENT), ("tracestate", "a=1")]);
        let id = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
        assert_eq!(own, Some((id.to_owned(), "a=1".to_owned(), true)));
        let both = told(
            &[("traceparent", OTHER), ("tracestate", "b=2")],
            &[("traceparent", PARENT), ("tracestate", "a=1")],
        );
        let id = "11111111111111111111111111111111-2222222222222222";
        assert_eq!(both, Some((id.to_owned(), "b=2".to_owned(), false)));
    }

    #[test]
    fn a_malformed_one_is_none() {
        for parent in [
            "",
            "00",
            "00-1-2-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
            &format!("{PARENT},{PARENT}"),
        ] {
            assert_eq!(told(&[], &[("traceparent", parent)]), None, "{parent}");
        }
        assert_eq!(
            told(&[], &[("traceparent", PARENT), ("traceparent", PARENT)]),
            None,
            "sent twice"
        );
        let later = PARENT.replacen("00-", "01-", 1) + "-more";
        assert!(told(&[], &[("traceparent", &later)]).is_some());
    }

    #[test]
    fn a_malformed_one_beside_the_check_leaves_the_requests_own() {
        let told = told(&[("traceparent", "x")], &[("traceparent", PARENT)]);
        assert!(told.is_some());
    }

    #[test]
    fn what_vendors_keep_is_taken_over_up_to_a_length() {
        let state = |lines: &[&str]| {
            let lines = lines.iter().map(|line| ("tracestate", *line));
            let lines: Vec<_> = [("traceparent", PARENT)].into_iter().chain(lines).collect();
            told(&[], &lines).map(|(_, state, _)| state).unwrap()
        };
        assert_eq!(state(&["a=1", "b=2"]), "a=1,b=2");
        assert_eq!(state(&["nonsense"]), "");
        assert_eq!(state(&[&format!("a={}", "x".repeat(600))]), "");
    }
}
