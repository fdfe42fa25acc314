//! A person: traits, state and credentials, and how the admin API and a session show them.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::clock::stored;
use super::totp::Authenticator;

/// A credential and when it came to be.
#[derive(Clone, Debug)]
pub(crate) struct Credential<T> {
    pub(crate) value: T,
    created_at: Timestamp,
}

impl<T> Credential<T> {
    pub(crate) fn new(value: T, now: Timestamp) -> Self {
        Self {
            value,
            created_at: stored(now),
        }
    }
}

/// A backup code, and when it was used.
#[derive(Clone, Debug)]
pub(crate) struct BackupCode {
    pub(crate) code: String,
    pub(crate) used_at: Option<Timestamp>,
}

/// A person.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) id: Uuid,
    pub(crate) active: bool,
    /// Kratos forgets it when a person edits their traits.
    pub(crate) state_changed_at: Option<Timestamp>,
    pub(crate) traits: Map<String, Value>,
    pub(crate) metadata_public: Value,
    pub(crate) metadata_admin: Value,
    recovery_id: Uuid,
    created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) password: Option<Credential<Vec<u8>>>,
    pub(crate) totp: Option<Credential<Authenticator>>,
    pub(crate) lookup: Option<Credential<Vec<BackupCode>>>,
}

/// The credential types an admin may ask for with `include_credential`.
const KNOWN: [&str; 9] = [
    "password",
    "oidc",
    "totp",
    "lookup_secret",
    "webauthn",
    "code",
    "passkey",
    "profile",
    "saml",
];

impl Identity {
    pub(crate) fn new(traits: Map<String, Value>, now: Timestamp) -> Self {
        Self {
            id: Uuid::new_v4(),
            active: true,
            state_changed_at: Some(now),
            traits,
            metadata_public: Value::Null,
            metadata_admin: Value::Null,
            recovery_id: Uuid::new_v4(),
            created_at: stored(now),
            updated_at: stored(now),
            password: None,
            totp: None,
            lookup: None,
        }
    }

    /// The trait that people log in with.
    pub(crate) fn email(&self) -> &str {
        self.traits
            .get("email")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    pub(crate) fn set_password(&mut self, password: &str, now: Timestamp) {
        self.password = Some(Credential::new(digest(self.id, password), now));
    }

    pub(crate) fn has_password(&self, password: &str) -> bool {
        self.password
            .as_ref()
            .is_some_and(|kept| kept.value == digest(self.id, password))
    }

    /// Whether `highest_available` means aal2 for this person; used-up codes still count (K-95).
    pub(crate) fn has_second_factor(&self) -> bool {
        self.totp.is_some() || self.lookup.is_some()
    }

    /// Turns the account on or off.
    pub(crate) fn set_active(&mut self, active: bool, now: Timestamp) {
        if self.active != active {
            (self.active, self.state_changed_at) = (active, Some(now));
        }
    }

    /// As a session shows it; `base` is the public base URL without its last slash.
    pub(crate) fn json(&self, base: &str) -> Value {
        let mut members = Map::new();
        self.head(base, &mut members);
        members.insert(
            String::from("metadata_public"),
            self.metadata_public.clone(),
        );
        self.tail(&mut members);
        Value::Object(members)
    }

    /// As the admin API shows it.
    pub(crate) fn admin_json(&self, base: &str, credentials: Value) -> Value {
        let mut members = Map::new();
        self.head(base, &mut members);
        members.shift_insert(1, String::from("credentials"), credentials);
        members.insert(
            String::from("metadata_public"),
            self.metadata_public.clone(),
        );
        members.insert(String::from("metadata_admin"), self.metadata_admin.clone());
        self.tail(&mut members);
        Value::Object(members)
    }

    fn head(&self, base: &str, members: &mut Map<String, Value>) {
        let state = if self.active { "active" } else { "inactive" };
        let head = json!({
            "id": self.id.to_string(),
            "schema_id": "default",
            "schema_url": format!("{base}/schemas/ZGVmYXVsdA"),
            "state": state,
            "state_changed_at": self.state_changed_at.map(|at| at.to_string()),
            "traits": self.traits,
            "recovery_addresses": [{
                "id": self.recovery_id.to_string(),
                "value": self.email(),
                "via": "email",
                "created_at": self.created_at.to_string(),
                "updated_at": self.created_at.to_string(),
            }],
        });
        members.extend(head.as_object().cloned().unwrap_or_default());
        if self.state_changed_at.is_none() {
            members.shift_remove("state_changed_at");
        }
    }

    fn tail(&self, members: &mut Map<String, Value>) {
        members.insert(
            String::from("created_at"),
            Value::from(self.created_at.to_string()),
        );
        members.insert(
            String::from("updated_at"),
            Value::from(self.updated_at.to_string()),
        );
        members.insert(String::from("organization_id"), Value::Null);
    }

    /// The credentials, each with its `config` only where `included` names it (K-98).
    pub(crate) fn credentials(&self, included: &[String], issuer: &str) -> Value {
        let id = self.id.to_string();
        let mut members = Map::new();
        if let Some(lookup) = &self.lookup {
            let config =
                json!({ "recovery_codes": lookup.value.iter().map(code_json).collect::<Vec<_>>() });
            members.insert(
                String::from("lookup_secret"),
                credential("lookup_secret", &id, lookup, config, included),
            );
        }
        if let Some(password) = &self.password {
            let config = json!({ "hashed_password": "<redacted>" });
            members.insert(
                String::from("password"),
                credential("password", self.email(), password, config, included),
            );
        }
        if let Some(totp) = &self.totp {
            let config = json!({ "totp_url": totp.value.url(issuer, self.email()) });
            members.insert(
                String::from("totp"),
                credential("totp", &id, totp, config, included),
            );
        }
        Value::Object(members)
    }
}

/// Whether Kratos has a credential type of that name.
pub(crate) fn is_credential_type(name: &str) -> bool {
    KNOWN.contains(&name)
}

fn code_json(code: &BackupCode) -> Value {
    json!({ "code": code.code, "used_at": code.used_at.map(|at| at.to_string()) })
}

fn credential<T>(
    kind: &str,
    identifier: &str,
    kept: &Credential<T>,
    config: Value,
    included: &[String],
) -> Value {
    let mut members = Map::new();
    members.insert(String::from("type"), Value::from(kind));
    members.insert(String::from("identifiers"), json!([identifier]));
    if included.iter().any(|name| name == kind) {
        members.insert(String::from("config"), config);
    }
    members.insert(String::from("version"), Value::from(0));
    members.insert(
        String::from("created_at"),
        Value::from(kept.created_at.to_string()),
    );
    members.insert(
        String::from("updated_at"),
        Value::from(kept.created_at.to_string()),
    );
    Value::Object(members)
}

fn digest(id: Uuid, password: &str) -> Vec<u8> {
    Sha256::digest(format!("{id}:{password}")).to_vec()
}
