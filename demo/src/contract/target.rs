//! Which Kratos is asked, and what its configuration says.

use std::fmt;
use std::time::Duration;

use url::Url;

use super::RequiredAal;

/// Lets time pass for a Kratos: a test moves a clock, a real Kratos needs a real wait.
pub type Advance = Box<dyn Fn(Duration) + Send + Sync>;

/// A Kratos to ask: where it listens, and those parts of its configuration that its answers show.
///
/// [`Target::new`] gives the values of the recorded configuration; a Kratos that is set up otherwise says so here.
pub struct Target {
    /// The public port, which is `serve.public.base_url` too.
    pub public: Url,
    /// The admin port.
    pub admin: Url,
    /// `session.whoami.required_aal`.
    pub required_aal: RequiredAal,
    /// The origin of the pages, without a final slash: `/login`, `/settings`, `/error` and `/goodbye` are below it.
    pub ui: String,
    /// `selfservice.default_browser_return_url`, whose origin must be on the allow list.
    pub default_url: String,
    /// An origin on the allow list with all its paths, without a final slash.
    pub app: String,
    /// An entry of the allow list that ends inside a path: host and start of the path.
    pub prefix: String,
    /// The part of an `https://*.` entry of the allow list after its star: `.wild.example.test`.
    pub wildcard: String,
    /// `session.lifespan`.
    pub lifespan: Duration,
    /// `selfservice.flows.login.lifespan`.
    pub login_lifespan: Duration,
    /// `selfservice.flows.settings.privileged_session_max_age`.
    pub privileged_max_age: Duration,
    /// Makes time pass; without it, rows that need it are skipped.
    pub advance: Option<Advance>,
}

impl Target {
    /// A Kratos with the recorded configuration at these addresses.
    #[must_use]
    pub fn new(public: Url, admin: Url, required_aal: RequiredAal) -> Self {
        const HOUR: Duration = Duration::from_secs(3600);
        Self {
            public,
            admin,
            required_aal,
            ui: "http://127.0.0.1:4455".to_owned(),
            default_url: "http://127.0.0.1:4455/welcome".to_owned(),
            app: "http://app.example.test:8080".to_owned(),
            prefix: "http://prefix.example.test/app".to_owned(),
            wildcard: ".wild.example.test".to_owned(),
            lifespan: HOUR,
            login_lifespan: HOUR,
            privileged_max_age: HOUR,
            advance: None,
        }
    }

    /// The same Kratos with a way to make time pass.
    #[must_use]
    pub fn with_advance(self, advance: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        Self {
            advance: Some(Box::new(advance)),
            ..self
        }
    }

    /// The public base URL without a final slash: what links written by Kratos start with.
    #[must_use]
    pub fn base(&self) -> &str {
        self.public.as_str().trim_end_matches('/')
    }

    /// The query that brings [`Target::return_to`].
    pub(super) fn return_to_query(&self) -> String {
        format!("return_to={}", enc(&self.return_to()))
    }

    /// A `return_to` that is allowed and has a query of its own.
    #[must_use]
    pub fn return_to(&self) -> String {
        format!("{}/transfer?amount=250&to=bob", self.ui)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("public", &self.public.as_str())
            .field("admin", &self.admin.as_str())
            .field("required_aal", &self.required_aal)
            .finish_non_exhaustive()
    }
}

/// One percent-encoding, as it stands in a query.
pub(super) fn enc(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
