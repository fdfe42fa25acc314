//! What is printed.

use std::{fmt, time::Duration};

use crate::{
    ROUND, ROUNDS,
    case::{RULES_AGAINST_ONE, Target},
    load::Tally,
};

/// What one round measured of one server.
pub(crate) struct Round {
    pub(crate) cpu: Duration,
    pub(crate) tally: Tally,
}

/// What all rounds measured of one server.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// Microseconds of the processor for one check, a figure a round.
    cpu: Vec<f64>,
    per_second: Vec<f64>,
    /// Microseconds.
    p50: Vec<f64>,
    allowed: usize,
    denied: usize,
}

/// One case.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) target: Option<Target>,
    pub(crate) floor: Figures,
    pub(crate) own: Figures,
    pub(crate) whoami_calls: u64,
    /// The program's, before the first check and after the last.
    pub(crate) resident_kib: (usize, usize),
}

/// One figure that is no ratio.
pub(crate) struct Line {
    name: String,
    figure: f64,
    unit: &'static str,
    bound: Option<Bound>,
}

/// What a figure must keep to, and what it should.
pub(crate) struct Bound {
    gate: f64,
    aim: f64,
    /// More is better.
    is_least: bool,
}

impl Bound {
    /// The most that the figure may be.
    pub(crate) fn new(gate: f64, aim: f64) -> Self {
        Self {
            gate,
            aim,
            is_least: false,
        }
    }

    /// The least that the figure may be.
    pub(crate) fn least(gate: f64, aim: f64) -> Self {
        Self {
            gate,
            aim,
            is_least: true,
        }
    }
}

impl Line {
    pub(crate) fn new(name: impl Into<String>, figure: f64, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            figure,
            unit,
            bound: None,
        }
    }

    pub(crate) fn bound(self, bound: Bound) -> Self {
        Self {
            bound: Some(bound),
            ..self
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name, figure, unit, ..
        } = self;
        let places = if *figure < 100.0 { 2 } else { 0 };
        write!(f, "{name:<44}|{figure:>10.places$} {unit:<11}|")?;
        let Some(bound) = &self.bound else {
            return Ok(());
        };
        let is_held = if bound.is_least {
            *figure >= bound.gate
        } else {
            *figure <= bound.gate
        };
        let word = if is_held { "held" } else { "NOT HELD" };
        write!(f, " gate {} {word} (aim {})", bound.gate, bound.aim)
    }
}

impl Figures {
    pub(crate) fn add(&mut self, Round { cpu, mut tally }: Round) {
        let answers = real(tally.answers());
        self.cpu.push(cpu.as_secs_f64() * 1e6 / answers);
        self.per_second.push(answers / tally.took.as_secs_f64());
        tally.latencies.sort_unstable();
        let middle = tally.latencies.get(tally.latencies.len() / 2);
        self.p50
            .push(middle.map_or(f64::NAN, |it| it.as_secs_f64() * 1e6));
        self.allowed = self.allowed.saturating_add(tally.allowed);
        self.denied = self.denied.saturating_add(tally.denied);
    }

    pub(crate) fn answers(&self) -> usize {
        self.allowed.saturating_add(self.denied)
    }
}

impl Row {
    /// The median of what each round gives: a machine that is slow for a while is so for both of a round.
    fn ratio(&self) -> f64 {
        self.each_round(|figures| &figures.cpu, |own, floor| own / floor)
    }

    fn each_round(&self, of: impl Fn(&Figures) -> &Vec<f64>, with: fn(f64, f64) -> f64) -> f64 {
        let rounds = of(&self.own).iter().zip(of(&self.floor));
        median(
            &rounds
                .map(|(own, floor)| with(*own, *floor))
                .collect::<Vec<_>>(),
        )
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = self.target.map_or(String::new(), |target| {
            held(self.ratio(), target.gate, target.aim)
        });
        let (before, after) = self.resident_kib;
        write!(
            f,
            "{:<26}|{:>7.0} |{:>7.0} |{:>7.2} |{:>7.2} |{:>6.2} | {:<25}|{:>6.0} |{:>6.0} |{:>8} |{:>8} |{:>8} |{:>5.1} → {:.1}",
            self.name,
            median(&self.floor.per_second),
            median(&self.own.per_second),
            median(&self.floor.cpu),
            median(&self.own.cpu),
            self.ratio(),
            target,
            median(&self.floor.p50),
            median(&self.own.p50),
            self.own.allowed,
            self.own.denied,
            self.whoami_calls,
            real(before) / 1024.0,
            real(after) / 1024.0,
        )
    }
}

/// What follows, and how it is measured.
pub(crate) fn introduction(is_pinned: bool) -> String {
    let pinned = if is_pinned {
        "servers on core 0, the load and the double of Kratos on core 1"
    } else {
        "NOT pinned to cores: `taskset` or a second core is missing"
    };
    let line = format!(
        "{:<26}|{:^17}|{:^17}|{:>6} | {:<25}|{:^15}|{:^29}|{:^13}",
        "", "checks/s", "CPU µs a check", "", "", "p50 µs", "our answers, whoami", "RSS MiB"
    );
    let words = format!(
        "{:<26}|{:>7} |{:>7} |{:>7} |{:>7} |{:>6} | {:<25}|{:>6} |{:>6} |{:>8} |{:>8} |{:>8} |{:>13}",
        "case",
        "floor",
        "ours",
        "floor",
        "ours",
        "ratio",
        "gate",
        "floor",
        "ours",
        "OK",
        "denied",
        "calls",
        "idle → after"
    );
    format!(
        "Stepgate against the floor, a server that gives every check the same answer: an allow, or for refusals a 303.\n\
         One worker each; {pinned}.\n\
         Medians of {ROUNDS} rounds of {ROUND:?} a server, in turn; 64 checks in flight where nothing else is said.\n\
         Where a case is against 1, that is a Stepgate with 1 session and 1 rule in the place of the floor.\n\n\
         {line}\n{words}"
    )
}

/// Why there is no figure for two workers.
pub(crate) const TWO_CORES: &str = "two cores against one: not here, since the load has the second core to itself; `make parts` has `whole` by two threads (gate 1.8 × checks/s)";

/// What is read from two rows.
pub(crate) fn comparisons(rows: &[Row]) -> String {
    let find = |name: &str| rows.iter().find(|row| row.name == name);
    let mut lines = String::new();
    let one = find("warm hit, 1 session");
    if let Some((one, rules)) = one.zip(find(RULES_AGAINST_ONE)) {
        let more = (rules.ratio() - 1.0) * one.ratio();
        lines += &format!(
            "\n5,000 rules against 1, in the floor's measure: {more:+.2}, gate {}",
            held(more, 0.10, 0.05)
        );
    }
    if let Some(one) = find("warm hit, 1 in flight") {
        let more = one.each_round(|figures| &figures.p50, |own, floor| own - floor);
        lines += &format!(
            "\np50 of a warm hit, 1 in flight: {more:+.0} µs, gate {}",
            held(more, 3.0, 0.0)
        );
    }
    lines
}

fn held(figure: f64, gate: f64, aim: f64) -> String {
    let word = if figure <= gate { "held" } else { "NOT HELD" };
    format!("{gate:.2} {word} (aim {aim:.2})")
}

pub(crate) fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Exact up to 2^32, which no figure here reaches.
pub(crate) fn real(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::NAN, f64::from)
}
