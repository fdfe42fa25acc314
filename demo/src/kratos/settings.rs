//! Settings flows: the enrolment probe, opening and reading (K-82 to K-89).
//!
//! The session's level is looked at before `return_to`, other than at login (K-88).

mod change;
mod held;
mod submit;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::answer::Answer;
use super::asked::Asked;
use super::clock::after;
use super::csrf::Csrf;
use super::errors::Fault;
use super::go_url::query_escape;
use super::identity::Identity;
use super::login::ui;
use super::nodes;
use super::session::Session;
use super::state::{Kratos, NoSession};
use super::totp::Authenticator;
pub(crate) use held::Held;
pub(crate) use submit::submit;

/// A settings flow.
#[derive(Clone, Debug)]
pub(crate) struct SettingsFlow {
    pub(crate) id: Uuid,
    pub(crate) identity: Uuid,
    api: bool,
    issued_at: Timestamp,
    expires_at: Timestamp,
    request_url: String,
    return_to: Option<String>,
    nodes: Vec<Value>,
    messages: Vec<Value>,
    is_saved: bool,
    /// The secret that this form offers to an app.
    offered: Authenticator,
    /// The codes that were generated and wait to be confirmed.
    fresh_codes: Vec<String>,
}

/// `GET /self-service/settings/browser`.
pub(crate) fn open_browser(kratos: &Kratos, asked: &Asked, csrf: &mut Csrf) -> Answer {
    let return_to = asked.query("return_to");
    let back = return_to.as_ref().map(|_| asked.url());
    let Ok((session, identity)) = who(kratos, asked) else {
        return signed_out(kratos, asked, return_to.as_deref());
    };
    let required = kratos.options.settings_required_aal;
    if let Err(fault) = kratos.satisfies(&session, &identity, required, back.as_deref()) {
        return if asked.is_json() {
            Answer::fault(asked, &fault)
        } else {
            Answer::see_other(asked, &kratos.step_up(back.as_deref()))
        };
    }
    let answer = match open(kratos, asked, csrf, &identity, false) {
        Ok(flow) if asked.accepts_json() => {
            Answer::json(StatusCode::OK, &flow.json(kratos, &identity))
        }
        Ok(flow) => Answer::see_other(asked, &flow.page(kratos)),
        Err(fault) => return kratos.forward(asked, &fault),
    };
    answer.maybe_cookie(held::forget(kratos, asked).as_deref())
}

/// `GET /self-service/settings/api`.
pub(crate) fn open_api(kratos: &Kratos, asked: &Asked, csrf: &mut Csrf) -> Answer {
    let opened = who(kratos, asked)
        .map_err(|_| Fault::native_inactive())
        .and_then(|who| {
            let (session, identity) = who;
            kratos.satisfies(
                &session,
                &identity,
                kratos.options.settings_required_aal,
                None,
            )?;
            let flow = open(kratos, asked, csrf, &identity, true)?;
            Ok(flow.json(kratos, &identity))
        });
    match opened {
        Ok(body) => Answer::json(StatusCode::OK, &body),
        Err(fault) => Answer::fault(asked, &fault),
    }
}

fn who(kratos: &Kratos, asked: &Asked) -> Result<(Session, Identity), NoSession> {
    let store = kratos.store();
    let (session, identity) = kratos.session(&store, asked)?;
    Ok((session.clone(), identity.clone()))
}

/// A browser without a session goes to log in first, and keeps its `return_to` unread (K-84).
fn signed_out(kratos: &Kratos, asked: &Asked, return_to: Option<&str>) -> Answer {
    if asked.is_json() {
        return Answer::fault(asked, &Fault::probe_inactive());
    }
    let query = return_to
        .map(|url| format!("?return_to={}", query_escape(url)))
        .unwrap_or_default();
    Answer::see_other(
        asked,
        &format!("{}/self-service/login/browser{query}", kratos.base),
    )
}

