//! Whatever becomes of a good answer, what is read off it stands in it.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const NOW: &str = "2026-11-24T12:00:00Z";

fn good() -> Value {
    json!({
        "id": "5e551011",
        "active": true,
        "expires_at": "2026-11-24T13:00:00Z",
        "authenticator_assurance_level": "aal1",
        "authentication_methods": [
            {"method": "password", "aal": "aal1", "completed_at": "2026-11-24T11:00:00Z"},
            {"method": "totp", "aal": "aal1", "completed_at": "2026-11-24T11:59:00Z"},
        ],
        "identity": {"id": "1de11111", "metadata_public": {"role": "viewer"}},
    })
}

const PLACES: [&str; 12] = [
    "",
    "/id",
    "/active",
    "/expires_at",
    "/authenticator_assurance_level",
    "/authentication_methods",
    "/authentication_methods/0",
    "/authentication_methods/1/aal",
    "/authentication_methods/1/method",
    "/authentication_methods/1/completed_at",
    "/identity",
    "/identity/metadata_public/role",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|on| json!(on)),
        any::<f64>().prop_map(|number| json!(number)),
        prop::sample::select(
            &[
                "aal2",
                "AAL2",
                "aal2 ",
                "aal3",
                "aal0",
                "true",
                "admin",
                "totp",
                "2026-11-24T12:00:00Z",
                "2026-11-24T12:00:01+01:00",
                "9999-12-31T23:59:59Z",
                "2026-11-24T13:00:00",
                "",
            ][..]
        )
        .prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec(
                (
                    prop::sample::select(&["id", "aal", "method", "active", "role"][..]),
                    inner
                ),
                0..4
            )
            .prop_map(|pairs| pairs
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect()),
        ]
    })
}

/// The good answer with some places rewritten, and then some bytes.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let rewrites = prop::collection::vec((prop::sample::select(&PLACES[..]), value()), 0..4);
    let bytes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    (rewrites, bytes).prop_map(|(rewrites, bytes)| {
        let mut body = good();
        for (place, value) in rewrites {
            if let Some(found) = body.pointer_mut(place) {
                *found = value;
            }
        }
        let mut text = body.to_string().into_bytes();
        for (at, byte) in bytes {
            let at = at.index(text.len());
            text[at] = byte;
        }
        text
    })
}

fn check(session: &Session, said: &Value, role: &Pointer) {
    assert_eq!(said["active"], json!(true));
    assert_eq!(said["id"], *session.id);
    assert_eq!(said["identity"]["id"], *session.subject);
    assert_eq!(said["authenticator_assurance_level"], session.aal.as_str());
    let expires_at: Timestamp = said["expires_at"].as_str().unwrap().parse().unwrap();
    assert!(expires_at > NOW.parse().unwrap());
    for (at, method) in session.methods.iter().enumerate() {
        let told = &said["authentication_methods"][at];
        assert_eq!(told["method"], *method.name);
        if let Some(aal) = method.aal {
            assert_eq!(told["aal"], aal.as_str());
        }
        if let Some(completed_at) = method.completed_at {
            let told: Timestamp = told["completed_at"].as_str().unwrap().parse().unwrap();
            assert_eq!(SystemTime::try_from(told).unwrap(), completed_at);
        }
    }
    if let Some(Claim::One(Scalar::Text(text))) = session.claims.get(role) {
        assert_eq!(said["identity"]["metadata_public"]["role"], **text);
    }
}

proptest! {
    #[test]
    fn no_session_is_read_that_is_not_written(body in body()) {
        let role = Pointer::parse("/metadata_public/role").unwrap();
        let read = standing(&body, std::slice::from_ref(&role), time(NOW).unwrap()).0;
        if let Standing::Session(session) = read {
            let said: Value = serde_json::from_slice(&body).unwrap();
            check(&session, &said, &role);
        }
    }

    #[test]
    fn any_bytes_are_read_or_not(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = standing(&body, &[], time(NOW).unwrap());
        let _ = is_error(&body, "session_aal2_required");
        let _ = factors_set_up(&body);
    }
}
