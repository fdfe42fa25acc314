//! Submits that wait for the password to be given again (K-96).
//!
//! The form is kept under a cookie of its own for a quarter of an hour; the browser comes back by GET, and it goes on as
//! if it had just been sent. It goes on once, and only for its own flow and person.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::super::asked::{Asked, Fields};
use super::super::clock::after;
use super::super::cookie::Copy;
use super::super::state::Kratos;
use super::SettingsFlow;

const NAME: &str = "ory_kratos_continuity";
const KEPT: Duration = Duration::from_secs(15 * 60);
/// Thirty days, as the cookie itself lives.
const COOKIE: Duration = Duration::from_secs(30 * 24 * 3600);

/// A form that waits.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    flow: Uuid,
    identity: Uuid,
    fields: Fields,
    until: Timestamp,
}

/// Keeps `fields` and returns the `Set-Cookie` that finds them again.
pub(super) fn hold(kratos: &Kratos, flow: &SettingsFlow, fields: &Fields) -> String {
    let id = Uuid::new_v4();
    let held = Held {
        flow: flow.id,
        identity: flow.identity,
        fields: fields.clone(),
        until: after(kratos.now(), KEPT),
    };
    kratos.store().held.put(id, held);
    cookie(kratos, &id.to_string())
}

/// Takes the form that waits for `flow`.
pub(super) fn take(kratos: &Kratos, asked: &Asked, flow: &SettingsFlow) -> Option<Fields> {
    let id = held_id(kratos, asked)?;
    let mut store = kratos.store();
    let held = store.held.get(id)?;
    if held.flow != flow.id || held.identity != flow.identity || held.until < kratos.now() {
        return None;
    }
    store.held.take(id).map(|held| held.fields)
}

/// Forgets whatever waits, as every new form does; the `Set-Cookie` says so.
pub(super) fn forget(kratos: &Kratos, asked: &Asked) -> Option<String> {
    let id = held_id(kratos, asked)?;
    kratos.store().held.take(id);
    Some(cookie(kratos, ""))
}

fn held_id(kratos: &Kratos, asked: &Asked) -> Option<Uuid> {
    let cookies = asked.cookies();
    let (_, value) = cookies.iter().find(|(name, _)| name == NAME)?;
    Uuid::parse_str(&kratos.seal.open(value).ok()?.token).ok()
}

fn cookie(kratos: &Kratos, held: &str) -> String {
    let now = kratos.now();
    let until = after(now, COOKIE);
    let copy = Copy {
        token: held.to_owned(),
        expires_at: until,
    };
    let (value, left) = (kratos.seal.close(&copy, now), COOKIE.as_secs());
    let until = until.strftime("%a, %d %b %Y %H:%M:%S GMT");
    format!("{NAME}={value}; Path=/; Expires={until}; Max-Age={left}; HttpOnly; SameSite=Lax")
}
