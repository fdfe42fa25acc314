//! `rules[]`: a rule as it is written.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::config::{
    forms,
    shape::{OneOrMany, Require, Word},
};

/// What requests it matches, and what they must show.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Rule {
    /// Its name in answers, log and metrics. Unique; up to 64 of `a-z 0-9 . _ -`, a letter or digit first; not `default`.
    #[schemars(with = "forms::Id")]
    pub(in crate::config) id: Spanned<String>,
    /// Which requests it is for: those that fit all of its keys. `{}` is every request.
    #[serde(rename = "match")]
    pub(in crate::config) matches: Match,
    /// What such a request must show.
    #[schemars(with = "Require")]
    pub(in crate::config) require: Spanned<Require>,
    /// `shadow`: what it would refuse is logged and counted, and judged as if the rule were not there. See
    /// [Roll out in steps](operations.md#roll-out-in-steps).
    #[schemars(with = "Option<forms::Mode>", extend("default" = "enforce"))]
    pub(in crate::config) mode: Option<Spanned<String>>,
    /// Where a challenge leads back to when a link can't repeat the request (a POST, a script's call): a path, or a URL on a
    /// guarded origin. Left out, to the page that the request came from, else to the origin's `/`.
    #[schemars(with = "Option<forms::ReturnTo>")]
    pub(in crate::config) return_to: Option<Spanned<String>>,
    /// `true`: a page's form that needs a challenge is [kept in the browser](resume.md) and sent after it. It needs Envoy's
    /// `with_request_body`; otherwise such a form is lost, as without this key.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub(in crate::config) resume: bool,
    /// `off`, or a time shorter than `cache.ttl`: how long a session may be remembered for this rule. Left out, as long as
    /// any.
    #[schemars(with = "Option<forms::TimeOrOff>")]
    pub(in crate::config) cache: Option<Spanned<Word>>,
}

/// Which requests a rule is for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Match {
    /// A pattern or a list. `/a` (also `/a/`), `/a/**` (`/a` and all below), `/users/*/email`, `/users/{id}/email`. Patterns
    /// are decoded paths: no `%`, `?`, `#`, `;`. Left out, every path.
    #[schemars(with = "Option<forms::Either<forms::Path>>")]
    pub(in crate::config) path: Option<Spanned<OneOrMany>>,
    /// A host, `*.host`, or a list, among the origins. Left out, every origin.
    #[schemars(with = "Option<forms::Either<forms::Host>>")]
    pub(in crate::config) host: Option<Spanned<OneOrMany>>,
    /// The methods; `GET` includes `HEAD`. Left out, all.
    #[schemars(with = "Option<Vec<forms::Method>>", length(min = 1))]
    pub(in crate::config) methods: Option<Spanned<Vec<Spanned<String>>>>,
}
