//! The metrics: every name and label, spelled once.
//!
//! They are the process's, as the log is, and no reload takes anything back. What each check counts is kept a thread
//! ([`checks`]) and added up when somebody asks, so that no two cores ever wait for one another. Labels are words of this
//! program, ids of rules and names of identity domains: there are as many series as the configuration has seen, and
//! nothing that a client sends makes one.

mod checks;
mod kratos;
mod sharded;

use std::{
    fmt,
    sync::{LazyLock, atomic::AtomicU64},
};

use prometheus_client::{
    encoding::text,
    metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::{Registry, Unit},
};

use super::log;
use checks::Checks;
use kratos::Domains;
pub use kratos::{Call, Kratos, Outcome};

/// The media type of [`text()`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds in seconds, from a warm hit to an Envoy that gives up.
const BUCKETS: [f64; 17] = [
    0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025,
    0.05, 0.1, 0.25, 0.5, 1.0, 2.0,
];

const PREFIX: &str = "stepgate";
const CLIENT: &str = "client";
const DECISION: &str = "decision";
const DOOR: &str = "door";
const REASON: &str = "reason";
const RESULT: &str = "result";
const RULE: &str = "rule";
const VERSION: &str = "version";

static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

#[derive(Debug)]
struct Metrics {
    checks: Checks,
    domains: Domains,
    reloads: Family<[(&'static str, &'static str); 1], Counter>,
    is_last_sound: Gauge,
    loaded_at: Gauge<f64, AtomicU64>,
    rules: Gauge,
    lines_dropped: Counter,
    registry: Registry,
}

/// Counts a check and how long it took.
pub fn check(check: &log::Check<'_>) {
    METRICS.checks.add(check);
}

/// The metrics of the identity domain of this name.
#[must_use]
pub fn kratos(name: &str) -> Kratos {
    METRICS.domains.get(name)
}

/// A sound configuration took over at this time, in seconds since 1970.
pub(super) fn loaded(rules: usize, at: f64) {
    METRICS.loaded_at.set(at);
    METRICS.rules.set(i64::try_from(rules).unwrap_or(i64::MAX));
}

/// The configuration was read again, and it was sound, or it wasn't.
pub(super) fn reloaded(is_sound: bool) {
    let result = if is_sound { "success" } else { "failure" };
    METRICS.reloads.get_or_create(&[(RESULT, result)]).inc();
    METRICS.is_last_sound.set(i64::from(is_sound));
}

/// A line of the log was dropped, since nobody took those before it.
pub(super) fn line_dropped() {
    METRICS.lines_dropped.inc();
}

/// All metrics as `OpenMetrics` text.
///
/// # Errors
/// Never, as far as a string takes what is written to it.
pub fn text() -> Result<String, fmt::Error> {
    let mut text = String::new();
    text::encode(&mut text, &METRICS.registry)?;
    Ok(text)
}

impl Metrics {
    fn new() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let checks = Checks::default();
        registry.register_collector(Box::new(checks.clone()));
        let domains = Domains::register(&mut registry);
        let mut metrics = Self {
            checks,
            domains,
            reloads: Family::default(),
            is_last_sound: Gauge::default(),
            loaded_at: Gauge::default(),
            rules: Gauge::default(),
            lines_dropped: Counter::default(),
            registry,
        };
        metrics.register();
        metrics
    }

    /// What is told of the process and its configuration.
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "config_reloads",
            "Times the configuration was read again",
            self.reloads.clone(),
        );
        registry.register(
            "config_last_reload_successful",
            "Whether the configuration was sound when it was last read",
            self.is_last_sound.clone(),
        );
        registry.register_with_unit(
            "config_loaded_timestamp",
            "When the configuration in force was loaded, since 1970",
            Unit::Seconds,
            self.loaded_at.clone(),
        );
        registry.register("rules", "Rules in force", self.rules.clone());
        registry.register(
            "log_lines_dropped",
            "Lines of the log that nobody took in time",
            self.lines_dropped.clone(),
        );
        let version = [(VERSION, env!("CARGO_PKG_VERSION"))];
        registry.register("build", "What is running", Info::new(version));
        // Both are there from the start, so that the first failure is a rise.
        for result in ["success", "failure"] {
            drop(self.reloads.get_or_create(&[(RESULT, result)]));
        }
        // A process runs only with a sound one.
        self.is_last_sound.set(1);
    }
}
