//! Every rule, held against the request.

use std::io::{self, Write};

use crate::{
    cli::speak::{FAINT, STRONG},
    config::Config,
    domain::{
        context,
        pattern::Methods,
        request::{Facts, Request},
        rule::{DEFAULT_RULE, Mode, Requirement, Rule},
        rule_set::{Considered, Fit, Rank},
    },
};

/// Tells of every rule: for the path as it stands, and for each other way to read it.
pub(super) fn tell(
    out: &mut impl Write,
    config: &Config,
    request: &Request,
    facts: &Facts,
) -> io::Result<()> {
    let host = &request.authority.host;
    let readings = std::iter::once(request.path.whole()).chain(request.path.cuts());
    for (place, reading) in readings.enumerate() {
        let also = if place == 0 {
            ""
        } else {
            ", which this could be read as too"
        };
        writeln!(
            out,
            "\n{STRONG}Rules for `{}`{STRONG:#}{also}",
            shown(reading)
        )?;
        let all = config
            .policy
            .rules
            .consider(host, reading, request.judged_method());
        tell_reading(out, config, &all)?;
    }
    tell_context(out, config, facts)
}

fn tell_reading(out: &mut impl Write, config: &Config, all: &[Considered<'_>]) -> io::Result<()> {
    let matching: Vec<_> = all
        .iter()
        .filter_map(|held| Some((held.rule, rank(held.fit)?)))
        .collect();
    let mut in_force = false;
    for (place, (rule, own)) in matching.iter().enumerate() {
        let at = config.rule_places.get(&rule.id);
        let at = at.map_or(String::new(), |at| format!("  {FAINT}{at}{FAINT:#}"));
        let mark = mark(place, rule.mode, &mut in_force);
        let (id, requirement) = (&rule.id, &rule.requirement);
        let mode = match rule.mode {
            Mode::Enforce => "",
            Mode::Shadow => "  (in shadow)",
        };
        writeln!(
            out,
            "  {mark:<5} {STRONG}{id}{STRONG:#}  require {requirement}{mode}{at}"
        )?;
        if &*rule.id != DEFAULT_RULE {
            writeln!(out, "        {}", matches_of(rule))?;
        }
        if place == 0 {
            writeln!(out, "        {}", why(own, matching.get(1).copied()))?;
        }
    }
    for (fit, what) in [
        (Fit::OtherHost, "hosts"),
        (Fit::OtherPath, "paths"),
        (Fit::OtherMethod, "methods"),
    ] {
        let ids: Vec<_> = all
            .iter()
            .filter(|held| held.fit == fit)
            .map(|held| &*held.rule.id)
            .collect();
        if !ids.is_empty() {
            writeln!(
                out,
                "  {FAINT}for other {what}: {}{FAINT:#}",
                ids.join(", ")
            )?;
        }
    }
    Ok(())
}

/// The first wins; where that is in shadow, the first that isn't holds instead.
fn mark(place: usize, mode: Mode, in_force: &mut bool) -> &'static str {
    let is_first_in_force = mode == Mode::Enforce && !std::mem::replace(in_force, true);
    match (place, is_first_in_force) {
        (0, _) => "wins",
        (_, true) => "holds",
        (_, false) => "loses",
    }
}

fn rank(fit: Fit) -> Option<Rank> {
    match fit {
        Fit::Matches(rank) => Some(rank),
        _ => None,
    }
}

/// Why the first won over the second.
fn why(own: &Rank, second: Option<(&Rule, Rank)>) -> String {
    match second {
        None => "no rule matches".to_owned(),
        Some((rule, _)) if &*rule.id == DEFAULT_RULE => "no other rule matches".to_owned(),
        Some((rule, rank)) => format!("over `{}`: {}", rule.id, own.wins_by(&rank)),
    }
}

/// What a rule is for, in words.
fn matches_of(rule: &Rule) -> String {
    let list = |texts: Vec<String>| texts.join(" ");
    let hosts = match &*rule.hosts {
        [] => "any host".to_owned(),
        hosts => list(hosts.iter().map(ToString::to_string).collect()),
    };
    let paths = list(rule.paths.iter().map(ToString::to_string).collect());
    let methods = match &rule.methods {
        Methods::All => "all methods".to_owned(),
        Methods::Listed(listed) => list(listed.iter().map(ToString::to_string).collect()),
    };
    format!("{methods} · {hosts} · {paths}")
}

/// What the route adds.
fn tell_context(out: &mut impl Write, config: &Config, facts: &Facts) -> io::Result<()> {
    match context::parse(&facts.context, &config.policy.context_ignore) {
        Ok(Requirement::None) => Ok(()),
        Ok(requirement) => writeln!(out, "\n  the route's context also asks for {requirement}"),
        Err(error) => writeln!(out, "\n  the route's context can't be understood: {error}"),
    }
}

fn shown(reading: &[u8]) -> String {
    match reading {
        [] => "/".to_owned(),
        some => String::from_utf8_lossy(some).into_owned(),
    }
}
