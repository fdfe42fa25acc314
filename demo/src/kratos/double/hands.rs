//! What a test does to a double without HTTP: people, sessions, codes, and their age.

use std::time::Duration;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::identity::{BackupCode, Credential, Identity};
use super::super::session::{Device, Method, Session};
use super::super::totp::Authenticator;
use super::Double;

/// Somebody to log in as.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// The trait `email`, and the name to log in with.
    pub email: String,
    /// The first factor.
    pub password: String,
    /// `metadata_public.role`, which people can't edit themselves.
    pub role: Option<String>,
    /// The secret of an authenticator app, base32 without padding.
    pub totp_secret: Option<String>,
    /// Backup codes; none means that they were never made.
    pub backup_codes: Vec<String>,
}

/// A session as a browser holds it.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionCookie {
    name: String,
    value: String,
    session: Uuid,
}

impl SessionCookie {
    /// As it stands in a `Cookie` header: `name=value`.
    #[must_use]
    pub fn header(&self) -> String {
        format!("{}={}", self.name, self.value)
    }

    /// The value alone.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The id of the session it opens.
    #[must_use]
    pub fn session_id(&self) -> String {
        self.session.to_string()
    }
}

impl std::fmt::Debug for SessionCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}=<redacted>", self.name)
    }
}

impl Double {
    /// Adds a person, and returns the identity's id. A person of that email is replaced.
    pub fn add_person(&self, person: Person) -> String {
        let now = self.kratos.now();
        let mut traits = Map::new();
        traits.insert(String::from("email"), Value::from(person.email.clone()));
        let mut identity = Identity::new(traits, now);
        identity.set_password(&person.password, now);
        identity.metadata_public = person
            .role
            .map_or(Value::Null, |role| json!({ "role": role }));
        let app = person
            .totp_secret
            .as_deref()
            .and_then(Authenticator::from_base32);
        identity.totp = app.map(|app| Credential::new(app, now));
        if !person.backup_codes.is_empty() {
            let codes = person
                .backup_codes
                .into_iter()
                .map(|code| BackupCode {
                    code,
                    used_at: None,
                })
                .collect();
            identity.lookup = Some(Credential::new(codes, now));
        }
        let id = identity.id;
        let mut store = self.kratos.store();
        if let Some(old) = store.identity_by_email(&person.email).map(|old| old.id) {
            store.remove_identity(old);
        }
        store.identities.insert(id, identity);
        id.to_string()
    }

    /// Turns a person's account on or off (K-07, K-08); whether there is such a person.
    pub fn set_active(&self, email: &str, active: bool) -> bool {
        let now = self.kratos.now();
        self.change(email, |identity| identity.set_active(active, now))
    }

    /// Takes both second factors away, as an admin does (K-94); whether there is such a person.
    pub fn remove_second_factors(&self, email: &str) -> bool {
        self.change(email, |identity| {
            (identity.totp, identity.lookup) = (None, None);
        })
    }

    /// The code that the person's app shows now; `None` without an app.
    #[must_use]
    pub fn totp_code(&self, email: &str) -> Option<String> {
        let store = self.kratos.store();
        let totp = store.identity_by_email(email)?.totp.as_ref()?;
        Some(totp.value.code(self.kratos.now()))
    }

    /// A new aal1 session by password; `None` if nobody has that email.
    #[must_use]
    pub fn sign_in(&self, email: &str) -> Option<SessionCookie> {
        Some(self.cookie(&self.begin(email)?))
    }

    /// A new aal1 session as a native app holds it: its token.
    #[must_use]
    pub fn sign_in_native(&self, email: &str) -> Option<String> {
        Some(self.begin(email)?.token)
    }

    /// Proves a factor (`password`, `totp` or `lookup_secret`) and returns the new cookie; the old one stays good (K-77).
    /// `None` for another method or a session that is gone.
    pub fn step_up(&self, cookie: &SessionCookie, method: &str) -> Option<SessionCookie> {
        let (method, now) = (Method::named(method)?, self.kratos.now());
        let lifespan = self.kratos.options.lifespan;
        let session = {
            let mut store = self.kratos.store();
            let session = store.session_mut(cookie.session)?;
            session.renew(method, now, lifespan);
            session.clone()
        };
        Some(self.cookie(&session))
    }

    /// The same for a token, which stays the same (K-108); whether it is known.
    pub fn step_up_native(&self, token: &str, method: &str) -> bool {
        let now = self.kratos.now();
        let mut store = self.kratos.store();
        let id = store.session_by_token(token).map(|session| session.id);
        let session = id.and_then(|id| store.session_mut(id));
        match (session, Method::named(method)) {
            (Some(session), Some(method)) => {
                session.renew(method, now, self.kratos.options.lifespan);
                true
            }
            _ => false,
        }
    }

    /// Makes every method of a session, and its login, older, while the clock stands; whether the session is known.
    pub fn age_methods(&self, cookie: &SessionCookie, by: Duration) -> bool {
        let mut store = self.kratos.store();
        store
            .session_mut(cookie.session)
            .map(|session| session.age(by))
            .is_some()
    }

    /// Makes a session's newest second factor exactly this old, and all else older by as much; whether there is such a
    /// session with a second factor.
    pub fn set_factor_age(&self, session: &str, age: Duration) -> bool {
        let now = self.kratos.now();
        let mut store = self.kratos.store();
        let session = Uuid::parse_str(session).ok();
        let session = session.and_then(|id| store.session_mut(id));
        let Some((session, at)) = session.and_then(|session| {
            let at = session.second_factor_at()?;
            Some((session, at))
        }) else {
            return false;
        };
        let is = Duration::try_from(now.duration_since(at)).unwrap_or_default();
        session.age(age.saturating_sub(is));
        true
    }

    /// Ends a session, as an admin does (K-07); whether it is known.
    pub fn revoke(&self, cookie: &SessionCookie) -> bool {
        let mut store = self.kratos.store();
        store
            .session_mut(cookie.session)
            .map(|session| session.active = false)
            .is_some()
    }

    fn change(&self, email: &str, change: impl FnOnce(&mut Identity)) -> bool {
        let mut store = self.kratos.store();
        let id = store.identity_by_email(email).map(|identity| identity.id);
        id.and_then(|id| store.identities.get_mut(&id))
            .map(change)
            .is_some()
    }

    fn begin(&self, email: &str) -> Option<Session> {
        let (now, lifespan) = (self.kratos.now(), self.kratos.options.lifespan);
        let mut store = self.kratos.store();
        let identity = store.identity_by_email(email)?.id;
        let mut session = Session::new(identity, Device::of_a_test(), now, lifespan);
        session.renew(Method::Password, now, lifespan);
        store.put_session(session.clone());
        Some(session)
    }

    fn cookie(&self, session: &Session) -> SessionCookie {
        let value = self.kratos.seal_session(session);
        SessionCookie {
            name: self.kratos.options.cookie_name.clone(),
            value,
            session: session.id,
        }
    }
}
