//! The parts of Kratos' JSON that are read, and what they mean.

mod object;

use std::{borrow::Cow, sync::Arc, time::SystemTime};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::domain::{
    claim::{Claim, Claims, Pointer, Scalar},
    id::Id,
    session::{Aal, Factor, Method, Session, Standing},
};
use object::Object;

/// The methods of Kratos v26.2.0, which need no room of their own in a session. Others are known as well.
const METHODS: [&str; 9] = [
    "password",
    "totp",
    "webauthn",
    "passkey",
    "lookup_secret",
    "code",
    "code_recovery",
    "link_recovery",
    "oidc",
];
const UNAVAILABLE: Standing = Standing::Unavailable { retry_after: None };

/// Text that lies in the body, unless something in it is escaped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Whoami<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    active: bool,
    #[serde(borrow)]
    expires_at: Text<'a>,
    #[serde(borrow)]
    authenticator_assurance_level: Text<'a>,
    #[serde(borrow)]
    authentication_methods: Option<Vec<Object<AuthenticationMethod<'a>>>>,
    #[serde(borrow)]
    identity: &'a RawValue,
}

#[derive(Deserialize)]
struct AuthenticationMethod<'a> {
    #[serde(borrow)]
    method: Text<'a>,
    #[serde(borrow)]
    aal: Option<Text<'a>>,
    #[serde(borrow)]
    completed_at: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Identity<'a> {
    #[serde(borrow)]
    id: Text<'a>,
}

#[derive(Deserialize)]
struct ErrorBody {
    error: Object<ErrorId>,
}

#[derive(Deserialize)]
struct ErrorId {
    id: Option<Box<str>>,
}

#[derive(Deserialize)]
struct Flow {
    ui: Ui,
}

#[derive(Deserialize)]
struct Ui {
    nodes: Option<Vec<Node>>,
}

#[derive(Deserialize)]
struct Node {
    attributes: Attributes,
}

#[derive(Deserialize)]
struct Attributes {
    name: Option<Box<str>>,
}

/// What a whoami body with status 200 says: unavailable where it can't be read, none where the session is over. And when
/// the session ends, if there is one.
pub(super) fn standing(
    body: &[u8],
    pointers: &[Pointer],
    now: SystemTime,
) -> (Standing, Option<SystemTime>) {
    session(body, pointers, now).map_or_else(
        |none| (none, None),
        |(session, end)| (Standing::Session(Arc::new(session)), Some(end)),
    )
}

fn session(
    body: &[u8],
    pointers: &[Pointer],
    now: SystemTime,
) -> Result<(Session, SystemTime), Standing> {
    let Some(whoami) = object::read::<Whoami<'_>>(body) else {
        return Err(UNAVAILABLE);
    };
    let aal = Aal::parse(&whoami.authenticator_assurance_level.0);
    let (Some(aal), Some(expires_at)) = (aal, time(&whoami.expires_at.0)) else {
        return Err(UNAVAILABLE);
    };
    if !whoami.active || expires_at <= now {
        return Err(Standing::SignedOut);
    }
    let Some(identity) = object::read::<Identity<'_>>(whoami.identity.get().as_bytes()) else {
        return Err(UNAVAILABLE);
    };
    let methods = whoami.authentication_methods.unwrap_or_default();
    // Sessions are remembered, so they keep no room that was only for reading.
    let methods = methods.iter().map(|method| method.0.to_domain()).collect();
    let session = Session {
        id: Id::from(&*whoami.id.0),
        subject: Id::from(&*identity.id.0),
        aal,
        methods,
        claims: claims(whoami.identity, pointers),
    };
    Ok((session, expires_at))
}

/// What stands at these pointers; the identity is read in full only where some are asked for.
fn claims(identity: &RawValue, pointers: &[Pointer]) -> Claims {
    if pointers.is_empty() {
        return Claims::default();
    }
    let identity: Value = serde_json::from_str(identity.get()).unwrap_or_default();
    let at =
        |pointer: &Pointer| Some((pointer.clone(), claim(identity.pointer(pointer.as_str())?)?));
    Claims::new(pointers.iter().filter_map(at).collect())
}

