//! Which configuration is in force: since when, with how many rules, and whether the last reload failed.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use super::{clock::Clock, metrics};

static LOADS: Mutex<Loads> = Mutex::new(Loads {
    loaded_at: SystemTime::UNIX_EPOCH,
    rules: 0,
    faults: Vec::new(),
});

/// The configuration in force, as `/version` tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loads {
    /// When it was loaded.
    pub loaded_at: SystemTime,
    /// How many rules it has, without the default.
    pub rules: usize,
    /// What was wrong with the configuration at the last reload; empty where it took over.
    pub faults: Vec<String>,
}

/// What is in force.
#[must_use]
pub fn current() -> Loads {
    LOADS.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The process started with a configuration of so many rules.
pub fn started(rules: usize) {
    let loaded_at = Clock::system().now();
    metrics::loaded(rules, since_1970(loaded_at).as_secs_f64());
    set(|loads| {
        *loads = Loads {
            loaded_at,
            rules,
            faults: Vec::new(),
        };
    });
}

/// A reload: the new configuration has so many rules.
pub fn reloaded(rules: usize) {
    metrics::reloaded(true);
    started(rules);
}

/// A reload: the new configuration has these faults, and the old one stays.
pub fn refused(faults: Vec<String>) {
    metrics::reloaded(false);
    set(|loads| loads.faults = faults);
}

fn set(change: impl FnOnce(&mut Loads)) {
    // Nothing panics while the lock is held.
    change(&mut LOADS.lock().unwrap_or_else(PoisonError::into_inner));
}

fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}
