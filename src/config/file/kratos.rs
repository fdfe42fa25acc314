//! `kratos.<name>`: an identity domain as it is written.

use std::num::NonZero;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::config::{forms, shape::Word};

/// One Kratos and the origins it judges.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Kratos {
    /// Where Stepgate calls Kratos' public API; http or https, a path prefix is fine. Where its name leads is asked anew for
    /// each connection, and no call goes by one from over a minute ago.
    #[schemars(with = "forms::BaseUrl")]
    pub(in crate::config) api_url: Spanned<String>,
    /// Where browsers reach it; a path prefix is fine. On a guarded origin its `/self-service/**` must be open, or the load
    /// fails.
    #[schemars(with = "forms::BaseUrl")]
    pub(in crate::config) browser_url: Spanned<String>,
    /// The origins this Kratos judges: `https://app.example.com[:port]`, or `https://*.example.com` for one or more labels.
    /// The exact origin wins, then the longer wildcard. One host may be in one domain only.
    #[schemars(with = "Vec<forms::Origin>", length(min = 1))]
    pub(in crate::config) origins: Spanned<Vec<Spanned<String>>>,
    /// The session cookie's name: Kratos' `session.cookie.name`.
    #[schemars(with = "Option<forms::Token>", extend("default" = "ory_kratos_session"))]
    pub(in crate::config) cookie: Option<Spanned<String>>,
    /// The longest a check waits for Kratos in all; the check's own deadline (`grpc-timeout` less 10 ms) ends it sooner.
    #[schemars(with = "Option<forms::SomeTime>", extend("default" = "1s"))]
    pub(in crate::config) timeout: Option<Spanned<String>>,
    /// `always`: each step-up carries `refresh=true`; `when_stale`: only where the session is AAL2 already, but its factor
    /// too old or another.
    #[schemars(with = "Option<forms::Refresh>", extend("default" = "always"))]
    pub(in crate::config) refresh: Option<Spanned<String>>,
    /// Which credentials count: `cookie`, `session_token` (`X-Session-Token`), `bearer` (`Authorization: Bearer`). Two kinds
    /// in one request are refused as ambiguous.
    #[schemars(
        with = "Option<Vec<forms::Credential>>",
        length(min = 1),
        extend("default" = ["cookie"], "uniqueItems" = true)
    )]
    pub(in crate::config) credentials: Option<Spanned<Vec<Spanned<String>>>>,
    /// What becomes of someone without a second factor: `detect` sends to settings, `refuse` explains, `off` sends to
    /// step-up like everyone.
    #[schemars(with = "Option<forms::Enrolment>", extend("default" = "detect"))]
    pub(in crate::config) enrolment: Option<Spanned<Word>>,
    /// Calls to Kratos at once; the rest queue until their check's time is over. Second questions take at most half of the
    /// places.
    #[schemars(with = "Option<u32>", range(min = 1, max = 65536), extend("default" = 64))]
    pub(in crate::config) max_in_flight: Option<Spanned<usize>>,
    /// What is remembered of sessions. Memory can only allow: each request judges it by its own rule, and where it doesn't
    /// suffice Kratos is asked.
    #[serde(default)]
    pub(in crate::config) cache: Cache,
    /// `verify`: a 401 is believed only after a second question, since Kratos says 401 too when its database is down;
    /// `trust` believes at once.
    #[schemars(with = "Option<forms::SignedOut>", extend("default" = "verify"))]
    pub(in crate::config) signed_out: Option<Spanned<String>>,
    /// The path below `api_url` that says whether Kratos is ready; it is asked before someone without a session is sent to
    /// log in, and before Kratos is given up. `off` where there is none.
    #[schemars(with = "Option<forms::Health>", extend("default" = "/health/ready"))]
    pub(in crate::config) health: Option<Spanned<Word>>,
    /// `enrol_first`: someone without a second factor may use Kratos' settings only to set one up, which Kratos itself can't
    /// demand. The origin of `browser_url` must be judged too, with the bodies of its requests.
    #[schemars(with = "Option<forms::Settings>", extend("default" = "kratos"))]
    pub(in crate::config) settings: Option<Spanned<String>>,
    /// PEM roots for an https `api_url`, relative to this file. Left out, the system's.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) ca_file: Option<Spanned<String>>,
}

/// What is remembered of sessions.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Cache {
    /// How long a session that let a request through is remembered; `0s` for never. A revoked session is refused within
    /// this time.
    #[schemars(with = "Option<forms::Time>", extend("default" = "1s"))]
    pub(in crate::config) ttl: Option<Spanned<String>>,
    /// How many sessions.
    #[schemars(with = "Option<NonZero<u32>>", extend("default" = 100_000))]
    pub(in crate::config) capacity: Option<Spanned<usize>>,
}
