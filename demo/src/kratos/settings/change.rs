//! What a settings form changes: traits, password, authenticator app and backup codes (K-90 to K-97).

use serde_json::{Value, json};

use super::super::asked::Fields;
use super::super::identity::{BackupCode, Credential, Identity};
use super::super::nodes;
use super::super::random;
use super::super::session::Method;
use super::super::state::Kratos;
use super::SettingsFlow;

/// How many backup codes are made at a time.
const CODES: usize = 12;

/// What a form asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    Profile,
    Password,
    LinkApp,
    UnlinkApp,
    RevealCodes,
    NewCodes,
    ConfirmCodes,
    DisableCodes,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is saved; a method that was proven by the way lifts the session (K-90).
    Saved(Option<Method>),
    /// The form goes on.
    Shown,
    /// A message above the form, or at the field of that name.
    Refused(Option<&'static str>, Value),
}

impl Change {
    /// The buttons of backup codes and of unlinking speak for themselves; the rest goes by `method`.
    pub(super) fn asked(fields: &Fields) -> Option<Self> {
        let buttons = [
            ("lookup_secret_confirm", Self::ConfirmCodes),
            ("lookup_secret_reveal", Self::RevealCodes),
            ("lookup_secret_disable", Self::DisableCodes),
            ("lookup_secret_regenerate", Self::NewCodes),
            ("totp_unlink", Self::UnlinkApp),
        ];
        let pressed = buttons
            .into_iter()
            .find_map(|(name, change)| fields.is_set(name).then_some(change));
        pressed.or(match fields.text("method") {
            Some("profile") => Some(Self::Profile),
            Some("password") => Some(Self::Password),
            Some("totp") => Some(Self::LinkApp),
            _ => None,
        })
    }

    /// Whether it needs a recent login; ordinary traits don't (K-96).
    pub(super) fn is_privileged(self, fields: &Fields, identity: &Identity) -> bool {
        match self {
            Self::Profile => fields.below("traits").get("email") != identity.traits.get("email"),
            _ => true,
        }
    }

    /// Changes `identity`, or says why not.
    pub(super) fn make(
        self,
        kratos: &Kratos,
        fields: &Fields,
        flow: &mut SettingsFlow,
        identity: &mut Identity,
    ) -> Outcome {
        match self {
            Self::Profile => profile(fields, identity),
            Self::Password => password(kratos, fields, identity),
            Self::LinkApp => link_app(kratos, fields, flow, identity),
            Self::UnlinkApp => match identity.totp.take() {
                Some(_) => Outcome::Saved(None),
                None => missing("totp_code", "totp_code"),
            },
            Self::RevealCodes => reveal_codes(flow, identity),
            Self::NewCodes => new_codes(flow),
            Self::ConfirmCodes => confirm_codes(kratos, flow, identity),
            Self::DisableCodes => {
                identity.lookup = None;
                Outcome::Saved(None)
            }
        }
    }
}

/// `field` was left out, which Kratos calls `property`.
fn missing(field: &'static str, property: &str) -> Outcome {
    Outcome::Refused(Some(field), nodes::missing(property))
}

fn profile(fields: &Fields, identity: &mut Identity) -> Outcome {
    let traits = fields.below("traits");
    if traits
        .get("email")
        .and_then(Value::as_str)
        .is_none_or(str::is_empty)
    {
        return missing("traits.email", "email");
    }
    identity.traits = traits;
    // Kratos loses the time by this one change.
    identity.state_changed_at = None;
    Outcome::Saved(None)
}

fn password(kratos: &Kratos, fields: &Fields, identity: &mut Identity) -> Outcome {
    let Some(password) = fields.text("password") else {
        return missing("password", "password");
    };
    if password.chars().count() < 8 {
        let text = format!(
            "The password must be at least 8 characters long, but got {}.",
            password.chars().count()
        );
        let mut message = nodes::message(4_000_032, "error", &text);
        if let Some(members) = message.as_object_mut() {
            let context = json!({ "actual_length": password.chars().count(), "min_length": 8 });
            members.insert(String::from("context"), context);
        }
        return Outcome::Refused(Some("password"), message);
    }
    identity.set_password(password, kratos.now());
    Outcome::Saved(None)
}

fn link_app(
    kratos: &Kratos,
    fields: &Fields,
    flow: &SettingsFlow,
    identity: &mut Identity,
) -> Outcome {
    let Some(code) = fields.text("totp_code") else {
        return missing("totp_code", "totp_code");
    };
    if !flow.offered.accepts(code, kratos.now()) {
        let text = "The provided authentication code is invalid, please try again.";
        return Outcome::Refused(Some("totp_code"), nodes::message(4_000_008, "error", text));
    }
    identity.totp = Some(Credential::new(flow.offered.clone(), kratos.now()));
    Outcome::Saved(Some(Method::Totp))
}

fn without_codes(flow: &mut SettingsFlow) {
    let is_codes =
        |node: &Value| node.get("group").and_then(Value::as_str) == Some("lookup_secret");
    flow.nodes.retain(|node| !is_codes(node));
}

fn reveal_codes(flow: &mut SettingsFlow, identity: &Identity) -> Outcome {
    let Some(lookup) = &identity.lookup else {
        return Outcome::Refused(
            None,
            nodes::refusal("Can not reveal lookup codes because you have none."),
        );
    };
    without_codes(flow);
    let codes = lookup
        .value
        .iter()
        .map(|code| (code.code.as_str(), code.used_at));
    flow.nodes.extend(nodes::revealed_codes(codes));
    Outcome::Shown
}

fn new_codes(flow: &mut SettingsFlow) -> Outcome {
    flow.fresh_codes = (0..CODES).map(|_| random::lower(8)).collect();
    without_codes(flow);
    flow.nodes.extend(nodes::fresh_codes(&flow.fresh_codes));
    Outcome::Shown
}

fn confirm_codes(kratos: &Kratos, flow: &mut SettingsFlow, identity: &mut Identity) -> Outcome {
    if flow.fresh_codes.len() != CODES {
        let reason = "You must (re-)generate recovery backup codes before you can save them.";
        return Outcome::Refused(None, nodes::refusal(reason));
    }
    let codes = std::mem::take(&mut flow.fresh_codes);
    let codes = codes
        .into_iter()
        .map(|code| BackupCode {
            code,
            used_at: None,
        })
        .collect();
    identity.lookup = Some(Credential::new(codes, kratos.now()));
    Outcome::Saved(Some(Method::LookupSecret))
}
