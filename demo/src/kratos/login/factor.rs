//! Checking what a login form was filled with: a password, a code of an app, or a backup code (K-73, K-78, K-79).

use serde_json::Value;
use uuid::Uuid;

use super::super::asked::{Asked, Fields};
use super::super::csrf::Csrf;
use super::super::errors::Fault;
use super::super::identity::Identity;
use super::super::nodes;
use super::super::session::{Aal, Method};
use super::super::state::Kratos;
use super::LoginFlow;

/// Why a form wasn't accepted.
#[derive(Debug)]
pub(super) enum Refused {
    /// The form comes back with a message above it.
    Message(Value),
    /// The form comes back with a message at each field that was left out.
    Missing(Vec<&'static str>),
    /// The form isn't shown again.
    Fault(Fault),
}

/// Which method a form names, and who proved it.
#[derive(Debug)]
pub(super) struct Proof {
    pub(super) method: Method,
    pub(super) identity: Uuid,
}

/// Checks `fields` against `flow`; `session_of` is whose session was shown.
pub(super) fn check(
    kratos: &Kratos,
    asked: &Asked,
    csrf: &Csrf,
    flow: &mut LoginFlow,
    session_of: Option<Uuid>,
) -> Result<Proof, Refused> {
    let fields = asked.fields();
    let named = fields
        .text("method")
        .and_then(Method::named)
        .filter(|method| method.aal() == flow.aal);
    let Some(method) = named else {
        let text =
            "Could not find a strategy to log you in with. Did you fill out the form correctly?";
        return Err(Refused::Message(nodes::message(4_010_002, "error", text)));
    };
    let checked = check_method(kratos, asked, csrf, flow, session_of, method, &fields);
    if let Err(refused) = &checked {
        flow.after_refusal(method, csrf, &fields, refused);
    }
    checked.map(|identity| Proof { method, identity })
}

fn check_method(
    kratos: &Kratos,
    asked: &Asked,
    csrf: &Csrf,
    flow: &LoginFlow,
    session_of: Option<Uuid>,
    method: Method,
    fields: &Fields,
) -> Result<Uuid, Refused> {
    let missing: Vec<&'static str> = required(method)
        .iter()
        .copied()
        .filter(|name| field(fields, name).is_none())
        .collect();
    if !missing.is_empty() {
        return Err(Refused::Missing(missing));
    }
    guard(kratos, asked, csrf, flow, fields)?;
    match method.aal() {
        Aal::Aal1 => password(kratos, fields),
        Aal::Aal2 => second_factor(kratos, session_of, method, fields),
    }
}

fn required(method: Method) -> &'static [&'static str] {
    match method {
        Method::Password => &["identifier", "password"],
        Method::Totp => &["totp_code"],
        Method::LookupSecret => &["lookup_secret"],
        // No login form takes it.
        Method::CodeRecovery => &["code"],
    }
}

fn field<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    let old_name = || {
        if name == "identifier" {
            fields.text("password_identifier")
        } else {
            None
        }
    };
    fields.text(name).or_else(old_name)
}

/// A browser's form needs its token (K-80); a native app's must not come from a browser (K-109).
fn guard(
    kratos: &Kratos,
    asked: &Asked,
    csrf: &Csrf,
    flow: &LoginFlow,
    fields: &Fields,
) -> Result<(), Refused> {
    if !flow.api {
        let sent = fields.text("csrf_token");
        return if csrf.fits(sent) {
            Ok(())
        } else {
            Err(Refused::Fault(kratos.jar.fault(asked, sent)))
        };
    }
    match browser_header(asked) {
        Some(reason) => Err(Refused::Message(nodes::refusal(&reason))),
        None => Ok(()),
    }
}

