//! What is no ratio of processor times: the time to be ready, memory, shared calls and a fixed rate.

use std::time::Duration;

use crate::{
    Outcome,
    case::{self, Kratos},
    floor,
    load::{Expected, Load, Tally, Until},
    process::{Program, Server},
    table::{Bound, Line, median, real},
};

/// Starts of which the median is taken.
const STARTS: usize = 9;
/// Sessions to remember, and how long Stepgate may be filled with them; what fits is used.
const MOST_SESSIONS: usize = 1_000_000;
const FILL: Duration = Duration::from_secs(90);
/// Sessions that sign in and are asked about at a time.
const BATCH: usize = 10_000;
/// Checks that wait for one new session at a time.
const AT_ONCE: usize = 64;
/// How long a server is asked at a fixed rate.
const STEADY: Duration = Duration::from_secs(5);

/// Each of them: the word that picks it, and its lines.
pub(crate) async fn run(only: &str, kratos: &Kratos, is_pinned: bool) -> Outcome<()> {
    let is_asked = |name: &str| name.contains(only);
    if is_asked("ready") {
        crate::print(&ready(kratos, 2, Bound::new(30.0, 10.0), is_pinned).await?);
        crate::print(&ready(kratos, 5_000, Bound::new(80.0, 40.0), is_pinned).await?);
    }
    if is_asked("memory") {
        for line in memory(kratos, is_pinned).await? {
            crate::print(&line);
        }
    }
    if is_asked("at once") {
        crate::print(&at_once(kratos, is_pinned).await?);
    }
    if is_asked("fixed rate") {
        for line in fixed_rate(kratos, is_pinned).await? {
            crate::print(&line);
        }
    }
    Ok(())
}

/// From the start of the process until the first check is answered.
async fn ready(kratos: &Kratos, rules: usize, bound: Bound, is_pinned: bool) -> Outcome<Line> {
    let case = case::ruled("ready", rules, kratos)?;
    let one = Load {
        in_flight: 1,
        connections: 1,
        ..case.load
    };
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let began = crate::load::now();
        let stepgate = Server::start(&case.program, is_pinned).await?;
        one.run(stepgate.port(), Until::Sent(1)).await?;
        starts.push(began.elapsed().as_secs_f64() * 1e3);
    }
    let name = format!("ready after start, {rules} rules");
    Ok(Line::new(name, median(&starts), "ms").bound(bound))
}

/// What Stepgate holds when nobody asked yet, and what a remembered session adds.
async fn memory(kratos: &Kratos, is_pinned: bool) -> Outcome<[Line; 2]> {
    let config = kratos.remembering(MOST_SESSIONS);
    let stepgate = Server::start(&Program::stepgate(&config), is_pinned).await?;
    let idle = stepgate.resident_kib()?;
    let began = crate::load::now();
    let mut sessions = 0_usize;
    while sessions < MOST_SESSIONS && began.elapsed() < FILL {
        let load = Load::of(case::pages(&kratos.sign_in(BATCH)?)?, Expected::Allow);
        let filled = load.run(stepgate.port(), Until::Sent(BATCH)).await?;
        sessions = sessions.saturating_add(filled.answers());
    }
    let added = stepgate.resident_kib()?.saturating_sub(idle);
    let each = real(added) * 1024.0 / real(sessions);
    let name = format!("a remembered session, of {sessions}");
    Ok([
        Line::new("idle RSS", real(idle) / 1024.0, "MiB").bound(Bound::new(14.0, 10.0)),
        Line::new(name, each, "B").bound(Bound::new(600.0, 400.0)),
    ])
}

/// Calls to whoami when many ask at once with one session that nobody saw before: the most of several sessions.
async fn at_once(kratos: &Kratos, is_pinned: bool) -> Outcome<Line> {
    let stepgate = Server::start(&Program::stepgate(&kratos.remembering(BATCH)), is_pinned).await?;
    // At its start Stepgate looks whether Kratos is one, with a call of its own, so the first session doesn't count.
    let mut calls = Vec::new();
    for session in kratos.sign_in(STARTS + 1)? {
        let load = Load::of(case::pages(&[session])?, Expected::Allow);
        let before = kratos.double.whoami_calls();
        let until = Until::Sent(AT_ONCE);
        load.run(stepgate.port(), until).await?;
        calls.push(kratos.double.whoami_calls().saturating_sub(before));
    }
    let most = calls.into_iter().skip(1).max().unwrap_or_default();
    let calls = real(usize::try_from(most)?);
    let name = format!("{AT_ONCE} at once for one new session");
    Ok(Line::new(name, calls, "calls").bound(Bound::new(1.0, 1.0)))
}

/// Warm hits at half of what the slower of the two reaches in a closed loop; each waits from when it should have been sent.
async fn fixed_rate(kratos: &Kratos, is_pinned: bool) -> Outcome<Vec<Line>> {
    let load = Load::of(case::pages(&kratos.sign_in(1)?)?, Expected::Allow);
    let floor = Server::start(&Program::floor(floor::ALLOW)?, is_pinned).await?;
    let stepgate = Server::start(&Program::stepgate(&kratos.remembering(BATCH)), is_pinned).await?;
    let servers = [("floor", &floor), ("Stepgate", &stepgate)];
    let mut rate = f64::INFINITY;
    for (_, server) in servers {
        let until = Until::Past(crate::ROUND);
        let tally = load.run(server.port(), until).await?;
        rate = rate.min(real(tally.answers()) / tally.took.as_secs_f64() / 2.0);
    }
    let mut lines = Vec::new();
    for (name, server) in servers {
        let mut tally = load.steady(server.port(), rate, STEADY).await?;
        tally.latencies.sort_unstable();
        for (word, part) in [("p50", 0.50), ("p99", 0.99)] {
            let name = format!("{word} of {name} at {rate:.0} checks/s");
            lines.push(Line::new(name, percentile(&tally, part), "µs"));
        }
    }
    Ok(lines)
}

/// In microseconds, of sorted latencies.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in a list"
)]
fn percentile(sorted: &Tally, part: f64) -> f64 {
    let place = (real(sorted.latencies.len()) * part) as usize;
    let latency = sorted.latencies.get(place);
    latency.map_or(f64::NAN, |it| it.as_secs_f64() * 1e6)
}
