//! Every way in which an upstream could read a decoded path.

use std::collections::BTreeSet;

/// One thing that an upstream might do to a path, or not.
type Step = fn(&[u8]) -> Vec<u8>;

/// What it might do, in order; it does at most one of each group.
const STEPS: [&[Step]; 5] = [
    &[without_host],
    &[up_to_question_mark],
    &[up_to_hash],
    &PARAMETERS,
    &[without_edge_blanks],
];

/// The ways to drop path parameters.
const PARAMETERS: [Step; 3] = [
    without_parameters,
    without_last_parameters,
    up_to_first_parameter,
];

/// Whether this path holds anything that could be read in two ways.
pub(super) fn may_differ(path: &[u8]) -> bool {
    path.starts_with(b"//") || path.iter().any(|b| b"?#;% ".contains(b))
}

/// These paths, and all that any choice of the steps makes of them.
pub(super) fn all(bases: BTreeSet<Vec<u8>>) -> BTreeSet<Vec<u8>> {
    let mut forms = bases;
    for group in STEPS {
        let made = forms
            .iter()
            .flat_map(|form| group.iter().map(|step| step(form)))
            .filter(|made| !forms.contains(made));
        let made: Vec<_> = made.collect();
        forms.extend(made);
    }
    forms
}

/// A path that holds `;`, in each way without its parameters.
pub(super) fn without_any_parameters(path: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let ways = PARAMETERS.iter().filter(|_| path.contains(&b';'));
    ways.map(|way| way(path))
}

/// Behind `//` some URL parsers see a host, as in `//host/path`.
fn without_host(path: &[u8]) -> Vec<u8> {
    if !path.starts_with(b"//") {
        return path.to_vec();
    }
    let mut behind = path.iter().copied().skip_while(|&b| b == b'/');
    behind.by_ref().find(|&b| b == b'/');
    [b'/'].into_iter().chain(behind).collect()
}

fn up_to_question_mark(path: &[u8]) -> Vec<u8> {
    up_to(path, b'?')
}

fn up_to_hash(path: &[u8]) -> Vec<u8> {
    up_to(path, b'#')
}

fn up_to_first_parameter(path: &[u8]) -> Vec<u8> {
    up_to(path, b';')
}

fn up_to(path: &[u8], mark: u8) -> Vec<u8> {
    path.iter().copied().take_while(|&b| b != mark).collect()
}

/// Each segment up to its `;`.
fn without_parameters(path: &[u8]) -> Vec<u8> {
    let names = path
        .split(|&b| b == b'/')
        .map(|segment| up_to(segment, b';'));
    names.collect::<Vec<_>>().join(&b'/')
}

/// The last segment up to its `;`.
fn without_last_parameters(path: &[u8]) -> Vec<u8> {
    let start = path.iter().rposition(|&b| b == b'/').unwrap_or_default();
    let (front, last) = path.split_at_checked(start).unwrap_or((path, &[]));
    [front, &up_to(last, b';')].concat()
}

/// Each segment without the blanks around it.
fn without_edge_blanks(path: &[u8]) -> Vec<u8> {
    let names = path.split(|&b| b == b'/').map(<[u8]>::trim_ascii);
    names.collect::<Vec<_>>().join(&b'/')
}