/// What gives a browser away in a native app's request.
pub(crate) fn browser_header(asked: &Asked) -> Option<String> {
    let (key, how) = if asked.header("origin").is_some() {
        ("Origin", "as part of an AJAX request in a Browser")
    } else if asked.cookies().is_empty() {
        return None;
    } else {
        ("Cookie", "by a Browser")
    };
    Some(format!(
        "The HTTP Request Header included the \"{key}\" key, indicating that this request was made {how}. The flow \
         however was initiated as an API request. To prevent potential misuse and mitigate several attack vectors \
         including CSRF, the request has been blocked. Please consult the documentation."
    ))
}

fn password(kratos: &Kratos, fields: &Fields) -> Result<Uuid, Refused> {
    let store = kratos.store();
    let identity = field(fields, "identifier").and_then(|email| store.identity_by_email(email));
    let given = fields.text("password").unwrap_or_default();
    let Some(identity) = identity.filter(|identity| identity.has_password(given)) else {
        let text = "The provided credentials are invalid, check for spelling mistakes in your password or username, \
                    email address, or phone number.";
        return Err(Refused::Message(nodes::message(4_000_006, "error", text)));
    };
    if identity.active {
        Ok(identity.id)
    } else {
        Err(Refused::Fault(Fault::disabled(&identity.id.to_string())))
    }
}

fn second_factor(
    kratos: &Kratos,
    session_of: Option<Uuid>,
    method: Method,
    fields: &Fields,
) -> Result<Uuid, Refused> {
    let mut store = kratos.store();
    let identity = session_of.and_then(|id| store.identities.get_mut(&id));
    let Some(identity) = identity else {
        return Err(Refused::Fault(Fault::aal1_required()));
    };
    let refusal = match method {
        Method::LookupSecret => backup_code(
            kratos,
            identity,
            fields.text("lookup_secret").unwrap_or_default(),
        ),
        _ => app_code(
            kratos,
            identity,
            fields.text("totp_code").unwrap_or_default(),
        ),
    };
    match refusal {
        Some((id, text)) => Err(Refused::Message(nodes::message(id, "error", text))),
        None => Ok(identity.id),
    }
}

fn app_code(kratos: &Kratos, identity: &Identity, code: &str) -> Option<(u32, &'static str)> {
    match &identity.totp {
        None => Some((4_000_011, "You have no TOTP device set up.")),
        Some(totp) if totp.value.accepts(code, kratos.now()) => None,
        Some(_) => Some((
            4_000_008,
            "The provided authentication code is invalid, please try again.",
        )),
    }
}

/// A backup code serves once.
fn backup_code(
    kratos: &Kratos,
    identity: &mut Identity,
    given: &str,
) -> Option<(u32, &'static str)> {
    let Some(lookup) = &mut identity.lookup else {
        return Some((4_000_014, "You have no backup recovery codes set up."));
    };
    let Some(code) = lookup.value.iter_mut().find(|code| code.code == given) else {
        return Some((4_000_016, "The backup recovery code is not valid."));
    };
    if code.used_at.is_some() {
        return Some((
            4_000_012,
            "This backup recovery code has already been used.",
        ));
    }
    code.used_at = Some(kratos.now());
    None
}

impl LoginFlow {
    /// The form as it comes back: a new token, the code emptied, the name kept.
    fn after_refusal(&mut self, method: Method, csrf: &Csrf, fields: &Fields, refused: &Refused) {
        if matches!(refused, Refused::Fault(_)) {
            return;
        }
        if !self.api {
            nodes::renew_csrf(&mut self.nodes, csrf.token());
        }
        match method {
            Method::Password => {
                self.keep_identifier(field(fields, "identifier").unwrap_or_default());
            }
            Method::Totp => nodes::reset(&mut self.nodes, "totp_code"),
            Method::LookupSecret => nodes::reset(&mut self.nodes, "lookup_secret"),
            Method::CodeRecovery => {}
        }
    }

    fn keep_identifier(&mut self, given: &str) {
        let value = nodes::named(&mut self.nodes, "identifier")
            .and_then(|node| node.pointer_mut("/attributes/value"));
        if let Some(value) = value {
            *value = Value::from(given);
        }
    }
}
