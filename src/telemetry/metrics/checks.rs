//! What each check counts: a table a thread, added up when somebody asks.
//!
//! A thread's lock is its own: nobody else takes it but a scrape, for as long as copying the table takes.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet},
    metrics::{MetricType, counter::ConstCounter},
    registry::Unit,
};

use super::{BUCKETS, CLIENT, DECISION, DOOR, REASON, RULE, log, sharded::Sharded};

/// All checks, by what came of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Checks(Arc<Sharded<Mutex<Table>>>);

/// What one thread has counted.
#[derive(Clone, Debug, Default)]
struct Table {
    /// By rule; few things ever come of one, so they are looked through.
    counts: HashMap<Box<str>, Vec<(Kind, u64)>>,
    /// What passed because its rule is in shadow.
    lifted: BTreeMap<Lifted, u64>,
    /// By door; there are two.
    times: BTreeMap<&'static str, Times>,
}

/// What came of a check, but for its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    reason: &'static str,
    client: &'static str,
    decision: &'static str,
    door: &'static str,
}

/// A refusal that was not enforced.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Lifted {
    rule: Box<str>,
    decision: &'static str,
    reason: &'static str,
}

/// A histogram.
#[derive(Clone, Debug, Default)]
struct Times {
    /// How many lie in each of [`BUCKETS`] and in none before it; the last has no bound.
    buckets: [u64; BUCKETS.len() + 1],
    sum: Duration,
}

impl Checks {
    pub(super) fn add(&self, check: &log::Check<'_>) {
        if let Some(own) = self.0.own() {
            // Nothing panics while the lock is held.
            let mut table = own.lock().unwrap_or_else(PoisonError::into_inner);
            table.count(check.rule_id, Kind::of(check), 1);
            if let Some(lifted) = Lifted::of(check) {
                table.lift(lifted, 1);
            }
            table
                .times
                .entry(check.door)
                .or_default()
                .add(check.duration);
        }
    }

    fn sum(&self) -> Table {
        let mut sum = Table::default();
        for table in self.0.all() {
            let table = table.lock().unwrap_or_else(PoisonError::into_inner).clone();
            sum.add(table);
        }
        sum
    }
}

impl Kind {
    fn of(check: &log::Check<'_>) -> Self {
        Self {
            reason: check.reason_id,
            client: check.client,
            decision: check.decision,
            door: check.door,
        }
    }
}

impl Lifted {
    fn of(check: &log::Check<'_>) -> Option<Self> {
        Some(Self {
            reason: check.lifted?,
            rule: check.rule_id.into(),
            decision: check.decision,
        })
    }
}

impl Table {
    fn lift(&mut self, lifted: Lifted, more: u64) {
        let count = self.lifted.entry(lifted).or_default();
        *count = count.wrapping_add(more);
    }

    fn count(&mut self, rule: &str, kind: Kind, more: u64) {
        let Some(counts) = self.counts.get_mut(rule) else {
            self.counts.insert(rule.into(), vec![(kind, more)]);
            return;
        };
        match counts.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count = count.wrapping_add(more),
            None => counts.push((kind, more)),
        }
    }

    fn add(&mut self, other: Self) {
        for (rule, counts) in other.counts {
            for (kind, count) in counts {
                self.count(&rule, kind, count);
            }
        }
        for (lifted, count) in other.lifted {
            self.lift(lifted, count);
        }
        for (door, times) in other.times {
            self.times.entry(door).or_default().merge(&times);
        }
    }
}

impl Times {
    fn add(&mut self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let place = BUCKETS.partition_point(|bound| *bound < seconds);
        if let Some(bucket) = self.buckets.get_mut(place) {
            *bucket = bucket.wrapping_add(1);
        }
        self.sum = self.sum.saturating_add(duration);
    }

    fn merge(&mut self, other: &Self) {
        for (bucket, more) in self.buckets.iter_mut().zip(other.buckets) {
            *bucket = bucket.wrapping_add(more);
        }
        self.sum = self.sum.saturating_add(other.sum);
    }

    fn bounded(&self) -> Vec<(f64, u64)> {
        let bounds = BUCKETS.into_iter().chain([f64::INFINITY]);
        bounds.zip(self.buckets).collect()
    }
}

impl Collector for Checks {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let sum = self.sum();
        encode_counts(&sum, &mut encoder)?;
        encode_lifted(&sum, &mut encoder)?;
        encode_times(&sum, &mut encoder)
    }
}

fn encode_counts(sum: &Table, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Checks answered, by what came of them";
    let mut checks = encoder.encode_descriptor("checks", help, None, MetricType::Counter)?;
    // Sorted, so that two scrapes can be compared by eye.
    for (rule, counts) in sum.counts.iter().collect::<BTreeMap<_, _>>() {
        for (kind, count) in counts {
            let labels = [
                (DOOR, kind.door),
                (RULE, rule),
                (DECISION, kind.decision),
                (REASON, kind.reason),
                (CLIENT, kind.client),
            ];
            let series = checks.encode_family(&labels)?;
            ConstCounter::new(*count).encode(series)?;
        }
    }
    Ok(())
}

