//! A line as one JSON object: `time`, `level`, `msg`, and then the fields as they were given.

use std::{
    error::Error,
    fmt::{self, Write},
};

use jiff::Timestamp;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use crate::telemetry::clock::Clock;

/// The field that tracing gives an event's text.
const MESSAGE: &str = "message";

/// Room for nearly every line.
const USUAL_BYTES: usize = 512;

/// Writes events as JSON.
#[derive(Debug)]
pub(super) struct Json {
    pub(super) clock: Clock,
}

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let time = Timestamp::try_from(self.clock.now()).unwrap_or_default();
        let level = event.metadata().level();
        let mut object = Object(String::with_capacity(USUAL_BYTES));
        write!(object.0, r#"{{"time":"{time:.6}","level":"{level}""#)?;
        event.record(&mut object);
        object.0.push_str("}\n");
        line.write_str(&object.0)
    }
}

/// The line as far as it is written. Writing to a string can't fail.
struct Object(String);

impl Object {
    /// The field's name, with what parts it from the one before.
    fn name(&mut self, field: &Field) {
        let name = match field.name() {
            MESSAGE => "msg",
            name => name,
        };
        self.0.push_str(",\"");
        self.0.push_str(name);
        self.0.push_str("\":");
    }

    /// A string, escaped where it has to be.
    fn text(&mut self, field: &Field, text: &str) {
        self.name(field);
        let is_plain = |b: u8| (b >= b' ') & (b != b'"') & (b != b'\\');
        if text.bytes().fold(true, |all, b| all & is_plain(b)) {
            self.0.push('"');
            self.0.push_str(text);
            self.0.push('"');
        } else {
            // A string is always JSON.
            self.0
                .push_str(&serde_json::to_string(text).unwrap_or_default());
        }
    }

    /// What is JSON as it prints.
    fn plain(&mut self, field: &Field, value: impl fmt::Display) {
        self.name(field);
        let _ = write!(self.0, "{value}");
    }
}

impl Visit for Object {
    /// The event's own text comes this way, before all else.
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, value);
    }

    /// With the whole chain of its causes.
    fn record_error(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        let mut told = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let _ = write!(told, ": {error}");
            cause = error.source();
        }
        self.text(field, &told);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
        time::{Duration, SystemTime},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn line(log: impl FnOnce()) -> String {
        let written = Written::default();
        let writer = written.clone();
        let clock = Clock::by_hand(|| SystemTime::UNIX_EPOCH + Duration::from_millis(1_500));
        let lines = tracing_subscriber::fmt()
            .event_format(Json { clock })
            .with_writer(move || writer.clone());
        tracing::subscriber::with_default(lines.finish(), log);
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_is_one_object_with_its_fields_in_order() {
        let line = line(|| tracing::info!(door = "grpc", granted = false, us = 7_u64, "check"));
        assert_eq!(
            line,
            "{\"time\":\"1970-01-01T00:00:01.500000Z\",\"level\":\"INFO\",\"msg\":\"check\",\
             \"door\":\"grpc\",\"granted\":false,\"us\":7}\n"
        );
    }

    #[test]
    fn whatever_a_text_holds_it_stays_one_line_of_json() {
        let hostile = "a\"b\\c\nd\u{1}é\u{7f}";
        let line = line(|| tracing::warn!(path = hostile, shown = %hostile, "{hostile}"));
        assert_eq!(line.matches('\n').count(), 1);
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        for field in ["path", "shown", "msg"] {
            assert_eq!(read[field], hostile, "{field}");
        }
    }

    #[test]
    fn an_error_is_told_with_its_causes() {
        #[derive(Debug, thiserror::Error)]
        #[error("no answer")]
        struct Outer(#[source] io::Error);
        let error: &(dyn Error + 'static) = &Outer(io::Error::other("cut off"));
        let line = line(|| tracing::warn!(error, "Kratos"));
        assert!(line.contains(r#""error":"no answer: cut off""#), "{line}");
    }
}
