//! What an operator wrote on an Envoy route: it may tighten what a rule demands, never loosen it.

use bytes::Bytes;

use super::{
    duration::parse_duration,
    rule::{Demand, Requirement},
};

/// Why a route's demand can't be understood; such a request is refused, since a misspelt demand must not open a door.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// A key that is neither ours nor in `context.ignore`.
    #[error(
        "context_extensions hold a key that is neither `require` nor `max_age` nor listed in `context.ignore`"
    )]
    Key,
    /// A value that does not parse, or a key given twice.
    #[error("context_extensions hold a value for `{0}` that can't be read")]
    Value(&'static str),
}

/// Reads a route's demand; [`Requirement::None`] where it makes none.
///
/// # Errors
/// See [`ContextError`].
pub fn parse(entries: &[(Bytes, Bytes)], ignore: &[Box<str>]) -> Result<Requirement, ContextError> {
    let mut require = None;
    let mut max_age = None;
    for (key, value) in entries {
        match &**key {
            b"require" => set(&mut require, requirement(value), "require")?,
            b"max_age" => set(&mut max_age, age(value), "max_age")?,
            other if ignore.iter().any(|known| known.as_bytes() == other) => {}
            _ => return Err(ContextError::Key),
        }
    }
    let fresh = max_age.map(|max_age| {
        Requirement::Session(Demand {
            max_age: Some(max_age),
            ..Demand::AAL2
        })
    });
    Ok(match (require, fresh) {
        (Some(Requirement::Deny), _) => Requirement::Deny,
        (_, Some(fresh)) => fresh,
        (require, None) => require.unwrap_or(Requirement::None),
    })
}

fn set<T>(place: &mut Option<T>, value: Option<T>, key: &'static str) -> Result<(), ContextError> {
    if place.is_some() || value.is_none() {
        return Err(ContextError::Value(key));
    }
    *place = value;
    Ok(())
}

fn requirement(value: &[u8]) -> Option<Requirement> {
    match value {
        b"session" => Some(Requirement::Session(Demand::SESSION)),
        b"aal2" => Some(Requirement::Session(Demand::AAL2)),
        b"deny" => Some(Requirement::Deny),
        _ => None,
    }
}

fn age(value: &[u8]) -> Option<std::time::Duration> {
    parse_duration(std::str::from_utf8(value).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(entries: &[(&'static str, &'static str)]) -> Result<Requirement, ContextError> {
        let bytes = |text: &'static str| Bytes::from_static(text.as_bytes());
        let entries: Vec<_> = entries
            .iter()
            .map(|(key, value)| (bytes(key), bytes(value)))
            .collect();
        parse(&entries, &["policy".into()])
    }

    #[test]
    fn a_route_may_demand_more() {
        let fresh = Requirement::Session(Demand {
            max_age: Some(std::time::Duration::from_secs(60)),
            ..Demand::AAL2
        });
        assert_eq!(parsed(&[]), Ok(Requirement::None));
        assert_eq!(parsed(&[("policy", "x")]), Ok(Requirement::None));
        assert_eq!(
            parsed(&[("require", "session")]),
            Ok(Requirement::Session(Demand::SESSION))
        );
        assert_eq!(
            parsed(&[("require", "aal2")]),
            Ok(Requirement::Session(Demand::AAL2))
        );
        assert_eq!(parsed(&[("max_age", "60s")]), Ok(fresh.clone()));
        assert_eq!(
            parsed(&[("require", "session"), ("max_age", "60s")]),
            Ok(fresh)
        );
        assert_eq!(
            parsed(&[("require", "deny"), ("max_age", "60s")]),
            Ok(Requirement::Deny)
        );
    }

    #[test]
    fn a_misspelt_demand_is_refused() {
        for entries in [
            [("requires", "aal2")].as_slice(),
            &[("Require", "aal2")],
            &[("require", "none")],
            &[("require", "AAL2")],
            &[("require", "")],
            &[("max_age", "60")],
            &[("max_age", "-1s")],
            &[("require", "aal2"), ("require", "aal2")],
        ] {
            assert!(parsed(entries).is_err(), "{entries:?}");
        }
    }
}
