//! Recovery by a mailed code (K-102 to K-104): a way to a session at aal1, and never further.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::answer::Answer;
use super::asked::{Asked, Fields};
use super::clock::after;
use super::courier::Mail;
use super::csrf::{Csrf, Real};
use super::errors::Fault;
use super::login::ui;
use super::nodes;
use super::random;
use super::session::{Device, Method, Session};
use super::settings;
use super::state::Kratos;

const SENT: &str = "An email containing a recovery code has been sent to the email address you provided. If you have \
                    not received an email, check the spelling of the address and make sure to use the address you \
                    registered with.";
const WRONG: &str = "The recovery code is invalid or has already been used. Please try again.";

/// A recovery flow.
#[derive(Clone, Debug)]
pub(crate) struct RecoveryFlow {
    id: Uuid,
    issued_at: Timestamp,
    expires_at: Timestamp,
    request_url: String,
    nodes: Vec<Value>,
    messages: Vec<Value>,
    /// The address that was named.
    email: Option<String>,
    /// The code that was mailed, and to whom; none where nobody has that address.
    code: Option<(String, Uuid)>,
    csrf: Option<Real>,
}

/// `GET /self-service/recovery/browser`.
pub(crate) fn open(kratos: &Kratos, asked: &Asked, csrf: &mut Csrf) -> Answer {
    if kratos.session(&kratos.store(), asked).is_ok() {
        return not_needed(kratos, asked);
    }
    let now = kratos.now();
    let flow = RecoveryFlow {
        id: Uuid::new_v4(),
        issued_at: now,
        expires_at: after(now, kratos.options.flow_lifespan),
        request_url: asked.url(),
        nodes: nodes::recovery_address(csrf.token()),
        messages: Vec::new(),
        email: None,
        code: None,
        csrf: csrf.real(),
    };
    kratos.store().recovery_flows.put(flow.id, flow.clone());
    if asked.accepts_json() {
        return Answer::json(StatusCode::OK, &flow.json(kratos));
    }
    Answer::see_other(asked, &flow.page(kratos))
}

/// Somebody who is signed in recovers nothing (K-104).
fn not_needed(kratos: &Kratos, asked: &Asked) -> Answer {
    if asked.accepts_json() || asked.is_json() {
        return Answer::fault(asked, &Fault::recovery_not_needed());
    }
    let default = kratos.options.default_return_url.as_str();
    Answer::redirect(asked, StatusCode::FOUND, default)
}

/// `GET /self-service/recovery/flows?id=`.
pub(crate) fn read(kratos: &Kratos, asked: &Asked, csrf: &mut Csrf) -> Answer {
    match named(kratos, asked, "id") {
        Err(fault) => Answer::fault(asked, &fault),
        Ok(flow) if flow.csrf.is_none() || csrf.real() != flow.csrf => {
            Answer::fault(asked, &kratos.jar.fault(asked, None))
        }
        Ok(flow) if flow.expires_at < kratos.now() => {
            let start = format!("{}/self-service/recovery/browser", kratos.base);
            Answer::fault(
                asked,
                &Fault::flow_expired("recovery", json!({ "redirect_to": start })),
            )
        }
        Ok(flow) => Answer::json(StatusCode::OK, &flow.json(kratos)),
    }
}

fn named(kratos: &Kratos, asked: &Asked, parameter: &str) -> Result<RecoveryFlow, Fault> {
    let id = asked
        .query(parameter)
        .and_then(|id| Uuid::parse_str(&id).ok());
    id.and_then(|id| kratos.store().recovery_flows.get(id).cloned())
        .ok_or_else(Fault::unknown_id)
}

/// `POST /self-service/recovery?flow=`: an address, or the code that was mailed there.
pub(crate) fn submit(kratos: &Kratos, asked: &Asked, csrf: &mut Csrf) -> Answer {
    let mut flow = match named(kratos, asked, "flow") {
        Ok(flow) if flow.expires_at >= kratos.now() => flow,
        Ok(_) => return open(kratos, asked, csrf),
        Err(fault) => return kratos.forward(asked, &fault),
    };
    if kratos.session(&kratos.store(), asked).is_ok() {
        return not_needed(kratos, asked);
    }
    let fields = asked.fields();
    let sent = fields.text("csrf_token");
    if !csrf.fits(sent) {
        return kratos.forward(asked, &kratos.jar.fault(asked, sent));
    }
    if let Some(code) = fields.text("code").filter(|code| !code.is_empty()) {
        return try_code(kratos, asked, csrf, &mut flow, code);
    }
    mail(kratos, asked, csrf, &mut flow, &fields)
}

