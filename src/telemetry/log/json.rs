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
        write!(line, r#"{{"time":"{time:.6}","level":"{level}""#)?;
        let mut message = Message(String::new());
        event.record(&mut message);
        if !message.0.is_empty() {
            line.write_str(r#","msg":"#)?;
            text(&mut line, &message.0)?;
        }
        let mut fields = Fields {
            line: &mut line,
            outcome: Ok(()),
        };
        event.record(&mut fields);
        fields.outcome?;
        line.write_str("}\n")
    }
}

/// The event's text.
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == MESSAGE {
            // Writing to a string can't fail.
            let _ = write!(self.0, "{value:?}");
        }
    }

    fn record_str(&mut self, _: &Field, _: &str) {}
    fn record_bool(&mut self, _: &Field, _: bool) {}
    fn record_u64(&mut self, _: &Field, _: u64) {}
}

/// All else.
struct Fields<'a, 'w> {
    line: &'a mut Writer<'w>,
    outcome: fmt::Result,
}

impl Fields<'_, '_> {
    fn field(&mut self, field: &Field, write: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        if field.name() == MESSAGE || self.outcome.is_err() {
            return;
        }
        let name = field.name();
        self.outcome = [",\"", name, "\":"]
            .into_iter()
            .try_for_each(|text| self.line.write_str(text))
            .and_then(|()| write(self.line));
    }
}

impl Visit for Fields<'_, '_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.field(field, |line| text(line, &format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field, |line| text(line, value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, |line| write!(line, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field, |line| write!(line, "{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, |line| write!(line, "{value}"));
    }

    /// With the whole chain of its causes.
    fn record_error(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        let mut told = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            // Writing to a string can't fail.
            let _ = write!(told, ": {error}");
            cause = error.source();
        }
        self.field(field, |line| text(line, &told));
    }
}

/// A string, escaped where it has to be.
fn text(line: &mut Writer<'_>, text: &str) -> fmt::Result {
    let is_plain = |b: u8| (b >= b' ') & (b != b'"') & (b != b'\\');
    if text.bytes().fold(true, |all, b| all & is_plain(b)) {
        line.write_char('"')?;
        line.write_str(text)?;
        return line.write_char('"');
    }
    line.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
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
