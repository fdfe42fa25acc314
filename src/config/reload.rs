//! The configuration, read again: whole or not at all.
//!
//! It is read when one of its files changes, and when it is asked for. Files are looked at whenever something happens in
//! their folders, so that it makes no difference whether one is written, replaced or, as Kubernetes does, reached through a
//! symbolic link that is swapped. They are read only once they have stopped changing: half of a file may be sound and yet
//! leave rules out.

mod files;

use std::{
    error::Error,
    io,
    path::PathBuf,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use notify::{Event, RecommendedWatcher};

use super::{Config, Faults, given::Given};
use crate::{
    authorizer::Authorizer,
    kratos::BuildError,
    servers,
    telemetry::{loads, log},
};
use files::{Files, Folders};

/// Files that haven't changed for so long are written.
const QUIET: Duration = Duration::from_millis(100);

/// Between two looks, where nobody asks for one.
const PAUSE: Duration = Duration::from_millis(20);

/// Reads the configuration again and has the authorizer answer by it.
#[derive(Debug)]
pub struct Reloader {
    files: Files,
    start: Option<Start>,
    asked: mpsc::Sender<Call>,
    calls: mpsc::Receiver<Call>,
}

/// Asks for the configuration to be read again.
#[derive(Clone, Debug)]
pub struct Asker(mpsc::Sender<Call>);

/// Why files are looked at; of several reasons the last in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Call {
    /// Something happened in a folder.
    Stirred,
    /// Somebody wants it, changed or not.
    Asked,
}

/// What only a start can change, as it was then.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Start {
    servers: servers::Settings,
    workers: Option<std::num::NonZero<usize>>,
    drain: Duration,
    log: log::Settings,
}

/// Why the old configuration stays.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The new one isn't sound.
    #[error(transparent)]
    Unsound(#[from] Faults),
    /// A client can't be made.
    #[error(transparent)]
    Client(#[from] BuildError),
}

impl Reloader {
    /// For the configuration in this file.
    #[must_use]
    pub fn new(config: PathBuf) -> Self {
        let (asked, calls) = mpsc::channel();
        Self {
            files: Files::of(config),
            start: None,
            asked,
            calls,
        }
    }

    /// Reads and checks the configuration as [`Config::load`] does. What changes from now on is noticed.
    ///
    /// # Errors
    /// Every fault in it, or that it can't be read.
    pub fn load(&mut self) -> Result<Config, Faults> {
        // Looked at before it is checked: what changes meanwhile is new afterwards.
        let (files, file) = self.files.read();
        self.files = files;
        file?.check_given(&self.files.name(), &Given::here())
    }

    /// Whoever asks for a reload has one.
    #[must_use]
    pub fn asker(&self) -> Asker {
        Asker(self.asked.clone())
    }

    /// Keeps what only a start can change, to tell of it when it differs.
    #[must_use]
    pub fn started_with(mut self, config: &Config) -> Self {
        self.start = Some(Start::of(config));
        self
    }

    /// Watches the files and reloads, on a thread of its own for as long as the process lives.
    ///
    /// # Errors
    /// Where a thread can't be had.
    pub fn spawn(mut self, authorizer: Arc<Authorizer>) -> io::Result<()> {
        let thread = thread::Builder::new().name("reload".to_owned());
        thread.spawn(move || self.run(&authorizer))?;
        Ok(())
    }

    fn run(&mut self, authorizer: &Authorizer) {
        let mut folders = self.folders();
        // What changed before the folders were watched.
        let mut call = Some(Call::Stirred);
        while let Some(why) = call {
            let wanted = why == Call::Asked || self.have_changed();
            if wanted {
                self.tell(authorizer);
            }
            if let Some(folders) = &mut folders {
                folders.watch(self.files.folders());
            }
            call = self.call();
        }
    }

    /// Waits for a call. Those that have come since the last are one: a folder may be stirred all the time, by a log that
    /// lies there.
    fn call(&self) -> Option<Call> {
        let first = self.calls.recv().ok()?;
        if first == Call::Stirred {
            thread::sleep(PAUSE);
        }
        Some(self.calls.try_iter().fold(first, Call::max))
    }

    /// The watched folders; without them a reload must be asked for.
    fn folders(&self) -> Option<Folders<RecommendedWatcher>> {
        let stirred = self.asked.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // Reading is an event too, and we read.
            if event.is_ok_and(|event| !event.kind.is_access()) {
                // It fails only where nobody listens any more.
                let _ = stirred.send(Call::Stirred);
            }
        });
        let mut folders = Folders::new(watcher.map_err(files::tell).ok()?);
        folders.watch(self.files.folders());
        Some(folders)
    }

    /// Whether the files hold something new, once they have stopped changing.
    fn have_changed(&mut self) -> bool {
        let mut seen = self.files.look();
        if seen == self.files {
            return false;
        }
        loop {
            thread::sleep(QUIET);
            let now = seen.look();
            if now == seen {
                return seen != self.files;
            }
            seen = now;
        }
    }

    /// Reloads and tells the log.
    fn tell(&mut self, authorizer: &Authorizer) {
        match self.reload(authorizer) {
            Ok(rules) => {
                loads::reloaded(rules);
                tracing::info!(rules, "configuration reloaded");
            }
            Err(ReloadError::Unsound(faults)) => {
                loads::refused(faults.iter().map(ToString::to_string).collect());
                for fault in faults.iter() {
                    tracing::error!("{fault}");
                }
                tracing::error!("the configuration is not sound; the old one stays");
            }
            Err(ReloadError::Client(error)) => {
                loads::refused(vec![error.to_string()]);
                let cause = error.source().map(ToString::to_string);
                tracing::error!(%error, cause, "the old configuration stays");
            }
        }
    }

    /// Loads the configuration and has new checks answered by it. It tells how many rules there are.
    ///
    /// # Errors
    /// Why the old one stays.
    pub fn reload(&mut self, authorizer: &Authorizer) -> Result<usize, ReloadError> {
        let config = self.load()?;
        let (rules, now) = (config.policy.rules.rules().len(), Start::of(&config));
        config.tell_warnings();
        let snapshot = config.into_successor(&authorizer.snapshot())?;
        authorizer.swap(snapshot);
        if let Some(start) = &self.start {
            start.servers.take_over(&now.servers);
            start.tell_difference(&now);
        }
        Ok(rules)
    }
}

impl Asker {
    /// Asks.
    pub fn ask(&self) {
        // It fails only where the thread has ended, and with it the process.
        let _ = self.0.send(Call::Asked);
    }
}

impl Start {
    fn of(config: &Config) -> Self {
        Self {
            servers: config.servers.clone(),
            workers: config.workers,
            drain: config.drain,
            log: config.log,
        }
    }

    fn tell_difference(&self, now: &Self) {
        let keys = [
            ("servers", self.servers != now.servers),
            ("workers", self.workers != now.workers),
            ("drain", self.drain != now.drain),
            ("log", self.log != now.log),
        ];
        for (key, _) in keys.iter().filter(|(_, differs)| *differs) {
            tracing::warn!(key, "this key takes effect only after a restart");
        }
    }
}

#[cfg(test)]
mod tests;
