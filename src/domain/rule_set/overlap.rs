//! Which patterns overlap, found segment by segment: each is held only against those that agree with it so far.

use std::collections::BTreeMap;

use super::table::Entry;
use crate::domain::pattern::Step;

/// Every two entries of different rules whose paths overlap, the rule written first in front.
pub(super) fn overlapping(entries: &[Entry]) -> Vec<(&Entry, &Entry)> {
    let all: Vec<_> = entries.iter().collect();
    let mut found = Vec::new();
    if all.len() > 1 {
        meet(&all, &all, 0, &mut found);
    }
    found
}

type Pairs<'a> = Vec<(&'a Entry, &'a Entry)>;

/// Pairs that overlap, of entries that agree on all segments before this one.
fn meet<'a>(ones: &[&'a Entry], others: &[&'a Entry], at: usize, found: &mut Pairs<'a>) {
    let (ones, others) = (fork(ones, at), fork(others, at));
    for (step, ones) in &ones {
        for (other, others) in partners(*step, &others) {
            if step.goes_on() && other.goes_on() {
                meet(ones, others, at.saturating_add(1), found);
            } else {
                pair(ones, others, found);
            }
        }
    }
}

type Forks<'a> = BTreeMap<Step<'a>, Vec<&'a Entry>>;

/// The entries by their segment there.
fn fork<'a>(entries: &[&'a Entry], at: usize) -> Forks<'a> {
    let mut forks = Forks::new();
    for entry in entries {
        forks.entry(entry.path.step(at)).or_default().push(entry);
    }
    forks
}

/// The forks that this one agrees with. For a literal they are looked up, since there may be many other literals.
fn partners<'f, 'a>(
    step: Step<'a>,
    forks: &'f Forks<'a>,
) -> Vec<(&'f Step<'a>, &'f Vec<&'a Entry>)> {
    match step {
        Step::Literal(_) => [step, Step::Any, Step::Below]
            .iter()
            .filter_map(|other| forks.get_key_value(other))
            .collect(),
        Step::Any | Step::Below | Step::End => forks
            .iter()
            .filter(|(other, _)| step.agrees(**other))
            .collect(),
    }
}

fn pair<'a>(ones: &[&'a Entry], others: &[&'a Entry], found: &mut Pairs<'a>) {
    for one in ones {
        let later = others.iter().filter(|other| one.rule < other.rule);
        found.extend(later.map(|other| (*one, *other)));
    }
}
