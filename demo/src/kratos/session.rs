//! A session: one stored thing that many cookie copies, or one token, open.
//!
//! `authenticated_at` and `expires_at` move with every login, step-up and refresh; `completed_at` of each method never
//! does, and `issued_at` stays what it was at the start (K-76, K-100).

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::asked::Asked;
use super::clock::{after, before};
use super::identity::Identity;
use super::random;

/// How much a session proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Aal {
    Aal1,
    Aal2,
}

impl Aal {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Aal1 => "aal1",
            Self::Aal2 => "aal2",
        }
    }
}

/// A way to prove who one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Password,
    Totp,
    LookupSecret,
    /// A code mailed to somebody who lost the password.
    CodeRecovery,
}

impl Method {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Totp => "totp",
            Self::LookupSecret => "lookup_secret",
            Self::CodeRecovery => "code_recovery",
        }
    }

    /// The method of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Password, Self::Totp, Self::LookupSecret]
            .into_iter()
            .find(|method| method.as_str() == name)
    }

    pub(crate) fn aal(self) -> Aal {
        match self {
            Self::Password | Self::CodeRecovery => Aal::Aal1,
            Self::Totp | Self::LookupSecret => Aal::Aal2,
        }
    }
}

/// Where a session was used to log in.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    id: Uuid,
    address: String,
    user_agent: Option<String>,
}

impl Device {
    pub(crate) fn of(asked: &Asked) -> Self {
        let address = asked
            .header("x-forwarded-for")
            .map_or_else(|| asked.peer.to_string(), String::from);
        Self {
            id: Uuid::new_v4(),
            address,
            user_agent: asked.header("user-agent").map(String::from),
        }
    }

    /// The device of a session that no request made.
    pub(crate) fn of_a_test() -> Self {
        Self {
            id: Uuid::new_v4(),
            address: String::from("127.0.0.1:1"),
            user_agent: None,
        }
    }

    /// The same, as the answer to a step-up lists it beside the first: it isn't stored (K-76).
    fn passing(mut self) -> Self {
        self.id = Uuid::nil();
        self
    }

    fn json(&self) -> Value {
        json!({
            "id": self.id.to_string(),
            "ip_address": self.address,
            "user_agent": self.user_agent,
            "location": "",
        })
    }
}

/// A session as the store keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: Uuid,
    pub(crate) token: String,
    pub(crate) logout_token: String,
    pub(crate) identity: Uuid,
    pub(crate) active: bool,
    issued_at: Timestamp,
    pub(crate) authenticated_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    methods: Vec<(Method, Timestamp)>,
    devices: Vec<Device>,
}

impl Session {
    /// A session that begins now, with nothing proven yet.
    pub(crate) fn new(identity: Uuid, device: Device, now: Timestamp, lifespan: Duration) -> Self {
        Self {
            id: Uuid::new_v4(),
            token: format!("ory_st_{}", random::alphanumeric(32)),
            logout_token: format!("ory_lo_{}", random::alphanumeric(32)),
            identity,
            active: true,
            issued_at: now,
            authenticated_at: now,
            expires_at: after(now, lifespan),
            methods: Vec::new(),
            devices: vec![device],
        }
    }

    /// Records a method without renewing the session, as an enrolment does (K-90).
    pub(crate) fn complete(&mut self, method: Method, now: Timestamp) {
        self.methods.push((method, now));
    }

    /// Records a method and renews the session, as a login does (K-74, K-76).
    pub(crate) fn renew(&mut self, method: Method, now: Timestamp, lifespan: Duration) {
        self.complete(method, now);
        self.authenticated_at = now;
        self.expires_at = after(now, lifespan);
    }

    /// Makes every method, and the login itself, older.
    pub(crate) fn age(&mut self, by: Duration) {
        for (_, completed_at) in &mut self.methods {
            *completed_at = before(*completed_at, by);
        }
        self.authenticated_at = before(self.authenticated_at, by);
        self.issued_at = before(self.issued_at, by);
    }

    /// When the newest second factor was given.
    pub(crate) fn second_factor_at(&self) -> Option<Timestamp> {
        let second = self
            .methods
            .iter()
            .filter(|(method, _)| method.aal() == Aal::Aal2);
        second.map(|&(_, at)| at).max()
    }

    /// aal2 needs a first factor and a second.
    pub(crate) fn aal(&self) -> Aal {
        let has = |aal| self.methods.iter().any(|(method, _)| method.aal() == aal);
        if has(Aal::Aal1) && has(Aal::Aal2) {
            Aal::Aal2
        } else {
            Aal::Aal1
        }
    }

    /// Whether it still opens anything, for a person who is active.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        self.active && self.expires_at > now
    }

    /// As whoami shows it.
    pub(crate) fn json(&self, identity: Option<&Identity>, base: &str, now: Timestamp) -> Value {
        self.shown(identity, base, now, self.issued_at, None)
    }

    /// As the answer to a login shows it: issued just now, with the passing device of a step-up.
    pub(crate) fn fresh_json(
        &self,
        identity: Option<&Identity>,
        base: &str,
        now: Timestamp,
        device: Option<Device>,
    ) -> Value {
        self.shown(identity, base, now, self.authenticated_at, device)
    }

    fn shown(
        &self,
        identity: Option<&Identity>,
        base: &str,
        now: Timestamp,
        issued_at: Timestamp,
        device: Option<Device>,
    ) -> Value {
        let devices = self
            .devices
            .iter()
            .cloned()
            .chain(device.map(Device::passing));
        let mut members = self.without_relations(now, issued_at);
        members.insert(
            String::from("identity"),
            identity.map_or(Value::Null, |identity| identity.json(base)),
        );
        members.insert(
            String::from("devices"),
            devices.map(|device| device.json()).collect(),
        );
        Value::Object(members)
    }

    /// As the admin API shows it, without devices; with the identity only where that is asked for.
    pub(crate) fn admin_json(
        &self,
        identity: Option<&Identity>,
        base: &str,
        now: Timestamp,
    ) -> Value {
        let mut members = self.without_relations(now, self.issued_at);
        members.insert(
            String::from("identity"),
            identity.map_or(Value::Null, |identity| identity.json(base)),
        );
        members.insert(String::from("devices"), json!([]));
        Value::Object(members)
    }

    fn without_relations(&self, now: Timestamp, issued_at: Timestamp) -> Map<String, Value> {
        let methods: Vec<Value> = self
            .methods
            .iter()
            .map(|&(method, at)| completed(method, at))
            .collect();
        let session = json!({
            "id": self.id.to_string(),
            "active": self.is_live(now),
            "expires_at": self.expires_at.to_string(),
            "authenticated_at": self.authenticated_at.to_string(),
            "authenticator_assurance_level": self.aal().as_str(),
            "authentication_methods": methods,
            "issued_at": issued_at.to_string(),
        });
        session.as_object().cloned().unwrap_or_default()
    }
}

fn completed(method: Method, at: Timestamp) -> Value {
    json!({ "method": method.as_str(), "aal": method.aal().as_str(), "completed_at": at.to_string() })
}