fn encode_lifted(sum: &Table, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Checks that passed because their rule is in shadow, by what they would have been";
    let mut all = encoder.encode_descriptor("shadowed", help, None, MetricType::Counter)?;
    for (lifted, count) in &sum.lifted {
        let labels = [
            (RULE, &*lifted.rule),
            (DECISION, lifted.decision),
            (REASON, lifted.reason),
        ];
        ConstCounter::new(*count).encode(all.encode_family(&labels)?)?;
    }
    Ok(())
}

fn encode_times(sum: &Table, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "How long checks took, waiting for Kratos included";
    let unit = Some(&Unit::Seconds);
    let mut all = encoder.encode_descriptor("check_duration", help, unit, MetricType::Histogram)?;
    for (door, times) in &sum.times {
        let labels = [(DOOR, *door)];
        let mut series = all.encode_family(&labels)?;
        let count = times.buckets.iter().sum();
        let seconds = times.sum.as_secs_f64();
        series.encode_histogram::<NoLabelSet>(seconds, count, &times.bounded(), None)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::thread;

    use prometheus_client::{encoding::text, registry::Registry};

    use super::*;

    fn line<'a>(rule: &'a str, reason: &'static str, micros: u64) -> log::Check<'a> {
        log::Check {
            door: "grpc",
            method: "GET",
            host: "app.test",
            path: "/account",
            rule_id: rule,
            decision: "allow",
            granted: true,
            reason_id: reason,
            lifted: None,
            client: "page",
            aal: "",
            subject: "",
            request_id: "",
            detail: "",
            duration: Duration::from_micros(micros),
            kratos: Duration::ZERO,
            cache: "",
        }
    }

    fn text(checks: &Checks) -> String {
        let mut registry = Registry::with_prefix("stepgate");
        registry.register_collector(Box::new(checks.clone()));
        let mut text = String::new();
        text::encode(&mut text, &registry).unwrap();
        text
    }

    #[test]
    fn every_thread_s_checks_are_added_up() {
        let checks = Checks::default();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..25 {
                        checks.add(&line("a", "open", 3));
                        checks.add(&line("b", "session_ok", 3));
                        checks.add(&line("b", "preflight", 3));
                    }
                });
            }
        });
        let text = text(&checks);
        for (rule, reason) in [("a", "open"), ("b", "session_ok"), ("b", "preflight")] {
            let series = format!(
                "stepgate_checks_total{{door=\"grpc\",rule=\"{rule}\",decision=\"allow\",reason=\"{reason}\",client=\"page\"}} 100\n"
            );
            assert!(text.contains(&series), "{text}");
        }
        let count = "stepgate_check_duration_seconds_count{door=\"grpc\"} 300\n";
        assert!(text.contains(count), "{text}");
    }

    #[test]
    fn what_a_rule_in_shadow_lets_pass_is_counted_by_what_it_would_have_been() {
        let checks = Checks::default();
        let lifted = |reason| log::Check {
            decision: "step_up",
            lifted: Some(reason),
            ..line("a", "shadowed", 3)
        };
        for reason in ["session_aal2_required", "session_refresh_required"] {
            checks.add(&lifted(reason));
        }
        checks.add(&lifted("session_aal2_required"));
        let text = text(&checks);
        for series in [
            "stepgate_checks_total{door=\"grpc\",rule=\"a\",decision=\"step_up\",reason=\"shadowed\",client=\"page\"} 3\n",
            "stepgate_shadowed_total{rule=\"a\",decision=\"step_up\",reason=\"session_aal2_required\"} 2\n",
            "stepgate_shadowed_total{rule=\"a\",decision=\"step_up\",reason=\"session_refresh_required\"} 1\n",
        ] {
            assert!(text.contains(series), "{series}{text}");
        }
    }

    #[test]
    fn a_time_lies_in_every_bucket_from_its_own_bound_on() {
        let checks = Checks::default();
        for micros in [10, 11, 1_000_000, 3_000_000] {
            checks.add(&line("a", "open", micros));
        }
        let text = text(&checks);
        for (bound, count) in [
            ("0.00001", 1),
            ("0.000025", 2),
            ("0.5", 2),
            ("1.0", 3),
            ("2.0", 3),
            ("+Inf", 4),
        ] {
            let bucket = format!(
                "stepgate_check_duration_seconds_bucket{{le=\"{bound}\",door=\"grpc\"}} {count}\n"
            );
            assert!(text.contains(&bucket), "{bucket}{text}");
        }
        assert!(text.contains("stepgate_check_duration_seconds_sum{door=\"grpc\"} 4.000021\n"));
    }
}