fn claim(value: &Value) -> Option<Claim> {
    match value {
        Value::Array(elements) => Some(Claim::Many(elements.iter().map(scalar).collect())),
        one => scalar(one).map(Claim::One),
    }
}

fn scalar(value: &Value) -> Option<Scalar> {
    match value {
        Value::String(text) => Some(Scalar::Text(text.as_str().into())),
        Value::Number(number) => Some(Scalar::Number(number.to_string().into())),
        Value::Bool(value) => Some(Scalar::Bool(*value)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

impl AuthenticationMethod<'_> {
    fn to_domain(&self) -> Method {
        let text = self.method.0.as_ref();
        let known = METHODS.into_iter().find(|name| *name == text);
        Method {
            name: known.map_or_else(|| text.to_owned().into(), Cow::Borrowed),
            aal: self.aal.as_ref().and_then(|aal| Aal::parse(&aal.0)),
            completed_at: self.completed_at.as_ref().and_then(|text| time(&text.0)),
        }
    }
}

/// RFC 3339.
fn time(text: &str) -> Option<SystemTime> {
    SystemTime::try_from(text.parse::<Timestamp>().ok()?).ok()
}

/// Whether an error body names this id.
pub(super) fn is_error(body: &[u8], id: &str) -> bool {
    error_id(body).as_deref() == Some(id)
}

/// The id that an error body names.
pub(super) fn error_id(body: &[u8]) -> Option<Box<str>> {
    object::read::<ErrorBody>(body)?.error.0.id
}

/// The second factors that a settings flow shows set up, by the nodes that take them away.
pub(super) fn factors_set_up(body: &[u8]) -> Option<Vec<Factor>> {
    let flow: Flow = object::read(body)?;
    let nodes = flow.ui.nodes.unwrap_or_default();
    let mut factors = Vec::new();
    for factor in nodes
        .iter()
        .filter_map(|node| factor_of(node.attributes.name.as_deref()?))
    {
        if !factors.contains(&factor) {
            factors.push(factor);
        }
    }
    Some(factors)
}

fn factor_of(node: &str) -> Option<Factor> {
    match node {
        "totp_unlink" => Some(Factor::Totp),
        "webauthn_remove" => Some(Factor::Webauthn),
        "lookup_secret_reveal" | "lookup_secret_disable" => Some(Factor::LookupSecret),
        _ => None,
    }
}

#[cfg(test)]
mod lies;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn told(body: &[u8], pointers: &[Pointer], now: SystemTime) -> Standing {
        standing(body, pointers, now).0
    }

    fn now() -> SystemTime {
        time("2026-11-24T12:00:00Z").unwrap()
    }

    fn whoami() -> Value {
        json!({
            "id": "5e551011-0000-4000-8000-000000000001",
            "active": true,
            "expires_at": "2026-11-24T13:00:00.123456789Z",
            "authenticated_at": "2026-11-24T11:59:00Z",
            "authenticator_assurance_level": "aal2",
            "authentication_methods": [
                {"method": "password", "aal": "aal1", "completed_at": "2026-11-24T11:00:00Z"},
                {"method": "totp", "aal": "aal2", "completed_at": "2026-11-24T11:59:00.5Z"},
            ],
            "identity": {"id": "1de11111-0000-4000-8000-000000000001", "traits": {"email": "ann@example.test"}},
            "devices": [{"id": "d", "ip_address": "127.0.0.1:1234", "user_agent": null}],
        })
    }

    fn with(path: &str, value: Value) -> Standing {
        let mut body = whoami();
        *body.pointer_mut(path).unwrap() = value;
        told(body.to_string().as_bytes(), &[], now())
    }

    #[test]
    fn a_session_is_read_as_kratos_writes_it() {
        let Standing::Session(session) = told(whoami().to_string().as_bytes(), &[], now()) else {
            panic!("no session")
        };
        assert_eq!(session.aal, Aal::Aal2);
        assert_eq!(&*session.subject, "1de11111-0000-4000-8000-000000000001");
        assert_eq!(
            session.second_factor_at(&[]),
            now().checked_sub(Duration::from_millis(59_500))
        );
    }

    #[test]
    fn only_what_is_asked_for_is_kept_of_an_identity() {
        let mut body = whoami();
        body["identity"]["metadata_public"] = json!({"role": "admin", "level": 3, "on": true, "groups": ["a", 1, null, {}], "o": {}, "n": null});
        let names = ["role", "level", "on", "groups", "o", "n", "none"];
        let pointers =
            names.map(|name| Pointer::parse(&format!("/metadata_public/{name}")).unwrap());
        let Standing::Session(session) = told(body.to_string().as_bytes(), &pointers, now()) else {
            panic!("no session")
        };
        let text = |text: &str| Scalar::Text(text.into());
        let number = |text: &str| Scalar::Number(text.into());
        let groups = vec![Some(text("a")), Some(number("1")), None, None];
        let expected = [
            Some(Claim::One(text("admin"))),
            Some(Claim::One(number("3"))),
            Some(Claim::One(Scalar::Bool(true))),
            Some(Claim::Many(groups)),
            None,
            None,
            None,
        ];
        for (pointer, expected) in pointers.iter().zip(expected) {
            assert_eq!(
                session.claims.get(pointer),
                expected.as_ref(),
                "{pointer:?}"
            );
        }
    }

    #[test]
    fn a_session_that_is_over_is_none() {
        assert_eq!(with("/active", json!(false)), Standing::SignedOut);
        assert_eq!(
            with("/expires_at", json!("2026-11-24T12:00:00Z")),
            Standing::SignedOut
        );
    }

    #[test]
    fn what_cannot_be_read_proves_nothing() {
        assert_eq!(
            with("/authenticator_assurance_level", json!("aal3")),
            UNAVAILABLE
        );
        assert_eq!(
            with("/authenticator_assurance_level", json!("AAL2")),
            UNAVAILABLE
        );
        assert_eq!(with("/expires_at", json!("soon")), UNAVAILABLE);
        assert_eq!(with("/active", json!("true")), UNAVAILABLE);
        assert_eq!(with("/identity", json!(null)), UNAVAILABLE);
        for body in ["", "{}", "[]", "null", "<html>", r#"{"active":true}"#] {
            assert_eq!(told(body.as_bytes(), &[], now()), UNAVAILABLE, "{body}");
        }
        let twice =
            whoami()
                .to_string()
                .replacen('{', r#"{"authenticator_assurance_level":"aal2","#, 1);
        assert_eq!(told(twice.as_bytes(), &[], now()), UNAVAILABLE);
    }

    #[test]
    fn an_unreadable_completion_or_level_of_a_method_is_none() {
        let Standing::Session(session) =
            with("/authentication_methods/1/completed_at", json!("late"))
        else {
            panic!()
        };
        assert_eq!(session.second_factor_at(&[]), None);
        let Standing::Session(session) = with("/authentication_methods/1/aal", json!("aal9"))
        else {
            panic!()
        };
        assert!(!session.used_second_factor(&[Factor::Totp]));
        let Standing::Session(session) = with("/authentication_methods", json!(null)) else {
            panic!()
        };
        assert!(session.methods.is_empty());
    }

    #[test]
    fn a_settings_flow_tells_the_factors_by_the_nodes_that_take_them_away() {
        let flow = |names: &[&str]| {
            let nodes: Vec<_> = names
                .iter()
                .map(|name| json!({"attributes": {"name": name}}))
                .collect();
            factors_set_up(json!({"ui": {"nodes": nodes}}).to_string().as_bytes())
        };
        assert_eq!(
            flow(&["csrf_token", "totp_code", "lookup_secret_regenerate"]),
            Some(vec![])
        );
        assert_eq!(flow(&["totp_unlink"]), Some(vec![Factor::Totp]));
        let codes = [
            "lookup_secret_reveal",
            "lookup_secret_disable",
            "webauthn_remove",
        ];
        assert_eq!(
            flow(&codes),
            Some(vec![Factor::LookupSecret, Factor::Webauthn])
        );
        assert_eq!(factors_set_up(br#"{"ui":{"nodes":null}}"#), Some(vec![]));
        assert_eq!(factors_set_up(b"{}"), None);
    }
}
