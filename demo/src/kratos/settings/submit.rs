//! A submitted settings form, and what comes of it.

use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::answer::Answer;
use super::super::asked::{Asked, Fields};
use super::super::clock::stored;
use super::super::csrf::Csrf;
use super::super::errors::Fault;
use super::super::identity::Identity;
use super::super::login::{browser_header, onward};
use super::super::nodes;
use super::super::session::Session;
use super::super::state::Kratos;
use super::super::totp::Authenticator;
use super::change::{Change, Outcome};
use super::{SettingsFlow, who};

/// `POST /self-service/settings?flow=`.
pub(crate) fn submit(kratos: &Kratos, asked: &Asked, csrf: &mut Csrf) -> Answer {
    let mut flow = match named(kratos, asked) {
        Ok(flow) => flow,
        Err(fault) => return kratos.forward(asked, &fault),
    };
    let Ok((session, mut identity)) = who(kratos, asked) else {
        return signed_out(kratos, asked, &flow);
    };
    if let Err(answer) = admit(kratos, asked, &flow, &session, &identity) {
        return *answer;
    }
    let fields = asked.fields();
    let Some(change) = Change::asked(&fields) else {
        let text = "Could not find a strategy to update your settings. Did you fill out the form correctly?";
        return refuse(
            kratos,
            asked,
            &mut flow,
            &identity,
            None,
            nodes::message(4_010_003, "error", text),
        );
    };
    if let Err(answer) = guard(kratos, asked, csrf, &mut flow, &identity, &fields) {
        return *answer;
    }
    match change.make(kratos, &fields, &mut flow, &mut identity) {
        Outcome::Saved(method) => {
            let session = save(kratos, &mut identity, &session, method);
            saved(kratos, asked, csrf, &mut flow, &identity, &session)
        }
        Outcome::Shown => shown(kratos, asked, &flow, &identity),
        Outcome::Refused(field, message) => {
            nodes::renew_csrf(&mut flow.nodes, csrf.token());
            refuse(kratos, asked, &mut flow, &identity, field, message)
        }
    }
}

fn named(kratos: &Kratos, asked: &Asked) -> Result<SettingsFlow, Fault> {
    let id = asked.query("flow").and_then(|id| Uuid::parse_str(&id).ok());
    let Some(id) = id else {
        return Err(Fault::bad_request(
            "The flow query parameter is missing or malformed.",
        ));
    };
    let flow = kratos.store().settings_flows.get(&id).cloned();
    flow.ok_or_else(|| {
        Fault::not_found("The settings request could not be found. Please restart the flow.")
    })
}

fn signed_out(kratos: &Kratos, asked: &Asked, flow: &SettingsFlow) -> Answer {
    if flow.api || asked.is_json() {
        return Answer::fault(asked, &Fault::session_inactive(false));
    }
    Answer::see_other(
        asked,
        &format!("{}/self-service/login/browser", kratos.base),
    )
}

/// Level, owner and age of the flow; the answer is boxed as it is the rare case.
fn admit(
    kratos: &Kratos,
    asked: &Asked,
    flow: &SettingsFlow,
    session: &Session,
    identity: &Identity,
) -> Result<(), Box<Answer>> {
    let back = asked.url();
    let required = kratos.options.settings_required_aal;
    if let Err(fault) = kratos.satisfies(session, identity, required, Some(&back)) {
        let json = flow.api || asked.is_json();
        let page = kratos.step_up(Some(&back));
        return Err(Box::new(if json {
            Answer::fault(asked, &fault)
        } else {
            Answer::see_other(asked, &page)
        }));
    }
    if flow.identity != identity.id {
        return Err(Box::new(kratos.forward(asked, &Fault::someone_else())));
    }
    if flow.expires_at < kratos.now() {
        let fault = Fault::flow_expired("settings", flow.way_back(kratos));
        return Err(Box::new(kratos.forward(asked, &fault)));
    }
    Ok(())
}

