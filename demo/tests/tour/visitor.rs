//! Somebody in front of a browser, and the whole stage behind it.

use std::time::{Duration, Instant};

use demo::admin::{Admin, totp_key};
use demo::kratos::RequiredAal;
use demo::origins::Origins;
use demo::stage::{Cast, Choice, Stage, StageOptions, code, people, staff};
use demo::story::Customer;
use fantoccini::{Client, Locator};
use serde_json::Value;

use crate::driver::Driver;

/// Longest anything on the way may take; it is waited for, never slept through.
const PATIENCE: Duration = Duration::from_secs(15);

/// The stage and a driver for browsers.
pub(crate) struct Tour {
    pub(crate) stage: Stage,
    pub(crate) driver: Driver,
    pub(crate) origins: Origins,
}

/// A browser of its own, at the stage's places.
pub(crate) struct Visitor {
    pub(crate) client: Client,
}

impl Tour {
    pub(crate) async fn start() -> Self {
        Self::with(StageOptions::default()).await
    }

    pub(crate) async fn in_mode(whoami_required_aal: RequiredAal) -> Self {
        Self::with(StageOptions {
            whoami_required_aal,
            ..StageOptions::default()
        })
        .await
    }

    pub(crate) async fn with(options: StageOptions) -> Self {
        let outside = std::env::var_os("OLYMPUS_KRATOS").is_some_and(|who| who == "outside");
        let options = if outside {
            StageOptions {
                ports: Choice::Demo,
                kratos: Cast::Outside,
                ..options
            }
        } else {
            options
        };
        let stage = Stage::start(options).await.unwrap();
        let origins = stage.ports().origins();
        Self {
            stage,
            driver: Driver::start().await,
            origins,
        }
    }

    pub(crate) async fn visitor(&self) -> Visitor {
        let client = self.driver.browser().await;
        Visitor { client }
    }

    /// The code that this person's app shows now; its key is the one that Kratos knows.
    pub(crate) async fn code(&self, person: &Customer) -> String {
        let ports = self.stage.ports();
        let is_staff = staff().iter().any(|one| one.email == person.email);
        let port = if is_staff {
            ports.iam_admin
        } else {
            ports.kratos_admin
        };
        let admin = Admin::new(&format!("http://127.0.0.1:{port}")).unwrap();
        let identity = admin.person(&person.email).await.unwrap();
        self.code_of(&totp_key(&identity).unwrap())
    }

    pub(crate) fn code_of(&self, key: &str) -> String {
        code(key, jiff::Timestamp::now())
    }

    /// How often the bank was asked for `path`.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.stage.ledger().count(path)
    }
}

/// One of the people, by the start of the address.
pub(crate) fn person(name: &str) -> Customer {
    let everybody = people().into_iter().chain(staff());
    let mut found = everybody.filter(|person| person.email.starts_with(name));
    found.next().unwrap()
}

/// Where Kratos starts a flow that ends at `target`.
pub(crate) fn flow(kratos: &str, flow: &str, target: &str) -> String {
    let back: String = url::form_urlencoded::byte_serialize(target.as_bytes()).collect();
    let mark = if flow.contains('?') { '&' } else { '?' };
    format!("{kratos}/self-service/{flow}{mark}return_to={back}")
}

impl Visitor {
    pub(crate) async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    pub(crate) async fn at(&self) -> String {
        self.client.current_url().await.unwrap().to_string()
    }

    pub(crate) async fn text(&self) -> String {
        let body = self.client.find(Locator::Css("body")).await.unwrap();
        body.text().await.unwrap()
    }

    /// Waits until the address starts with `start`.
    pub(crate) async fn arrives(&self, start: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            let at = self.at().await;
            if at.starts_with(start) {
                return;
            }
            assert!(
                Instant::now() < until,
                "{at} instead of {start}: {}",
                self.text().await
            );
            tokio::task::yield_now().await;
        }
    }

    /// Waits until the page says `words`.
    pub(crate) async fn reads(&self, words: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            // A page that is just being left has no text.
            let body = self.client.find(Locator::Css("body")).await;
            let text = match body {
                Ok(body) => body.text().await.unwrap_or_default(),
                Err(_) => String::new(),
            };
            if text.contains(words) {
                return;
            }
            assert!(
                Instant::now() < until,
                "no `{words}` on {}: {text}",
                self.at().await
            );
        }
    }

    pub(crate) async fn has(&self, selector: &str) -> bool {
        !self
            .client
            .find_all(Locator::Css(selector))
            .await
            .unwrap()
            .is_empty()
    }

    pub(crate) async fn click(&self, selector: &str) {
        let found = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(selector));
        found.await.unwrap().click().await.unwrap();
    }

    /// Types into the field of that name and sends its form by its first button.
    pub(crate) async fn send(&self, field: &str, value: &str) {
        let selector = format!("input[name='{field}']");
        let found = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(&selector));
        let input = found.await.unwrap();
        input.clear().await.unwrap();
        input.send_keys(value).await.unwrap();
        self.click(&format!("form:has({selector}) button")).await;
    }

    /// Gives the password on the login page that the browser is at.
    pub(crate) async fn log_in(&self, person: &Customer) {
        let name = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css("input[name=identifier]"));
        name.await.unwrap().send_keys(&person.email).await.unwrap();
        self.send("password", &person.password).await;
    }

    /// The key that the settings page shows beside its QR code.
    pub(crate) async fn key(&self) -> String {
        let key = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css("code.key"));
        key.await.unwrap().text().await.unwrap()
    }

    /// The session cookie at the page's host, `name=value`.
    pub(crate) async fn cookie(&self) -> String {
        let cookie = self
            .client
            .get_named_cookie("ory_kratos_session")
            .await
            .unwrap();
        format!("ory_kratos_session={}", cookie.value())
    }

    /// What whoami says of the browser's session.
    pub(crate) async fn session(&self, kratos: u16) -> Value {
        let http = demo::client::builder().build().unwrap();
        let ask = http.get(format!("http://127.0.0.1:{kratos}/sessions/whoami"));
        ask.header("cookie", self.cookie().await)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    pub(crate) async fn close(self) {
        self.client.close().await.unwrap();
    }
}

/// Asks as a program does, following nothing. The `host` is one of the demo's names.
pub(crate) async fn ask(
    tour: &Tour,
    method: reqwest::Method,
    url: &str,
    headers: &[(&str, &str)],
) -> reqwest::Response {
    let address = ([127, 0, 0, 1], tour.stage.ports().envoy).into();
    let mut client = demo::client::builder().timeout(PATIENCE);
    for host in tour.origins.hosts() {
        client = client.resolve(host, address);
    }
    let mut request = client.build().unwrap().request(method, url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}
