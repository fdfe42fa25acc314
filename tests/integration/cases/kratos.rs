//! A Kratos in the state that a case names.
//!
//! The double is put in every state that it can have. What it can't show (another factor, an odd time, an outage) is told
//! by a stand-in that says what the case says, to the one credential that it knows.

use std::time::{Duration, SystemTime};

use demo::kratos::{Double, Options, Person, RequiredAal};
use stepgate::{
    cli::cases::{self, Case, Heard, Said, Suite},
    domain::credential::CredentialKind,
};

use super::told::Told;

/// The secret of the person who has an app; made up.
const TOTP_SECRET: &str = "NOTASECRETNOTASECRETNOTASECRET22";
const ENROLLED: &str = "totp@app.test";
const PLAIN: &str = "plain@app.test";
/// Nobody listens here.
const NOBODY: &str = "http://127.0.0.1:9";
/// What cases call the identity of a word.
const SUBJECT: &str = "1de00000-0000-4000-8000-000000000001";
const REQUEST_ID: &str = "<request id>";

/// Every Kratos that a case may need.
pub(crate) struct World {
    open: Double,
    strict: Double,
    told: Told,
    /// The identities of both persons, in the double that serves every session.
    subjects: [String; 2],
}

/// What a case is asked under.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(super) api_url: String,
    pub(super) credential: String,
    pub(super) now: SystemTime,
    subject: String,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            api_url: NOBODY.to_owned(),
            credential: "nobody".to_owned(),
            now: cases::now(),
            subject: SUBJECT.to_owned(),
        }
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        let open = double(RequiredAal::Aal1).await;
        let strict = double(RequiredAal::HighestAvailable).await;
        let subjects = people(&open);
        people(&strict);
        Self {
            open,
            strict,
            told: Told::start().await,
            subjects,
        }
    }

    /// Puts Kratos in the state that a case names.
    pub(super) async fn set(&self, suite: &Suite, case: &Case) -> Scene {
        let is_cookie = case.credential() == CredentialKind::Cookie;
        let mut domains = suite.config.policy.identity_domains.iter();
        let is_usual = domains.all(|domain| &*domain.cookie == "ory_kratos_session");
        match &case.said {
            Said::Unavailable(None) => Scene::default(),
            Said::SignedOut => self.scene(&self.open, String::new(), PLAIN),
            Said::Withheld if is_cookie => {
                let cookie = self.strict.sign_in(ENROLLED).unwrap();
                self.scene(&self.strict, cookie.value().to_owned(), ENROLLED)
            }
            Said::Aal1 if is_usual => self.signed_in(is_cookie, PLAIN, None),
            Said::Aal1Enrolled if is_usual => self.signed_in(is_cookie, ENROLLED, None),
            Said::Aal2(age) if is_usual && (is_cookie || age.is_zero()) => {
                self.signed_in(is_cookie, ENROLLED, Some(*age))
            }
            said => Scene {
                api_url: self.told.say(said.clone()),
                credential: Told::CREDENTIAL.to_owned(),
                ..Scene::default()
            },
        }
    }

    /// A session in the double, its second factor given so long ago.
    fn signed_in(&self, is_cookie: bool, email: &str, age: Option<Duration>) -> Scene {
        let (double, now) = (&self.open, self.now());
        let credential = if is_cookie {
            let mut cookie = double.sign_in(email).unwrap();
            if let Some(age) = age {
                cookie = double.step_up(&cookie, "totp").unwrap();
                assert!(double.age_methods(&cookie, age));
            }
            cookie.value().to_owned()
        } else {
            let token = double.sign_in_native(email).unwrap();
            assert!(age.is_none() || double.step_up_native(&token, "totp"));
            token
        };
        Scene {
            now,
            ..self.scene(double, credential, email)
        }
    }

    fn scene(&self, double: &Double, credential: String, email: &str) -> Scene {
        let [enrolled, plain] = &self.subjects;
        let subject = if email == ENROLLED { enrolled } else { plain };
        Scene {
            api_url: double
                .public_url()
                .as_str()
                .trim_end_matches('/')
                .to_owned(),
            credential,
            now: self.now(),
            subject: subject.clone(),
        }
    }

    fn now(&self) -> SystemTime {
        self.open.clock().now().try_into().unwrap()
    }
}

async fn double(whoami_required_aal: RequiredAal) -> Double {
    let options = Options {
        whoami_required_aal,
        ..Options::default()
    };
    Double::start(options).await.unwrap()
}

fn people(double: &Double) -> [String; 2] {
    [(ENROLLED, Some(TOTP_SECRET)), (PLAIN, None)].map(|(email, totp_secret)| {
        double.add_person(Person {
            email: email.to_owned(),
            password: "not-a-password-only-for-tests".to_owned(),
            totp_secret: totp_secret.map(str::to_owned),
            ..Person::default()
        })
    })
}

impl Scene {
    /// The answer without what is made up anew each time: the id of a request that brought none, the double's identities,
    /// the loop guard's signed marker, and the keys, nonces and hashes of a kept form.
    pub(super) fn plain(&self, mut heard: Heard) -> Heard {
        let id = heard
            .headers
            .get("x-request-id")
            .and_then(|lines| lines.first());
        let id = id.filter(|id| id.len() == 16).cloned();
        let plain = |text: &str| {
            let text = text.replace(&self.subject, SUBJECT);
            let text = without_tokens(&text);
            id.iter()
                .fold(text, |text, id| text.replace(id, REQUEST_ID))
        };
        for lines in heard.headers.values_mut() {
            lines.retain(|line| !line.starts_with("stepgate_marker="));
            for line in lines {
                *line = plain(line);
            }
        }
        heard.headers.retain(|_, lines| !lines.is_empty());
        heard.body = plain(&heard.body);
        heard
    }
}

/// The text with `…` for each run of 32 hexadecimal digits or more.
fn without_tokens(text: &str) -> String {
    let is_token = |run: &str| run.len() >= 32 && run.bytes().all(|b| b.is_ascii_hexdigit());
    let runs = text.split_inclusive(|c: char| !c.is_ascii_hexdigit());
    let plain = runs.map(|run| {
        let digits = run.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
        if is_token(digits) {
            run.replace(digits, "…")
        } else {
            run.to_owned()
        }
    });
    plain.collect()
}
