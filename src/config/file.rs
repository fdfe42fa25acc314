//! The shape of the file: every key, its place kept for the faults found later.

use std::collections::BTreeMap;

use serde::{Deserialize, de::DeserializeOwned};
use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy, Options, Spanned};

use super::{
    Config, check,
    fault::{Collector, Faults},
    shape::{OneOrMany, Require},
};

/// A configuration as it is written, its shape read and nothing else held against it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub(super) kratos: Spanned<BTreeMap<String, Spanned<Kratos>>>,
    pub(super) default: Spanned<Require>,
    #[serde(default)]
    pub(super) rules: Vec<Rule>,
    #[serde(default)]
    pub(super) servers: Servers,
    #[serde(default)]
    pub(super) log: Log,
    pub(super) workers: Option<Spanned<usize>>,
}

/// `kratos.<name>`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kratos {
    pub(super) api_url: Spanned<String>,
    pub(super) browser_url: Spanned<String>,
    pub(super) origins: Spanned<Vec<Spanned<String>>>,
    pub(super) cookie: Option<Spanned<String>>,
    pub(super) timeout: Option<Spanned<String>>,
    pub(super) refresh: Option<Spanned<String>>,
}

/// `rules[]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) id: Spanned<String>,
    #[serde(rename = "match")]
    pub(super) matches: Match,
    pub(super) require: Spanned<Require>,
    pub(super) return_to: Option<Spanned<String>>,
}

/// `rules[].match`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Match {
    pub(super) path: Option<Spanned<OneOrMany>>,
    pub(super) host: Option<Spanned<OneOrMany>>,
    pub(super) methods: Option<Spanned<Vec<Spanned<String>>>>,
}

/// `servers`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Servers {
    #[serde(default)]
    pub(super) grpc: Server,
}

/// `servers.*`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Server {
    pub(super) listen: Option<Spanned<String>>,
}

/// `log`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    pub(super) level: Option<Spanned<String>>,
    pub(super) format: Option<Spanned<String>>,
}

impl File {
    /// What it means; `name` stands in front of each fault.
    ///
    /// # Errors
    /// Every fault in it.
    pub fn check(&self, name: &str) -> Result<Config, Faults> {
        check::check(name, self)
    }
}

/// Reads the shape of a file, in the dialect of YAML that every file of an operator is read in.
///
/// # Errors
/// The first fault of syntax or shape; it ends the reading.
pub fn read<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, Faults> {
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let mut faults = Collector::new(name);
        let at = error.location().unwrap_or(serde_saphyr::Location::UNKNOWN);
        faults.add(at, words(&error));
        Faults::from(faults)
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
    text.rsplit_once(" at line ")
        .map_or(text.clone(), |(words, _)| words.to_owned())
}
