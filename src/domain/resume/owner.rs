//! Who posted a form, as the browser may know it: a keyed hash, from which no session can be told.

use hmac::Mac;

use crate::domain::{
    marker::{Secret, hex},
    origin::Origin,
};

/// Sets this hash apart from any other under the same secret.
const LABEL: &[u8] = b"stepgate resume 1";

/// The hash, in 64 lower-case hexadecimal digits. It is another on each origin and under each secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner(Box<str>);

impl Owner {
    /// The holder of the session with this id.
    #[must_use]
    pub fn of(secret: &Secret, origin: &Origin, session: &str) -> Self {
        Self::hash(secret, origin, b"+", session)
    }

    /// Whoever is signed out.
    #[must_use]
    pub fn nobody(secret: &Secret, origin: &Origin) -> Self {
        Self::hash(secret, origin, b"-", "")
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn hash(secret: &Secret, origin: &Origin, known: &[u8], session: &str) -> Self {
        let origin = origin.to_string();
        let parts = [LABEL, origin.as_bytes(), known, session.as_bytes()];
        Self(hex(&secret.sign(&parts).finalize().into_bytes()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{host::Authority, reply::tests::policy};

    #[test]
    fn an_owner_is_another_for_each_session_origin_and_secret() {
        let policy = policy();
        let origin = |host: &str| {
            let authority = Authority::parse(host.as_bytes()).unwrap();
            policy.locate(&authority).unwrap().origin
        };
        let (app, staff) = (origin("app.test"), origin("staff.test"));
        let secret = Secret::new(b"not-a-secret-but-another-long-one").unwrap();
        let all = [
            Owner::nobody(&policy.secret, &app),
            Owner::of(&policy.secret, &app, ""),
            Owner::of(&policy.secret, &app, "s1"),
            Owner::of(&policy.secret, &app, "s2"),
            Owner::of(&policy.secret, &staff, "s1"),
            Owner::of(&secret, &app, "s1"),
        ];
        for (place, owner) in all.iter().enumerate() {
            assert_eq!(owner.as_str().len(), 64);
            assert!(!all[..place].contains(owner), "{place}");
        }
        assert_eq!(Owner::of(&policy.secret, &app, "s1"), all[2]);
    }
}
