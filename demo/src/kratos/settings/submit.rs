//! A submitted settings form, and what comes of it (K-90 to K-97).

use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::answer::Answer;
use super::super::asked::{Asked, Fields};
use super::super::clock::{after, stored};
use super::super::csrf::Csrf;
use super::super::errors::Fault;
use super::super::go_url::query_escape;
use super::super::identity::Identity;
use super::super::login::{browser_header, onward};
use super::super::nodes;
use super::super::session::{Method, Session};
use super::super::state::Kratos;
use super::super::totp::Authenticator;
use super::change::{Change, Outcome};
use super::{SettingsFlow, held, turned_away, who};

/// A submitted form, and whose it is.
struct Submission<'a> {
    kratos: &'a Kratos,
    asked: &'a Asked,
    flow: SettingsFlow,
    session: Session,
    identity: Identity,
}

/// `POST /self-service/settings?flow=`; a held submit goes on by GET.
pub(crate) fn submit(kratos: &Kratos, asked: &Asked, csrf: &mut Csrf) -> Answer {
    let Ok((session, identity)) = who(kratos, asked) else {
        return turned_away(kratos, asked);
    };
    let flow = match named(kratos, asked) {
        Ok(flow) => flow,
        Err(fault) => return kratos.forward(asked, &fault),
    };
    let mut submission = Submission {
        kratos,
        asked,
        flow,
        session,
        identity,
    };
    match submission.admit() {
        Ok(()) => submission.run(csrf),
        Err(answer) => *answer,
    }
}

fn named(kratos: &Kratos, asked: &Asked) -> Result<SettingsFlow, Fault> {
    let id = asked.query("flow").and_then(|id| Uuid::parse_str(&id).ok());
    let Some(id) = id else {
        return Err(Fault::bad_request(
            "The flow query parameter is missing or malformed.",
        ));
    };
    let flow = kratos.store().settings_flows.get(id).cloned();
    flow.ok_or_else(|| {
        Fault::not_found("The settings request could not be found. Please restart the flow.")
    })
}

