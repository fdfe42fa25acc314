//! A browser as the rows need one: it keeps cookies by hand, opens flows and submits them.

use hyper::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Error;
use super::answer::Answer;
use super::client::{Ask, Kratos, SESSION};
use super::person::{PASSWORD, Person, password};

/// Cookies, and the person in front of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Browser {
    /// Who sits there. A stranger has no id.
    pub(super) person: Person,
    cookies: Vec<(String, String)>,
}

/// A flow that was opened for this browser.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    /// Its id.
    pub(super) id: String,
    /// `login` or `settings`.
    kind: &'static str,
    /// The value of the field `csrf_token`.
    csrf: String,
    /// Kratos' clock when it was opened, in whole seconds.
    pub(super) now: i64,
    /// The answer that brought it.
    pub(super) answer: Answer,
}

impl Flow {
    /// Reads the flow out of an answer.
    pub(super) fn new(kind: &'static str, answer: Answer) -> Result<Self, Error> {
        let now = answer.text("/issued_at").parse::<Timestamp>();
        let now = now
            .map_err(|_| Error::Missing("readable issued_at"))?
            .as_second();
        let csrf = answer.node_value("csrf_token");
        Ok(Self {
            id: answer.text("/id"),
            kind,
            csrf,
            now,
            answer,
        })
    }

    /// Where it is submitted to.
    pub(super) fn path(&self) -> String {
        format!("/self-service/{}?flow={}", self.kind, self.id)
    }
}

impl Browser {
    /// A browser with nothing but this session cookie.
    pub(super) fn holding(session: &str) -> Self {
        let cookies = vec![(SESSION.to_owned(), session.to_owned())];
        Self {
            cookies,
            ..Self::default()
        }
    }

    /// `person` in front of a browser without cookies.
    pub(super) fn of(person: Person) -> Self {
        Self {
            person,
            ..Self::default()
        }
    }

    /// Signs `person` in with the password. In mode `highest_available` an enrolled person is then asked for more,
    /// and the session is there all the same.
    pub(super) async fn signed_in(kratos: &Kratos<'_>, person: Person) -> Result<Self, Error> {
        let mut browser = Self::of(person);
        let flow = browser.open_login(kratos, "").await?;
        let fields = password(&browser.person.email, PASSWORD);
        browser
            .submit(kratos, &flow, fields)
            .await?
            .expect("log in", &[200, 422])?;
        Ok(browser)
    }