fn open(
    kratos: &Kratos,
    asked: &Asked,
    csrf: &Csrf,
    identity: &Identity,
    api: bool,
) -> Result<SettingsFlow, Fault> {
    let return_to = asked.query("return_to");
    kratos.return_urls.resolve(return_to.as_deref())?;
    let now = kratos.now();
    let offered = Authenticator::generate();
    let flow = SettingsFlow {
        id: Uuid::new_v4(),
        identity: identity.id,
        api,
        issued_at: now,
        expires_at: after(now, kratos.options.flow_lifespan),
        request_url: asked.url(),
        return_to,
        nodes: nodes::settings(
            csrf.token(),
            identity,
            &offered,
            &kratos.options.totp_issuer,
        ),
        messages: Vec::new(),
        is_saved: false,
        offered,
        fresh_codes: Vec::new(),
    };
    kratos.store().settings_flows.put(flow.id, flow.clone());
    Ok(flow)
}

/// The settings that somebody is sent to after a recovery, to choose a new password; whoever has a second factor sees
/// them only after that (K-103).
pub(crate) fn open_after_recovery(
    kratos: &Kratos,
    asked: &Asked,
    csrf: &Csrf,
    person: Uuid,
) -> Option<String> {
    let identity = kratos.store().identities.get(&person).cloned()?;
    let flow = open(kratos, asked, csrf, &identity, false).ok()?;
    Some(flow.page(kratos))
}

/// `GET /self-service/settings/flows?id=`.
pub(crate) fn read(kratos: &Kratos, asked: &Asked, _: &mut Csrf) -> Answer {
    let Ok((session, identity)) = who(kratos, asked) else {
        return turned_away(kratos, asked);
    };
    match readable(kratos, asked, &session, &identity) {
        Ok(flow) => Answer::json(StatusCode::OK, &flow.json(kratos, &identity)),
        Err(fault) => Answer::fault(asked, &fault),
    }
}

/// Forms and submits without a session: the login page, not a login flow.
fn turned_away(kratos: &Kratos, asked: &Asked) -> Answer {
    if asked.is_json() {
        return Answer::fault(asked, &Fault::credential_missing());
    }
    let ui = kratos.options.ui_url.as_str().trim_end_matches('/');
    Answer::redirect(asked, StatusCode::FOUND, &format!("{ui}/login"))
}

fn readable(
    kratos: &Kratos,
    asked: &Asked,
    session: &Session,
    identity: &Identity,
) -> Result<SettingsFlow, Fault> {
    let id = asked.query("id").and_then(|id| Uuid::parse_str(&id).ok());
    let flow = id
        .and_then(|id| kratos.store().settings_flows.get(id).cloned())
        .ok_or_else(Fault::unknown_id)?;
    if flow.identity != identity.id {
        return Err(Fault::someone_else());
    }
    let page = flow.page(kratos);
    kratos.satisfies(
        session,
        identity,
        kratos.options.settings_required_aal,
        Some(&page),
    )?;
    if flow.expires_at < kratos.now() {
        return Err(Fault::flow_expired("settings", flow.way_back(kratos)));
    }
    Ok(flow)
}

impl SettingsFlow {
    fn page(&self, kratos: &Kratos) -> String {
        kratos.page("settings", "flow", &self.id.to_string())
    }

    fn way_back(&self, kratos: &Kratos) -> Value {
        let base = &kratos.base;
        if self.api {
            return json!({ "api": format!("{base}/self-service/settings/api") });
        }
        let return_to = self.return_to.as_deref().unwrap_or_default();
        let query = match return_to {
            "" => String::new(),
            url => format!("?return_to={}", query_escape(url)),
        };
        json!({ "redirect_to": format!("{base}/self-service/settings/browser{query}"), "return_to": return_to })
    }

    fn json(&self, kratos: &Kratos, identity: &Identity) -> Value {
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| members.insert(String::from(name), value);
        put("id", Value::from(self.id.to_string()));
        put(
            "type",
            Value::from(if self.api { "api" } else { "browser" }),
        );
        put("expires_at", Value::from(self.expires_at.to_string()));
        put("issued_at", Value::from(self.issued_at.to_string()));
        put("request_url", Value::from(self.request_url.clone()));
        if let Some(return_to) = &self.return_to {
            put("return_to", Value::from(return_to.clone()));
        }
        put(
            "ui",
            ui(
                &format!("{}/self-service/settings?flow={}", kratos.base, self.id),
                &self.nodes,
                &self.messages,
            ),
        );
        put("identity", identity.json(&kratos.base));
        put(
            "state",
            Value::from(if self.is_saved {
                "success"
            } else {
                "show_form"
            }),
        );
        Value::Object(members)
    }
}