fn guard(
    kratos: &Kratos,
    asked: &Asked,
    csrf: &Csrf,
    flow: &mut SettingsFlow,
    identity: &Identity,
    fields: &Fields,
) -> Result<(), Box<Answer>> {
    if flow.api {
        return match browser_header(asked) {
            Some(reason) => Err(Box::new(refuse(
                kratos,
                asked,
                flow,
                identity,
                None,
                nodes::refusal(&reason),
            ))),
            None => Ok(()),
        };
    }
    let sent = fields.text("csrf_token");
    if csrf.fits(sent) {
        return Ok(());
    }
    Err(Box::new(
        kratos.forward(asked, &kratos.jar.fault(asked, sent)),
    ))
}

/// Writes the change; a method proven by the way lifts the session but doesn't renew it (K-90).
fn save(
    kratos: &Kratos,
    identity: &mut Identity,
    session: &Session,
    method: Option<super::super::session::Method>,
) -> Session {
    let now = kratos.now();
    let mut session = session.clone();
    if let Some(method) = method {
        session.complete(method, now);
    }
    identity.updated_at = stored(now);
    let mut store = kratos.store();
    store.identities.insert(identity.id, identity.clone());
    store.put_session(session.clone());
    session
}

fn saved(
    kratos: &Kratos,
    asked: &Asked,
    csrf: &mut Csrf,
    flow: &mut SettingsFlow,
    identity: &Identity,
    session: &Session,
) -> Answer {
    flow.is_saved = true;
    flow.offered = Authenticator::generate();
    flow.nodes = nodes::settings(
        csrf.token(),
        identity,
        &flow.offered,
        &kratos.options.totp_issuer,
    );
    flow.messages = vec![nodes::message(
        1_050_001,
        "success",
        "Your changes have been saved!",
    )];
    kratos.store().settings_flows.insert(flow.id, flow.clone());
    let return_to = match kratos
        .return_urls
        .resolve_or(flow.return_to.as_deref(), &flow.page(kratos))
    {
        Ok(url) => url,
        Err(fault) => return kratos.forward(asked, &fault),
    };
    let mut body = flow.json(kratos, identity);
    if flow.api {
        return Answer::json(StatusCode::OK, &body);
    }
    let cookie = kratos.issue(asked, csrf, session);
    let answer = if asked.is_json() {
        insert(&mut body, "continue_with", onward(&return_to));
        Answer::json(StatusCode::OK, &body)
    } else {
        Answer::see_other(asked, &return_to)
    };
    answer
        .maybe_cookie(csrf.take_cookie().as_deref())
        .cookie(&cookie)
}

/// The form goes on, with something new in it (K-92).
fn shown(kratos: &Kratos, asked: &Asked, flow: &SettingsFlow, identity: &Identity) -> Answer {
    kratos.store().settings_flows.insert(flow.id, flow.clone());
    if !flow.api && !asked.is_json() {
        return Answer::see_other(asked, &flow.page(kratos));
    }
    let mut body = flow.json(kratos, identity);
    insert(&mut body, "transient_payload", json!({}));
    Answer::json(StatusCode::OK, &body)
}

fn refuse(
    kratos: &Kratos,
    asked: &Asked,
    flow: &mut SettingsFlow,
    identity: &Identity,
    field: Option<&str>,
    message: Value,
) -> Answer {
    nodes::hush(&mut flow.nodes, &mut flow.messages);
    match field {
        Some(name) => nodes::blame(&mut flow.nodes, &mut flow.messages, name, message),
        None => flow.messages.push(message),
    }
    kratos.store().settings_flows.insert(flow.id, flow.clone());
    if !flow.api && !asked.is_json() {
        return Answer::see_other(asked, &flow.page(kratos));
    }
    Answer::json(StatusCode::BAD_REQUEST, &flow.json(kratos, identity))
}

fn insert(body: &mut Value, name: &str, value: Value) {
    if let Some(members) = body.as_object_mut() {
        members.insert(String::from(name), value);
    }
}
