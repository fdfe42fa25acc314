//! What a person sets on a Kratos, as far as the double has it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use url::Url;

/// What a double is started with; the default is the configuration behind the recorded answers, on free ports.
#[derive(Clone, Debug)]
pub struct Options {
    /// `serve.public.base_url`: every link starts with it. Default: `http://127.0.0.1:<the public port>/`.
    pub base_url: Option<Url>,
    /// The origin of the pages; `login`, `settings` and `error` are below it.
    pub ui_url: Url,
    /// `selfservice.default_browser_return_url`: where people land without `return_to`. Not on the allow list by itself.
    pub default_return_url: Url,
    /// `selfservice.allowed_return_urls`: scheme, host with port or `*.suffix`, then path by plain prefix.
    pub allowed_return_urls: Vec<String>,
    /// Where people land after they logged out.
    pub logout_return_url: Url,
    /// `session.whoami.required_aal`.
    pub whoami_required_aal: RequiredAal,
    /// `selfservice.flows.settings.required_aal`.
    pub settings_required_aal: RequiredAal,
    /// `session.cookie.name`.
    pub cookie_name: String,
    /// `session.cookie.domain`; also the domain of the CSRF cookie.
    pub cookie_domain: Option<String>,
    /// `session.lifespan`.
    pub lifespan: Duration,
    /// `selfservice.flows.settings.privileged_session_max_age`: older logins change no factor and no password.
    pub privileged_session_max_age: Duration,
    /// How long a login or settings flow can be used.
    pub flow_lifespan: Duration,
    /// The issuer an authenticator app shows.
    pub totp_issuer: String,
    /// Where the public API listens; port 0 picks a free one.
    pub public_listen: SocketAddr,
    /// Where the admin API listens; port 0 picks a free one.
    pub admin_listen: SocketAddr,
}

/// The level a session needs for whoami or settings; Kratos knows these two words only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequiredAal {
    /// `aal1`: any session will do.
    Aal1,
    /// `highest_available`: the second factor too, for people who have one.
    HighestAvailable,
}

impl Default for Options {
    fn default() -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let hour = Duration::from_secs(3600);
        Self {
            base_url: None,
            ui_url: constant("http://127.0.0.1:4455/"),
            default_return_url: constant("http://127.0.0.1:4455/welcome"),
            allowed_return_urls: [
                "http://127.0.0.1:4455/",
                "http://app.example.test:8080/",
                "http://prefix.example.test/app",
                "https://*.wild.example.test/",
            ]
            .map(String::from)
            .to_vec(),
            logout_return_url: constant("http://127.0.0.1:4455/goodbye"),
            whoami_required_aal: RequiredAal::Aal1,
            settings_required_aal: RequiredAal::HighestAvailable,
            cookie_name: String::from("ory_kratos_session"),
            cookie_domain: None,
            lifespan: hour,
            privileged_session_max_age: hour,
            flow_lifespan: hour,
            totp_issuer: String::from("kratos-contract"),
            public_listen: loopback,
            admin_listen: loopback,
        }
    }
}

#[expect(
    clippy::expect_used,
    reason = "only called with the constants above, which every test parses"
)]
fn constant(text: &'static str) -> Url {
    Url::parse(text).expect("a constant URL parses")
}
