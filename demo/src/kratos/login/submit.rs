//! A submitted login form: what comes of it for a browser, a script and a native app (K-70 to K-81, K-115 to K-119).

use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::answer::Answer;
use super::super::asked::Asked;
use super::super::csrf::Csrf;
use super::super::errors::Fault;
use super::super::nodes;
use super::super::session::{Device, Session};
use super::super::state::Kratos;
use super::factor::{Proof, Refused, check};
use super::{LoginFlow, open};

/// `POST /self-service/login?flow=`, and GET, which browsers follow a redirect with.
pub(crate) fn submit(kratos: &Kratos, asked: &Asked, csrf: &mut Csrf) -> Answer {
    let mut flow = match named(kratos, asked) {
        Ok(flow) => flow,
        Err(fault) => return kratos.forward(asked, &fault),
    };
    let current = kratos
        .session(&kratos.store(), asked)
        .ok()
        .map(|(session, _)| session.clone());
    if let Some(answer) = not_needed(kratos, asked, &mut flow, current.as_ref()) {
        return answer;
    }
    if flow.expires_at < kratos.now() {
        return expired(kratos, asked, csrf, &mut flow);
    }
    match check(
        kratos,
        asked,
        csrf,
        &mut flow,
        current.as_ref().map(|session| session.identity),
    ) {
        Ok(proof) => proven(kratos, asked, csrf, &mut flow, current, &proof),
        Err(refused) => refuse(kratos, asked, &mut flow, refused),
    }
}

fn named(kratos: &Kratos, asked: &Asked) -> Result<LoginFlow, Fault> {
    let id = asked.query("flow").and_then(|id| Uuid::parse_str(&id).ok());
    let Some(id) = id else {
        return Err(Fault::bad_request(
            "The flow query parameter is missing or malformed.",
        ));
    };
    kratos
        .store()
        .login_flows
        .get(id)
        .cloned()
        .ok_or_else(Fault::unknown_id)
}

/// A session that the flow can't lift (K-115), or none where one must be lifted (K-80).
fn not_needed(
    kratos: &Kratos,
    asked: &Asked,
    flow: &mut LoginFlow,
    current: Option<&Session>,
) -> Option<Answer> {
    let Some(session) = current else {
        let lifts = flow.aal > super::Aal::Aal1;
        return lifts.then(|| refuse(kratos, asked, flow, Refused::Fault(Fault::aal1_required())));
    };
    if flow.refresh || flow.aal > session.aal() {
        return None;
    }
    if asked.is_json() || flow.api {
        return Some(already_available(kratos, asked, flow));
    }
    let default = kratos.options.default_return_url.as_str();
    Some(Answer::see_other(asked, default))
}

fn already_available(kratos: &Kratos, asked: &Asked, flow: &mut LoginFlow) -> Answer {
    let message = nodes::refusal(Fault::already_available().reason());
    refuse(kratos, asked, flow, Refused::Message(message))
}

/// An expired flow gives way to a new one, unless there is a session already (K-119).
fn expired(kratos: &Kratos, asked: &Asked, csrf: &Csrf, flow: &mut LoginFlow) -> Answer {
    let fresh = Asked {
        query: String::new(),
        ..asked.clone()
    };
    let mut next = match open(kratos, &fresh, csrf, flow.api) {
        Ok(next) => next,
        Err(fault) if fault.status() == StatusCode::BAD_REQUEST => {
            return already_available(kratos, asked, flow);
        }
        Err(fault) => return refuse(kratos, asked, flow, Refused::Fault(fault)),
    };
    let since = kratos.now().duration_since(flow.expires_at);
    let reason = format!(
        "The login flow expired {:.2} minutes ago, please try again.",
        since.as_secs_f64() / 60.0
    );
    let mut message = nodes::message(4_010_001, "error", &reason);
    if let Some(members) = message.as_object_mut() {
        members.insert(
            String::from("context"),
            json!({ "expired_at": flow.expires_at.to_string() }),
        );
    }
    next.messages.push(message);
    next.request_url.clone_from(&flow.request_url);
    next.return_to.clone_from(&flow.return_to);
    kratos.store().login_flows.put(next.id, next.clone());
    if flow.api || asked.is_json() {
        let since = i64::try_from(since.as_nanos()).unwrap_or(i64::MAX);
        let expired_at = flow.expires_at.to_string();
        return Answer::fault(
            asked,
            &Fault::flow_replaced(&reason, &expired_at, since, &next.id.to_string()),
        );
    }
    Answer::see_other(asked, &next.page(kratos))
}

