//! The shape of the file: every key, its place kept for the faults found later.
//!
//! The comments of the keys are read by operators: `stepgate schema` and `docs/configuration.md` are made from them.

mod kratos;
mod rule;
mod servers;

use std::{collections::BTreeMap, num::NonZero};

use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use serde_saphyr::{DuplicateKeyPolicy, Location, MergeKeyPolicy, Options, Spanned};

use super::{
    Config, check,
    fault::{Fault, Faults},
    forms,
    given::Given,
    shape::Require,
    sources::Sources,
};
pub(super) use kratos::{Cache, Kratos};
pub(super) use rule::Rule;
pub(super) use servers::{AdminServer, Servers, Tls};

/// Rules as they are written, each with its places a kilobyte: too much to be moved each time that the list grows.
pub(super) type Rules = Vec<Box<Rule>>;

/// A configuration as it is written: its shape is read, and nothing else held against it yet.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(
    title = "Stepgate's configuration",
    description = "See docs/configuration.md."
)]
pub struct File {
    /// The identity domains, at least one, each under a name that is yours (`ciam`, `iam`): one Kratos and the origins it
    /// judges.
    #[schemars(with = "BTreeMap<forms::Name, Kratos>", extend("minProperties" = 1))]
    pub(super) kratos: Spanned<BTreeMap<String, Spanned<Kratos>>>,
    /// What a request must show that no rule matches. There is no silent default.
    #[schemars(with = "Require")]
    pub(super) default: Spanned<Require>,
    /// The rules. The most specific that matches a request holds, whatever their order.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub(super) rules: Rules,
    /// Glob patterns of further files, relative to this one; each holds `rules:`. A pattern that names no file is a fault.
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("default" = []))]
    pub(super) rule_files: Vec<Spanned<String>>,
    /// Headers that an allow sends upstream, each with where its value comes from. Whatever is unset is removed from the
    /// request, in every spelling (`_` or `.` for `-`). `%` and bytes that aren't visible ASCII are percent-encoded, and `,`
    /// within an element of a list; over 4 KiB counts as unset.
    #[schemars(
        with = "Option<BTreeMap<forms::Token, forms::Source>>",
        extend("default" = {"X-User-Id": "identity.id", "X-User-Aal": "session.aal"})
    )]
    pub(super) upstream_headers: Option<Spanned<BTreeMap<String, Spanned<String>>>>,
    /// Envoy's `context_extensions`.
    #[serde(default)]
    pub(super) context: Context,
    /// How the application reads paths.
    #[serde(default)]
    pub(super) paths: Paths,
    /// The doors.
    #[serde(default)]
    pub(super) servers: Servers,
    /// The log.
    #[serde(default)]
    pub(super) log: Log,
    /// How many runtimes answer checks. Left out, one a core.
    #[schemars(with = "Option<NonZero<u32>>")]
    pub(super) workers: Option<Spanned<usize>>,
    /// How long checks are still answered after the signal to [stop](operations.md#stop), while health says `NOT_SERVING`.
    #[schemars(with = "Option<forms::Time>", extend("default" = "5s"))]
    pub(super) drain: Option<Spanned<String>>,
    /// What the loop guard signs with.
    #[serde(default)]
    pub(super) secret: Secret,
}

/// A file of `rule_files`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(
    title = "Rules of Stepgate",
    description = "A file that `rule_files` names."
)]
pub(super) struct RuleFile {
    /// The rules.
    pub(super) rules: Rules,
}

/// `context`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Context {
    /// Keys of Envoy's `context_extensions` that are somebody else's. `require: session|aal2|deny` and `max_age: 5m` there
    /// tighten a rule; anything else is refused with 403 `context_invalid`.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub(super) ignore: Vec<String>,
}

/// `paths`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Paths {
    /// `insensitive` where the application ignores case.
    #[schemars(with = "Option<forms::Case>", extend("default" = "sensitive"))]
    pub(super) case: Option<Spanned<String>>,
    /// `keep` where `;` is data; such a path must meet the rules of every reading: with the parameters, without them, and
    /// cut at the first `;`.
    #[schemars(with = "Option<forms::Semicolon>", extend("default" = "reject"))]
    pub(super) semicolon: Option<Spanned<String>>,
}

/// `log`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    /// How much is told: a refusal is a line at `info`, an allow at `debug`. Audit lines (`"type":"audit"`) are written at
    /// every level.
    #[schemars(with = "Option<forms::Level>", extend("default" = "info"))]
    pub(super) level: Option<Spanned<String>>,
    /// How a line looks.
    #[schemars(with = "Option<forms::Format>", extend("default" = "json"))]
    pub(super) format: Option<Spanned<String>>,
}

/// `secret`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Secret {
    /// The file that holds it, relative to this one: at least 32 bytes, the same on all replicas; a newline at the end
    /// doesn't count. Named and missing, or shorter, is a fault. The variable `STEPGATE_SECRET` wins. With neither, each
    /// start draws its own, and says so.
    #[schemars(with = "Option<String>")]
    pub(super) file: Option<Spanned<String>>,
}

impl File {
    /// What it means, together with its rule files. `name` is the file's that it stands in.
    ///
    /// # Errors
    /// Every fault in it.
    pub fn check(self, name: &str) -> Result<Config, Faults> {
        self.check_given(name, &Given::default())
    }

    /// The same with what the environment gives, which wins over the file.
    pub(super) fn check_given(self, name: &str, given: &Given) -> Result<Config, Faults> {
        check::check(&Sources::of(name, self)?, given)
    }
}

/// Reads a text into its shape, in the dialect of YAML that every file of an operator is read in.
///
/// # Errors
/// The first fault of syntax or shape; it ends the reading.
pub fn parse<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, Fault> {
    parse_as(name, text, options())
}

/// The same for a file of another program, which may use all of YAML.
pub(super) fn parse_foreign<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, Fault> {
    let mut options = Options::default();
    options.with_snippet = false;
    parse_as(name, text, options)
}

fn parse_as<T: DeserializeOwned>(name: &str, text: &str, options: Options) -> Result<T, Fault> {
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let at = error.location().unwrap_or(Location::UNKNOWN);
        Fault::new(name, at, words(&error))
    })
}

fn options() -> Options {
    let mut options = Options::default();
    options.duplicate_keys = DuplicateKeyPolicy::Error;
    options.merge_keys = MergeKeyPolicy::Error;
    options.strict_booleans = true;
    options.no_schema = true;
    options.with_snippet = false;
    options
}

/// The parser's own words without its place, which stands in front already.
fn words(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let words = text
        .rsplit_once(" at line ")
        .map_or(&*text, |(words, _)| words);
    format!("{words}{}", hint(words))
}

/// What somebody meant who wrote a key of another's.
fn hint(words: &str) -> &'static str {
    if words.contains("unknown field `required_aal`") {
        "; a level is asked for in a rule, as in `require: aal2`"
    } else {
        ""
    }
}