impl Submission<'_> {
    fn wants_json(&self) -> bool {
        self.flow.api || self.asked.is_json()
    }

    /// Level, owner and age of the flow; the answer is boxed, as it is the rare case.
    fn admit(&self) -> Result<(), Box<Answer>> {
        let (kratos, asked, flow) = (self.kratos, self.asked, &self.flow);
        let back = asked.url();
        let required = kratos.options.settings_required_aal;
        if let Err(fault) = kratos.satisfies(&self.session, &self.identity, required, Some(&back)) {
            return Err(Box::new(match self.wants_json() {
                true => Answer::fault(asked, &fault),
                false => Answer::see_other(asked, &kratos.step_up(Some(&back))),
            }));
        }
        if flow.identity != self.identity.id {
            return Err(Box::new(kratos.forward(asked, &Fault::someone_else())));
        }
        if flow.expires_at < kratos.now() {
            let fault = Fault::flow_expired("settings", flow.way_back(kratos));
            return Err(Box::new(kratos.forward(asked, &fault)));
        }
        Ok(())
    }

    fn run(&mut self, csrf: &mut Csrf) -> Answer {
        let held = if self.wants_json() {
            None
        } else {
            held::take(self.kratos, self.asked, &self.flow)
        };
        let fields = held.unwrap_or_else(|| self.asked.fields());
        let Some(change) = Change::asked(&fields) else {
            let text = "Could not find a strategy to update your settings. Did you fill out the form correctly?";
            return self.refuse(None, nodes::message(4_010_004, "error", text));
        };
        if let Err(answer) = self.guard(csrf, &fields) {
            return *answer;
        }
        if change.is_privileged(&fields, &self.identity) && self.is_old() {
            return self.ask_again(&fields);
        }
        match change.make(self.kratos, &fields, &mut self.flow, &mut self.identity) {
            Outcome::Saved(method) => {
                self.save(method);
                self.saved(csrf)
            }
            Outcome::Shown => self.shown(),
            Outcome::Refused(field, message) => {
                if field == Some("traits.email") {
                    nodes::reset(&mut self.flow.nodes, "traits.email");
                }
                nodes::renew_csrf(&mut self.flow.nodes, csrf.token());
                self.refuse(field, message)
            }
        }
    }

    fn guard(&mut self, csrf: &Csrf, fields: &Fields) -> Result<(), Box<Answer>> {
        if self.flow.api {
            return match browser_header(self.asked) {
                Some(reason) => Err(Box::new(self.refuse(None, nodes::refusal(&reason)))),
                None => Ok(()),
            };
        }
        let sent = fields.text("csrf_token");
        if csrf.fits(sent) {
            return Ok(());
        }
        Err(Box::new(self.kratos.forward(
            self.asked,
            &self.kratos.jar.fault(self.asked, sent),
        )))
    }

    /// Whether the last login or factor is longer ago than protected changes allow.
    fn is_old(&self) -> bool {
        let age = self.kratos.options.privileged_session_max_age;
        after(self.session.authenticated_at, age) < self.kratos.now()
    }

    /// Keeps the form and sends the person to give the password again (K-96).
    fn ask_again(&self, fields: &Fields) -> Answer {
        let (kratos, asked) = (self.kratos, self.asked);
        let cookie = held::hold(kratos, &self.flow, fields);
        let back = format!(
            "{}/self-service/settings?flow={}",
            kratos.base, self.flow.id
        );
        let query = format!("refresh=true&return_to={}", query_escape(&back));
        let url = format!("{}/self-service/login/browser?{query}", kratos.base);
        let answer = match self.wants_json() {
            true => Answer::fault(asked, &Fault::refresh_required(&url)),
            false => Answer::see_other(asked, &url),
        };
        answer.cookie(&cookie)
    }

    /// Writes the change; a method proven by the way lifts the session but doesn't renew it (K-90).
    fn save(&mut self, method: Option<Method>) {
        let now = self.kratos.now();
        if let Some(method) = method {
            self.session.complete(method, now);
        }
        self.identity.updated_at = stored(now);
        let mut store = self.kratos.store();
        store
            .identities
            .insert(self.identity.id, self.identity.clone());
        store.put_session(self.session.clone());
    }

    fn saved(&mut self, csrf: &mut Csrf) -> Answer {
        let (kratos, asked) = (self.kratos, self.asked);
        let forgotten = held::forget(kratos, asked);
        self.renew_form(csrf);
        let page = self.flow.page(kratos);
        let return_to = match kratos
            .return_urls
            .resolve_or(self.flow.return_to.as_deref(), &page)
        {
            Ok(url) => url,
            Err(fault) => return kratos.forward(asked, &fault),
        };
        let mut body = self.flow.json(kratos, &self.identity);
        if self.flow.api {
            return Answer::json(StatusCode::OK, &body);
        }
        let cookie = kratos.issue(asked, csrf, &self.session);
        let answer = if asked.is_json() {
            insert(&mut body, "continue_with", onward(&return_to));
            Answer::json(StatusCode::OK, &body)
        } else {
            Answer::see_other(asked, &return_to)
        };
        answer
            .maybe_cookie(forgotten.as_deref())
            .maybe_cookie(csrf.take_cookie().as_deref())
            .cookie(&cookie)
    }

    /// The form anew, with what is true now and a new secret on offer.
    fn renew_form(&mut self, csrf: &Csrf) {
        let flow = &mut self.flow;
        flow.is_saved = true;
        flow.offered = Authenticator::generate();
        let issuer = &self.kratos.options.totp_issuer;
        flow.nodes = nodes::settings(csrf.token(), &self.identity, &flow.offered, issuer);
        flow.messages = vec![nodes::message(
            1_050_001,
            "success",
            "Your changes have been saved!",
        )];
        self.kratos
            .store()
            .settings_flows
            .put(flow.id, flow.clone());
    }

    /// The form goes on, with something new in it (K-92).
    fn shown(&self) -> Answer {
        self.kratos
            .store()
            .settings_flows
            .put(self.flow.id, self.flow.clone());
        if !self.wants_json() {
            return Answer::see_other(self.asked, &self.flow.page(self.kratos));
        }
        let mut body = self.flow.json(self.kratos, &self.identity);
        insert(&mut body, "transient_payload", json!({}));
        Answer::json(StatusCode::OK, &body)
    }

    fn refuse(&mut self, field: Option<&str>, message: Value) -> Answer {
        let flow = &mut self.flow;
        nodes::hush(&mut flow.nodes, &mut flow.messages);
        match field {
            Some(name) => nodes::blame(&mut flow.nodes, &mut flow.messages, name, message),
            None => flow.messages.push(message),
        }
        self.kratos
            .store()
            .settings_flows
            .put(flow.id, flow.clone());
        if !self.wants_json() {
            return Answer::see_other(self.asked, &self.flow.page(self.kratos));
        }
        Answer::json(
            StatusCode::BAD_REQUEST,
            &self.flow.json(self.kratos, &self.identity),
        )
    }
}

fn insert(body: &mut Value, name: &str, value: Value) {
    if let Some(members) = body.as_object_mut() {
        members.insert(String::from(name), value);
    }
}
