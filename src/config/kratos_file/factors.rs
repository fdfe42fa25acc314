//! Which second factors can be given.

use std::fs;

use super::{Reviewed, tree::Tree};
use crate::{
    config::{check::beside, fault::Collector},
    domain::{
        rule::{Requirement, Rule},
        session::Factor,
    },
};

const METHODS: &str = "selfservice.methods";
const PASSWORDLESS: &str = "selfservice.methods.webauthn.config.passwordless";

pub(super) fn review(found: &mut Collector, reviewed: &Reviewed<'_>) {
    let tree = reviewed.tree;
    let on: Vec<_> = [
        Factor::Totp,
        Factor::Webauthn,
        Factor::LookupSecret,
        Factor::Code,
    ]
    .into_iter()
    .filter(|factor| is_on(tree, *factor))
    .collect();
    let at = tree.place(METHODS);
    if on.is_empty() {
        found.add(at, "no second factor can be given: `totp`, `webauthn` and `lookup_secret` are off, and `code` has no `mfa_enabled`; turn one on, as in `totp: { enabled: true }`");
    }
    for rule in reviewed
        .config
        .policy
        .rules
        .rules()
        .iter()
        .filter(|_| !on.is_empty())
    {
        let listed = listed(rule);
        if !listed.is_empty() && !listed.iter().any(|factor| on.contains(factor)) {
            let names: Vec<_> = listed
                .iter()
                .map(|factor| format!("`{}`", factor.as_str()))
                .collect();
            let (id, names) = (&rule.id, names.join(", "));
            found.add(at, format_args!("rule `{id}` of Stepgate takes {names} alone, which is off here, so nobody could pass; turn it on, or list another factor there"));
        }
    }
    webauthn(found, reviewed);
}

fn is_on(tree: &Tree, factor: Factor) -> bool {
    let name = factor.as_str();
    match factor {
        Factor::Code => tree.is_on("selfservice.methods.code.mfa_enabled"),
        Factor::Webauthn => {
            tree.is_on("selfservice.methods.webauthn.enabled") && !tree.is_on(PASSWORDLESS)
        }
        _ => tree.is_on(&format!("{METHODS}.{name}.enabled")),
    }
}

fn listed(rule: &Rule) -> &[Factor] {
    match &rule.requirement {
        Requirement::Session(demand) => &demand.factors,
        Requirement::None | Requirement::Deny => &[],
    }
}

/// A key counts as a second factor only where it is no first one, and where it has a name to go by.
fn webauthn(found: &mut Collector, reviewed: &Reviewed<'_>) {
    let tree = reviewed.tree;
    if !tree.is_on("selfservice.methods.webauthn.enabled") {
        return;
    }
    if tree.is_on(PASSWORDLESS) {
        found.add(tree.place(PASSWORDLESS), "`passwordless: true` makes a security key a first factor: it lifts nobody to AAL2, and who has one from before is shown an empty form; write `false`");
        return;
    }
    for schema in tree.list("identity.schemas") {
        let Some((url, at)) = schema.value.text("url") else {
            continue;
        };
        match identifier(reviewed.name, url) {
            Some(true) => {}
            Some(false) => found.add(at, format_args!("`{url}` marks no trait as the identifier of a security key, so Kratos refuses to enrol one; add `\"webauthn\": {{\"identifier\": true}}` beside that of the password")),
            None => found.warn(at, format_args!("`{url}` can't be looked into from here; some trait there must have `\"webauthn\": {{\"identifier\": true}}`, or no security key can be enrolled")),
        }
    }
}

/// Whether the schema of identities marks an identifier for keys; `None` where it can't be read from here.
fn identifier(name: &str, url: &str) -> Option<bool> {
    let path = url.strip_prefix("file://")?;
    let text = fs::read_to_string(beside(name, path)).ok()?;
    let schema: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some(marks_key(&schema))
}

fn marks_key(schema: &serde_json::Value) -> bool {
    let own = schema.pointer("/ory.sh~1kratos/credentials/webauthn/identifier");
    let deeper = || match schema {
        serde_json::Value::Object(map) => map.values().any(marks_key),
        serde_json::Value::Array(list) => list.iter().any(marks_key),
        _ => false,
    };
    own.is_some_and(|own| own == true) || deeper()
}
