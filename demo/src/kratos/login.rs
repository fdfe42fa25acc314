//! Login flows: opening one, reading it, and what each is asked for (K-40 to K-54).
//!
//! `return_to` is looked at first, then `aal`, then the session; an answer that is no flow leaves none behind.

mod factor;
mod submit;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::answer::Answer;
use super::asked::Asked;
use super::clock::{after, stored};
use super::csrf::{Csrf, Real};
use super::errors::Fault;
use super::go_url::query_escape;
use super::identity::Identity;
use super::nodes;
use super::session::{Aal, Session};
use super::state::Kratos;
pub(crate) use factor::browser_header;
pub(crate) use submit::{onward, submit};

/// A login flow.
#[derive(Clone, Debug)]
pub(crate) struct LoginFlow {
    pub(crate) id: Uuid,
    /// Opened by a native app, without cookies.
    api: bool,
    issued_at: Timestamp,
    expires_at: Timestamp,
    request_url: String,
    return_to: Option<String>,
    /// The method that completed it.
    active: Option<&'static str>,
    nodes: Vec<Value>,
    messages: Vec<Value>,
    created_at: Timestamp,
    refresh: bool,
    aal: Aal,
    csrf: Option<Real>,
}

/// What the query of a new flow asks for.
struct Wish {
    aal: Aal,
    refresh: bool,
}

/// `GET /self-service/login/browser`.
pub(crate) fn open_browser(kratos: &Kratos, asked: &Asked, csrf: &mut Csrf) -> Answer {
    match open(kratos, asked, csrf, false) {
        Ok(flow) if asked.accepts_json() => Answer::json(StatusCode::OK, &flow.json(kratos)),
        Ok(flow) => Answer::see_other(asked, &flow.page(kratos)),
        Err(fault) if fault.id() == "session_already_available" => back(kratos, asked, &fault),
        Err(fault) => kratos.forward(asked, &fault),
    }
}

/// `GET /self-service/login/api`.
pub(crate) fn open_api(kratos: &Kratos, asked: &Asked, csrf: &mut Csrf) -> Answer {
    match open(kratos, asked, csrf, true) {
        Ok(flow) => Answer::json(StatusCode::OK, &flow.json(kratos)),
        Err(fault) => Answer::fault(asked, &fault),
    }
}

/// Somebody who needn't log in goes straight back (K-42, K-47).
fn back(kratos: &Kratos, asked: &Asked, fault: &Fault) -> Answer {
    match kratos
        .return_urls
        .resolve(asked.query("return_to").as_deref())
    {
        Ok(_) if asked.accepts_json() => Answer::fault(asked, fault),
        Ok(url) => Answer::see_other(asked, &url),
        Err(fault) => kratos.forward(asked, &fault),
    }
}

fn open(kratos: &Kratos, asked: &Asked, csrf: &Csrf, api: bool) -> Result<LoginFlow, Fault> {
    let return_to = asked.query("return_to");
    kratos.return_urls.resolve(return_to.as_deref())?;
    let wish = wish(asked)?;
    let mut store = kratos.store();
    let who = kratos.session(&store, asked).ok();
    let refresh = allowed(&wish, who.map(|(session, _)| session))?;
    let now = kratos.now();
    let flow = LoginFlow {
        id: Uuid::new_v4(),
        api,
        issued_at: now,
        expires_at: after(now, kratos.options.flow_lifespan),
        request_url: asked.url(),
        return_to,
        active: None,
        nodes: form(&wish, who, csrf, api),
        messages: greeting(&wish, refresh, who.map(|(session, _)| session)),
        created_at: stored(kratos.now()),
        refresh,
        aal: wish.aal,
        csrf: csrf.real(),
    };
    store.login_flows.put(flow.id, flow.clone());
    Ok(flow)
}

/// The level counts in any case of letters; the first of two, and an empty one is none.
fn wish(asked: &Asked) -> Result<Wish, Fault> {
    let level = asked
        .query("aal")
        .map(|aal| aal.to_lowercase())
        .unwrap_or_else(|| String::from("aal1"));
    let aal = match level.as_str() {
        "aal1" => Aal::Aal1,
        "aal2" => Aal::Aal2,
        _ => return Err(unknown_level(&level)),
    };
    let refresh = asked
        .query("refresh")
        .is_some_and(|text| ["1", "t", "T", "TRUE", "true", "True"].contains(&&*text));
    Ok(Wish { aal, refresh })
}

fn unknown_level(level: &str) -> Fault {
    Fault::bad_request(format!(
        "Unable to parse AuthenticationMethod Assurance Level (AAL): expected one of [aal1, aal2] but got {level}"
    ))
}