/// Mails a code, or, to an address that nobody has, nothing; the answer is the same.
fn mail(
    kratos: &Kratos,
    asked: &Asked,
    csrf: &Csrf,
    flow: &mut RecoveryFlow,
    fields: &Fields,
) -> Answer {
    nodes::hush(&mut flow.nodes, &mut flow.messages);
    let Some(email) = fields.text("email").map(str::to_owned) else {
        nodes::blame(
            &mut flow.nodes,
            &mut flow.messages,
            "email",
            nodes::missing("email"),
        );
        return flow.again(kratos, asked, StatusCode::BAD_REQUEST);
    };
    let code = random::digits(6);
    let mut store = kratos.store();
    let person = store.identity_by_email(&email).map(|identity| identity.id);
    if person.is_some() {
        store
            .mails
            .push(Mail::recovery(&email, &code, kratos.now()));
    }
    drop(store);
    flow.code = person.map(|person| (code, person));
    flow.nodes = nodes::recovery_code(csrf.token(), &email);
    flow.messages.push(nodes::message(1_060_003, "info", SENT));
    flow.email = Some(email);
    flow.again(kratos, asked, StatusCode::OK)
}

/// A wrong code is told on the form, with status 200.
fn try_code(
    kratos: &Kratos,
    asked: &Asked,
    csrf: &mut Csrf,
    flow: &mut RecoveryFlow,
    code: &str,
) -> Answer {
    let right = flow.code.take_if(|(kept, _)| kept == code);
    let Some((_, person)) = right else {
        nodes::hush(&mut flow.nodes, &mut flow.messages);
        flow.messages
            .push(nodes::message(4_060_006, "error", WRONG));
        return flow.again(kratos, asked, StatusCode::OK);
    };
    kratos.store().recovery_flows.put(flow.id, flow.clone());
    let (now, lifespan) = (kratos.now(), kratos.options.lifespan);
    let mut session = Session::new(person, Device::of(asked), now, lifespan);
    session.renew(Method::CodeRecovery, now, lifespan);
    kratos.store().put_session(session.clone());
    let cookie = kratos.issue(asked, csrf, &session);
    let Some(page) = settings::open_after_recovery(kratos, asked, csrf, person) else {
        return kratos.forward(asked, &Fault::unknown_id());
    };
    let answer = if asked.is_json() {
        Answer::fault(asked, &Fault::location_change(&page))
    } else {
        Answer::see_other(asked, &page)
    };
    answer
        .maybe_cookie(csrf.take_cookie().as_deref())
        .cookie(&cookie)
}

impl RecoveryFlow {
    fn page(&self, kratos: &Kratos) -> String {
        kratos.page("recovery", "flow", &self.id.to_string())
    }

    /// The flow as it stands now: JSON with this status, or its page.
    fn again(&self, kratos: &Kratos, asked: &Asked, status: StatusCode) -> Answer {
        kratos.store().recovery_flows.put(self.id, self.clone());
        if asked.is_json() {
            return Answer::json(status, &self.json(kratos));
        }
        Answer::see_other(asked, &self.page(kratos))
    }

    fn json(&self, kratos: &Kratos) -> Value {
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| members.insert(String::from(name), value);
        put("id", Value::from(self.id.to_string()));
        put("type", Value::from("browser"));
        put("expires_at", Value::from(self.expires_at.to_string()));
        put("issued_at", Value::from(self.issued_at.to_string()));
        put("request_url", Value::from(self.request_url.clone()));
        put("active", Value::from("code"));
        let action = format!("{}/self-service/recovery?flow={}", kratos.base, self.id);
        put("ui", ui(&action, &self.nodes, &self.messages));
        let state = if self.email.is_some() {
            "sent_email"
        } else {
            "choose_method"
        };
        put("state", Value::from(state));
        if self.email.is_some() {
            put("transient_payload", json!({}));
        }
        Value::Object(members)
    }
}