    /// The value of the session cookie, empty without one.
    pub(super) fn session(&self) -> String {
        let found = self.cookies.iter().find(|(name, _)| name == SESSION);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// Puts another session cookie in place of the own one.
    pub(super) fn take_session(&mut self, value: &str) {
        self.keep(SESSION, value);
    }

    /// Loses the session cookie.
    pub(super) fn drop_session(&mut self) {
        self.cookies.retain(|(known, _)| known != SESSION);
    }

    /// Asks with all cookies and keeps those that are set.
    pub(super) async fn send(&mut self, kratos: &Kratos<'_>, ask: Ask) -> Result<Answer, Error> {
        let line: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let ask = if line.is_empty() {
            ask
        } else {
            ask.cookie(line.join("; "))
        };
        let answer = kratos.send(ask).await?;
        for cookie in answer.set_cookies() {
            let pair = cookie
                .split(';')
                .next()
                .and_then(|pair| pair.split_once('='));
            if let Some((name, value)) = pair {
                self.keep(name, value);
            }
        }
        Ok(answer)
    }

    fn keep(&mut self, name: &str, value: &str) {
        self.cookies.retain(|(known, _)| known != name);
        self.cookies.push((name.to_owned(), value.to_owned()));
    }

    /// Asks as for a page.
    pub(super) async fn page(
        &mut self,
        kratos: &Kratos<'_>,
        path: impl Into<String>,
    ) -> Result<Answer, Error> {
        self.send(kratos, Ask::get(path).html()).await
    }

    /// Asks as a program.
    pub(super) async fn data(
        &mut self,
        kratos: &Kratos<'_>,
        path: impl Into<String>,
    ) -> Result<Answer, Error> {
        self.send(kratos, Ask::get(path).json()).await
    }

    /// Opens a login flow with this query.
    pub(super) async fn open_login(
        &mut self,
        kratos: &Kratos<'_>,
        query: &str,
    ) -> Result<Flow, Error> {
        let answer = self
            .data(kratos, format!("/self-service/login/browser?{query}"))
            .await?;
        Flow::new("login", answer.expect("open a login flow", &[200])?)
    }

    /// Opens a settings flow with this query.
    pub(super) async fn open_settings(
        &mut self,
        kratos: &Kratos<'_>,
        query: &str,
    ) -> Result<Flow, Error> {
        let answer = self
            .data(kratos, format!("/self-service/settings/browser?{query}"))
            .await?;
        Flow::new("settings", answer.expect("open a settings flow", &[200])?)
    }

    /// Submits fields as JSON, with the CSRF token of the flow.
    pub(super) async fn submit(
        &mut self,
        kratos: &Kratos<'_>,
        flow: &Flow,
        fields: Value,
    ) -> Result<Answer, Error> {
        let ask = Ask::new(Method::POST, flow.path())
            .json()
            .sends(&with_csrf(fields, flow));
        self.send(kratos, ask).await
    }

    /// Submits fields as a browser form, with the CSRF token of the flow.
    pub(super) async fn submit_form(
        &mut self,
        kratos: &Kratos<'_>,
        flow: &Flow,
        fields: Value,
    ) -> Result<Answer, Error> {
        let ask = Ask::new(Method::POST, flow.path())
            .html()
            .sends_form(&with_csrf(fields, flow));
        self.send(kratos, ask).await
    }

    /// The fields of a right backup code.
    pub(super) fn code(&self) -> Result<Value, Error> {
        Ok(lookup(&self.person.backup_code()?))
    }

    /// Opens a login flow with this query and submits a right backup code.
    pub(super) async fn step_up(
        &mut self,
        kratos: &Kratos<'_>,
        query: &str,
    ) -> Result<Answer, Error> {
        let flow = self.open_login(kratos, query).await?;
        let fields = self.code()?;
        self.submit(kratos, &flow, fields)
            .await?
            .expect("step up", &[200])
    }

    /// Enrols TOTP in the settings.
    pub(super) async fn enrol_totp(&mut self, kratos: &Kratos<'_>) -> Result<Answer, Error> {
        let flow = self.open_settings(kratos, "").await?;
        let fields = self.new_totp(&flow)?;
        self.submit(kratos, &flow, fields)
            .await?
            .expect("enrol TOTP", &[200])
    }

    /// Keeps the secret that a settings flow offers, and gives the fields that confirm it.
    pub(super) fn new_totp(&mut self, flow: &Flow) -> Result<Value, Error> {
        let secret = flow
            .answer
            .node_text("totp_secret_key")
            .ok_or(Error::Missing("TOTP secret"))?;
        self.person.keep_totp(secret);
        Ok(code(&self.person.totp(flow.now)?))
    }

    /// Enrols backup codes in the settings.
    pub(super) async fn enrol_codes(&mut self, kratos: &Kratos<'_>) -> Result<Answer, Error> {
        let flow = self.open_settings(kratos, "").await?;
        let fields = json!({"method": "lookup_secret", "lookup_secret_regenerate": true});
        let shown = self
            .submit(kratos, &flow, fields)
            .await?
            .expect("make backup codes", &[200])?;
        self.person.keep_codes(shown.backup_codes());
        let fields = json!({"method": "lookup_secret", "lookup_secret_confirm": true});
        self.submit(kratos, &flow, fields)
            .await?
            .expect("confirm backup codes", &[200])
    }
}

/// The fields of a code from the authenticator app.
pub(super) fn code(code: &str) -> Value {
    json!({"method": "totp", "totp_code": code})
}

/// The fields of a backup code.
pub(super) fn lookup(code: &str) -> Value {
    json!({"method": "lookup_secret", "lookup_secret": code})
}

fn with_csrf(mut fields: Value, flow: &Flow) -> Value {
    if let Some(object) = fields.as_object_mut() {
        object
            .entry("csrf_token")
            .or_insert_with(|| flow.csrf.clone().into());
    }
    fields
}
