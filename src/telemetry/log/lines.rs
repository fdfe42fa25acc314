//! Lines on their way to standard error. Whoever logs only leaves a line behind; a thread of its own writes what has
//! gathered. No line is dropped: where too many wait, the one who logs writes them.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tracing_subscriber::fmt::MakeWriter;

/// How long lines gather.
const GATHER: Duration = Duration::from_millis(10);
/// How many bytes wait at most.
const MAX_WAITING_BYTES: usize = 256 * 1024;

/// Where lines wait to be written.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Vec<u8>>,
    arrived: Condvar,
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
            let waiting = self.waiting();
            let arrived = self.0.arrived.wait_while(waiting, |lines| lines.is_empty());
            drop(arrived);
            thread::sleep(GATHER);
            self.flush();
        }
    }

    /// Writes what waits.
    pub(super) fn flush(&self) {
        write(&mut self.waiting());
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// In one piece, under the lock, so that lines keep their order. What can't be written has no other place to go.
fn write(lines: &mut Vec<u8>) {
    let _ = io::stderr().write_all(lines);
    lines.clear();
}

impl Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.waiting();
        if waiting.is_empty() {
            self.0.arrived.notify_one();
        }
        waiting.extend_from_slice(line);
        if waiting.len() > MAX_WAITING_BYTES {
            write(&mut waiting);
        }
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
