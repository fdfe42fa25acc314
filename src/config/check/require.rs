//! `require` and `default`.

use std::collections::BTreeMap;

use serde_saphyr::{Location, Spanned};

use super::text;
use crate::{
    config::{
        fault::Collector,
        shape::{self, Require, Value},
    },
    domain::{
        claim::Pointer,
        duration::parse_duration,
        rule::{Demand, IdentityTest, Requirement},
        session::{Aal, Factor},
    },
};

/// A requirement; where it is faulty, one that nobody meets, and the fault is noted.
pub(super) fn check(faults: &mut Collector, written: &Spanned<Require>) -> Requirement {
    let requirement = match &written.value {
        Require::Word(word) => of_word(faults, word, written.referenced),
        Require::Demand(demand) => of_demand(faults, demand).map(Requirement::Session),
    };
    requirement.unwrap_or(Requirement::Deny)
}

fn of_word(faults: &mut Collector, word: &str, at: Location) -> Option<Requirement> {
    match word {
        "none" => Some(Requirement::None),
        "session" => Some(Requirement::Session(Demand::SESSION)),
        "aal2" => Some(Requirement::Session(Demand::AAL2)),
        "deny" => Some(Requirement::Deny),
        other => {
            faults.add(at, format_args!("`{other}` is no requirement; write `none`, `session`, `aal2`, `deny` or a map such as `{{aal: aal2, max_age: 5m}}`"));
            None
        }
    }
}

fn of_demand(faults: &mut Collector, written: &shape::Demand) -> Option<Demand> {
    let aal = match written.aal.as_ref().map(text) {
        None | Some(("aal2", _)) => Aal::Aal2,
        Some(("aal1", _)) => Aal::Aal1,
        Some((other, at)) => {
            faults.add(
                at,
                format_args!("`aal: {other}` is neither `aal1` nor `aal2`"),
            );
            return None;
        }
    };
    let max_age = written.max_age.as_ref().map(text);
    let max_age = max_age
        .map(|(age, at)| faults.ok(at, format_args!("`max_age: {age}`"), parse_duration(age)));
    let factors = written.factors.as_ref().map(|list| factors(faults, list));
    let second_factor_only = written
        .max_age
        .as_ref()
        .map(|age| age.referenced)
        .or(written.factors.as_ref().map(|list| list.referenced));
    if let (Aal::Aal1, Some(at)) = (aal, second_factor_only) {
        faults.add(at, "`max_age` and `factors` are about the second factor; under `aal: aal1` they could never count, so write `aal: aal2`");
    }
    Some(Demand {
        aal,
        max_age: max_age.flatten(),
        factors: factors.unwrap_or_default(),
        identity: identity(faults, &written.identity),
    })
}

fn identity(
    faults: &mut Collector,
    written: &BTreeMap<String, Spanned<Vec<Value>>>,
) -> Vec<IdentityTest> {
    let mut tests = Vec::new();
    for (pointer, values) in written {
        if values.value.is_empty() {
            faults.add(
                values.referenced,
                format_args!("`{pointer}` lists no value, so nobody could pass; list some"),
            );
        }
        let values_at = values.referenced;
        let values = values.value.iter().map(|value| value.0.clone()).collect();
        let pointer = faults.ok(
            values_at,
            format_args!("`{pointer}`"),
            Pointer::parse(pointer),
        );
        tests.extend(pointer.map(|pointer| IdentityTest { pointer, values }));
    }
    tests
}

fn factors(faults: &mut Collector, list: &Spanned<Vec<Spanned<String>>>) -> Vec<Factor> {
    if list.value.is_empty() {
        faults.add(
            list.referenced,
            "`factors` is empty; list some, or leave it out for any",
        );
    }
    let mut factors = Vec::new();
    for (name, at) in list.value.iter().map(text) {
        match Factor::parse(name) {
            Some(factor) => factors.push(factor),
            None => faults.add(at, format_args!("`{name}` is not a second factor; Kratos has `totp`, `webauthn`, `lookup_secret` and `code`")),
        }
    }
    factors
}
