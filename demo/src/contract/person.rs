//! The people of the rows: made through the admin API, with a password, and factors once they enrol.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hyper::Method;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use super::Error;
use super::answer::Answer;
use super::browser::Browser;
use super::client::{Ask, Kratos};

/// Everybody's first password.
pub(super) const PASSWORD: &str = "not-a-real-password-1";

/// Somebody with a password, and perhaps second factors.
#[derive(Clone, Debug, Default)]
pub(super) struct Person {
    /// The identity's id.
    pub(super) id: String,
    /// The identifier to log in with.
    pub(super) email: String,
    totp_secret: String,
    codes: Arc<[String]>,
    used: Arc<AtomicUsize>,
}

impl Person {
    /// Remembers the secret that an authenticator app would.
    pub(super) fn keep_totp(&mut self, secret: String) {
        self.totp_secret = secret;
    }

    /// Remembers backup codes, which a real person would print.
    pub(super) fn keep_codes(&mut self, codes: Vec<String>) {
        self.codes = codes.into();
    }

    /// The code of the authenticator app at that second.
    pub(super) fn totp(&self, second: i64) -> Result<String, Error> {
        totp(&self.totp_secret, second)
    }

    /// A backup code not given before: a step-up that no guard against replays stops.
    pub(super) fn backup_code(&self) -> Result<String, Error> {
        let number = self.used.fetch_add(1, Ordering::Relaxed);
        self.codes
            .get(number)
            .cloned()
            .ok_or(Error::Missing("backup code left"))
    }

    /// How many backup codes were not given yet.
    pub(super) fn codes_left(&self) -> usize {
        self.codes
            .len()
            .saturating_sub(self.used.load(Ordering::Relaxed))
    }
}

/// The six digits for `secret` (base32) at that second.
pub(super) fn totp(secret: &str, second: i64) -> Result<String, Error> {
    let secret = Secret::try_from_base32(secret);
    let secret = secret.map_err(|_| Error::Missing("readable TOTP secret"))?;
    let totp = Builder::new().with_secret(secret).build();
    let totp = totp.map_err(|_| Error::Missing("TOTP secret of full length"))?;
    Ok(totp
        .generate(u64::try_from(second).unwrap_or_default())
        .to_string())
}

impl Kratos<'_> {
    /// Makes somebody with a password and no second factor.
    pub(super) async fn person(&self) -> Result<Person, Error> {
        let email = self.new_email();
        let body = json!({
            "schema_id": "default",
            "traits": {"email": email},
            "credentials": {"password": {"config": {"password": PASSWORD}}},
        });
        let ask = Ask::new(Method::POST, "/admin/identities")
            .admin()
            .sends(&body);
        let answer = self.send(ask).await?.expect("make an identity", &[201])?;
        Ok(Person {
            id: answer.text("/id"),
            email,
            ..Person::default()
        })
    }

    /// *plain-1*: a browser signed in at aal1, no second factor.
    pub(super) async fn plain(&self) -> Result<Browser, Error> {
        Browser::signed_in(self, self.person().await?).await
    }

    /// *aal2*: a browser whose person enrolled TOTP, then backup codes.
    pub(super) async fn aal2(&self) -> Result<Browser, Error> {
        let mut browser = self.plain().await?;
        browser.enrol_totp(self).await?;
        browser.enrol_codes(self).await?;
        Ok(browser)
    }

    /// *enrolled-1*: a browser signed in at aal1 by somebody with TOTP and backup codes.
    pub(super) async fn enrolled(&self) -> Result<Browser, Error> {
        let person = self.aal2().await?.person;
        Browser::signed_in(self, person).await
    }

    /// A session token from an API login.
    pub(super) async fn token(&self, person: &Person) -> Result<String, Error> {
        let answer = self.api_login(person).await?.expect("API login", &[200])?;
        Ok(answer.text("/session_token"))
    }

    /// The answer to an API login.
    pub(super) async fn api_login(&self, person: &Person) -> Result<Answer, Error> {
        let flow = self
            .send(Ask::get("/self-service/login/api").json())
            .await?;
        let flow = flow.expect("open an API login", &[200])?.text("/id");
        let path = format!("/self-service/login?flow={flow}");
        self.send(
            Ask::new(Method::POST, path)
                .json()
                .sends(&password(&person.email, PASSWORD)),
        )
        .await
    }

    /// Whoami with this session cookie only.
    pub(super) async fn whoami(&self, session: &str) -> Result<Answer, Error> {
        self.send(Ask::whoami().session(session)).await
    }

    /// A call to the admin port that has no body to send.
    pub(super) async fn admin(
        &self,
        method: Method,
        path: impl Into<String>,
    ) -> Result<Answer, Error> {
        self.send(Ask::new(method, path).admin()).await
    }

    /// The newest session of a person, as the admin sees it: whoami hides it in one mode.
    pub(super) async fn newest_session(&self, person: &Person) -> Result<Value, Error> {
        let path = format!("/admin/identities/{}/sessions", person.id);
        let answer = self
            .admin(Method::GET, path)
            .await?
            .expect("list sessions", &[200])?;
        let sessions = answer.json.as_array().into_iter().flatten();
        let newest =
            sessions.max_by_key(|session| session.pointer("/issued_at").map(Value::to_string));
        newest.cloned().ok_or(Error::Missing("session"))
    }
}

/// The fields of a password submit.
pub(super) fn password(email: &str, password: &str) -> Value {
    json!({"method": "password", "identifier": email, "password": password})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_6238() {
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        assert_eq!(totp(secret, 59).unwrap(), "287082");
        assert_eq!(totp(secret, 1_111_111_109).unwrap(), "081804");
    }

    #[test]
    fn each_backup_code_is_given_once() {
        let mut person = Person::default();
        person.keep_codes(vec!["made-up1".to_owned()]);
        assert_eq!(person.clone().backup_code().unwrap(), "made-up1");
        assert_eq!(person.codes_left(), 0);
        assert!(person.backup_code().is_err());
    }
}
