//! Lines on their way to standard error. Whoever logs only leaves a line behind; a thread of its own writes what has
//! gathered. So a check never waits for whoever reads the log: where nobody does, lines are dropped and counted.

use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tracing_subscriber::fmt::MakeWriter;

use crate::telemetry::metrics;

/// How long lines gather.
const GATHER: Duration = Duration::from_millis(10);
/// How many bytes wait at most.
const MAX_WAITING_BYTES: usize = 1024 * 1024;
/// The longest that the end of the process is held up for what still waits.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// Where lines wait to be written.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    written: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    dropped: u64,
    is_writing: bool,
}

impl Waiting {
    fn is_done(&self) -> bool {
        self.lines.is_empty() && !self.is_writing
    }
}

impl Lines {
    /// Lines that a thread writes.
    ///
    /// # Errors
    /// Where a thread can't be had.
    pub(super) fn start() -> io::Result<Self> {
        let lines = Self::default();
        let written = lines.clone();
        let thread = thread::Builder::new().name("log".to_owned());
        thread.spawn(move || written.write_on())?;
        Ok(lines)
    }

    fn write_on(&self) {
        loop {
            drop(
                self.0
                    .arrived
                    .wait_while(self.waiting(), |waiting| waiting.lines.is_empty()),
            );
            thread::sleep(GATHER);
            let (lines, dropped) = self.take();
            write(&lines, dropped);
            self.waiting().is_writing = false;
            self.0.written.notify_all();
        }
    }

    fn take(&self) -> (Vec<u8>, u64) {
        let mut waiting = self.waiting();
        waiting.is_writing = true;
        (
            mem::take(&mut waiting.lines),
            mem::take(&mut waiting.dropped),
        )
    }

    /// Waits until all is written, though not for long.
    pub(super) fn flush(&self) {
        let waiting = self.waiting();
        drop(
            self.0
                .written
                .wait_timeout_while(waiting, LAST_WAIT, |waiting| !waiting.is_done()),
        );
    }

    fn leave(&self, line: &[u8]) {
        let mut waiting = self.waiting();
        if waiting.lines.len().saturating_add(line.len()) > MAX_WAITING_BYTES {
            waiting.dropped = waiting.dropped.saturating_add(1);
            metrics::line_dropped();
            return;
        }
        if waiting.lines.is_empty() {
            self.0.arrived.notify_one();
        }
        waiting.lines.extend_from_slice(line);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What can't be written has no other place to go.
fn write(lines: &[u8], dropped: u64) {
    let mut stderr = io::stderr();
    let _ = stderr.write_all(lines);
    if dropped > 0 {
        let _ = writeln!(
            stderr,
            r#"{{"level":"WARN","msg":"lines of the log were dropped, since nobody took them","dropped":{dropped}}}"#
        );
    }
}

impl Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.leave(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nobody_takes_lines_none_waits_for_long() {
        // No thread writes these.
        let lines = Lines::default();
        let line = [b'x'; 1023];
        for _ in 0..2_000 {
            lines.leave(&line);
        }
        let waiting = lines.waiting();
        assert_eq!(waiting.lines.len(), 1025 * 1023);
        assert_eq!(waiting.dropped, 2_000 - 1025);
    }
}