/// Whether a flow may be opened, and then whether it refreshes: nobody without a session does.
fn allowed(wish: &Wish, session: Option<&Session>) -> Result<bool, Fault> {
    match session {
        None if wish.aal > Aal::Aal1 => Err(Fault::aal1_required()),
        None => Ok(false),
        Some(_) if wish.refresh => Ok(true),
        Some(session) if wish.aal == Aal::Aal1 || wish.aal <= session.aal() => {
            Err(Fault::already_available())
        }
        Some(_) => Ok(false),
    }
}

fn form(wish: &Wish, who: Option<(&Session, &Identity)>, csrf: &Csrf, api: bool) -> Vec<Value> {
    let mut form = match (wish.aal, who) {
        (Aal::Aal2, Some((_, identity))) => nodes::second_factors(identity),
        (Aal::Aal1, Some((_, identity))) if wish.refresh => {
            let mut form = vec![nodes::known_identifier(identity.email())];
            form.extend(nodes::password(true));
            form
        }
        _ => {
            let mut form = vec![nodes::identifier()];
            form.extend(nodes::password(false));
            form
        }
    };
    // A native app's form has a token only beside other fields, and an empty one (K-108).
    if !api || !form.is_empty() {
        form.insert(0, nodes::csrf(if api { "" } else { csrf.token() }));
    }
    form
}

fn greeting(wish: &Wish, refresh: bool, session: Option<&Session>) -> Vec<Value> {
    let again = nodes::message(
        1_010_003,
        "info",
        "Please confirm this action by verifying that it is you.",
    );
    let second = nodes::message(
        1_010_004,
        "info",
        "Please complete the second authentication challenge.",
    );
    let lifts = session.is_some_and(|session| wish.aal > session.aal());
    [refresh.then_some(again), lifts.then_some(second)]
        .into_iter()
        .flatten()
        .collect()
}

/// `GET /self-service/login/flows?id=` (K-52).
pub(crate) fn read(kratos: &Kratos, asked: &Asked, csrf: &mut Csrf) -> Answer {
    let store = kratos.store();
    let id = asked.query("id").and_then(|id| Uuid::parse_str(&id).ok());
    let Some(flow) = id.and_then(|id| store.login_flows.get(id)) else {
        return Answer::fault(asked, &Fault::unknown_id());
    };
    if !flow.api && (flow.csrf.is_none() || csrf.real() != flow.csrf) {
        return Answer::fault(asked, &kratos.jar.fault(asked, None));
    }
    if flow.expires_at < kratos.now() {
        return Answer::fault(asked, &Fault::flow_expired("login", flow.way_back(kratos)));
    }
    Answer::json(StatusCode::OK, &flow.json(kratos))
}

impl LoginFlow {
    /// The page that shows it.
    fn page(&self, kratos: &Kratos) -> String {
        kratos.page("login", "flow", &self.id.to_string())
    }

    /// Where an expired flow begins anew: without its `aal` (K-52).
    fn way_back(&self, kratos: &Kratos) -> Value {
        let base = &kratos.base;
        if self.api {
            return json!({ "api": format!("{base}/self-service/login/api") });
        }
        let return_to = self.return_to.as_deref().unwrap_or_default();
        let query = match return_to {
            "" => String::new(),
            url => format!("?return_to={}", query_escape(url)),
        };
        json!({ "redirect_to": format!("{base}/self-service/login/browser{query}"), "return_to": return_to })
    }

    pub(crate) fn json(&self, kratos: &Kratos) -> Value {
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| members.insert(String::from(name), value);
        put("id", Value::from(self.id.to_string()));
        put("organization_id", Value::Null);
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
        if let Some(active) = self.active {
            put("active", Value::from(active));
        }
        put(
            "ui",
            ui(
                &format!("{}/self-service/login?flow={}", kratos.base, self.id),
                &self.nodes,
                &self.messages,
            ),
        );
        put("created_at", Value::from(self.created_at.to_string()));
        put("updated_at", Value::from(self.created_at.to_string()));
        put("refresh", Value::from(self.refresh));
        put("requested_aal", Value::from(self.aal.as_str()));
        put("state", Value::from("choose_method"));
        Value::Object(members)
    }
}

/// The form of a flow; one without nodes has `null` (K-108).
pub(crate) fn ui(action: &str, nodes: &[Value], messages: &[Value]) -> Value {
    let nodes = if nodes.is_empty() {
        Value::Null
    } else {
        Value::from(nodes.to_vec())
    };
    let mut ui = json!({ "action": action, "method": "POST", "nodes": nodes });
    if let (false, Some(members)) = (messages.is_empty(), ui.as_object_mut()) {
        members.insert(String::from("messages"), Value::from(messages.to_vec()));
    }
    ui
}