/// The same flow again, with what was wrong.
fn refuse(kratos: &Kratos, asked: &Asked, flow: &mut LoginFlow, refused: Refused) -> Answer {
    let fault = match refused {
        Refused::Fault(fault) => Some(fault),
        Refused::Message(message) => {
            nodes::hush(&mut flow.nodes, &mut flow.messages);
            flow.messages.push(message);
            None
        }
        Refused::Missing(fields) => {
            nodes::hush(&mut flow.nodes, &mut flow.messages);
            for name in fields {
                nodes::blame(
                    &mut flow.nodes,
                    &mut flow.messages,
                    name,
                    nodes::missing(name),
                );
            }
            None
        }
    };
    if let Some(fault) = fault {
        return if flow.api {
            Answer::fault(asked, &fault)
        } else {
            kratos.forward(asked, &fault)
        };
    }
    kratos.store().login_flows.put(flow.id, flow.clone());
    if !flow.api && !asked.is_json() {
        return Answer::see_other(asked, &flow.page(kratos));
    }
    Answer::json(StatusCode::BAD_REQUEST, &flow.json(kratos))
}

/// The form was right: the session is lifted, renewed or new.
fn proven(
    kratos: &Kratos,
    asked: &Asked,
    csrf: &mut Csrf,
    flow: &mut LoginFlow,
    current: Option<Session>,
    proof: &Proof,
) -> Answer {
    let return_to = match kratos.return_urls.resolve(flow.return_to.as_deref()) {
        Ok(url) => url,
        Err(fault) => return kratos.forward(asked, &fault),
    };
    flow.active = Some(proof.method.as_str());
    kratos.store().login_flows.put(flow.id, flow.clone());
    let now = kratos.now();
    let lifted = current.filter(|session| session.identity == proof.identity);
    let passing = lifted.as_ref().map(|_| Device::of(asked));
    let begin = || {
        Session::new(
            proof.identity,
            Device::of(asked),
            now,
            kratos.options.lifespan,
        )
    };
    let mut session = lifted.unwrap_or_else(begin);
    session.renew(proof.method, now, kratos.options.lifespan);
    kratos.store().put_session(session.clone());
    tell(kratos, asked, csrf, flow, &session, passing, &return_to)
}

fn tell(
    kratos: &Kratos,
    asked: &Asked,
    csrf: &mut Csrf,
    flow: &LoginFlow,
    session: &Session,
    passing: Option<Device>,
    return_to: &str,
) -> Answer {
    let identity = kratos.store().identities.get(&session.identity).cloned();
    let wanted = flow.return_to.as_deref();
    let lack = identity.as_ref().and_then(|identity| {
        kratos
            .satisfies(
                session,
                identity,
                kratos.options.whoami_required_aal,
                wanted,
            )
            .err()
    });
    // Who still owes the second factor isn't shown (K-107).
    let shown = identity.as_ref().filter(|_| lack.is_none());
    let body = session.fresh_json(shown, &kratos.base, kratos.now(), passing);
    if flow.api {
        let answer =
            json!({ "session_token": session.token, "session": body, "continue_with": null });
        return Answer::json(StatusCode::OK, &answer);
    }
    let cookie = kratos.issue(asked, csrf, session);
    let answer = match (asked.is_json(), lack) {
        (true, None) => Answer::json(
            StatusCode::OK,
            &json!({ "session": body, "continue_with": onward(return_to) }),
        ),
        (true, Some(_)) => Answer::fault(asked, &Fault::location_change(&kratos.step_up(wanted))),
        (false, None) => Answer::see_other(asked, return_to),
        (false, Some(_)) => Answer::see_other(asked, &kratos.step_up(wanted)),
    };
    answer
        .maybe_cookie(csrf.take_cookie().as_deref())
        .cookie(&cookie)
}

/// The `continue_with` of a browser's answer.
pub(crate) fn onward(url: &str) -> Value {
    json!([{ "action": "redirect_browser_to", "redirect_browser_to": url }])
}
