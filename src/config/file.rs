//! The shape of the file: every key, its place kept for the faults found later.

use std::{collections::BTreeMap, ffi::OsStr};

use serde::{Deserialize, de::DeserializeOwned};
use serde_saphyr::{DuplicateKeyPolicy, Location, MergeKeyPolicy, Options, Spanned};

use super::{
    Config, check,
    fault::{Fault, Faults},
    shape::{OneOrMany, Require, Word},
    sources::Sources,
};

/// A configuration as it is written: its shape is read, and nothing else held against it yet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub(super) kratos: Spanned<BTreeMap<String, Spanned<Kratos>>>,
    pub(super) default: Spanned<Require>,
    #[serde(default)]
    pub(super) rules: Vec<Rule>,
    #[serde(default)]
    pub(super) rule_files: Vec<Spanned<String>>,
    pub(super) upstream_headers: Option<Spanned<BTreeMap<String, Spanned<String>>>>,
    #[serde(default)]
    pub(super) context: Context,
    #[serde(default)]
    pub(super) paths: Paths,
    #[serde(default)]
    pub(super) servers: Servers,
    #[serde(default)]
    pub(super) log: Log,
    pub(super) workers: Option<Spanned<usize>>,
    pub(super) drain: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) secret: Secret,
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
    pub(super) credentials: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) enrolment: Option<Spanned<Word>>,
    pub(super) max_in_flight: Option<Spanned<usize>>,
    #[serde(default)]
    pub(super) cache: Cache,
    pub(super) signed_out: Option<Spanned<String>>,
    pub(super) health: Option<Spanned<Word>>,
    pub(super) ca_file: Option<Spanned<String>>,
}

/// `kratos.<name>.cache`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cache {
    pub(super) ttl: Option<Spanned<String>>,
    pub(super) capacity: Option<Spanned<usize>>,
}

/// A file of `rule_files`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleFile {
    pub(super) rules: Vec<Rule>,
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
    pub(super) cache: Option<Spanned<Word>>,
}

/// `rules[].match`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Match {
    pub(super) path: Option<Spanned<OneOrMany>>,
    pub(super) host: Option<Spanned<OneOrMany>>,
    pub(super) methods: Option<Spanned<Vec<Spanned<String>>>>,
}

/// `context`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Context {
    #[serde(default)]
    pub(super) ignore: Vec<String>,
}

/// `paths`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Paths {
    pub(super) case: Option<Spanned<String>>,
    pub(super) semicolon: Option<Spanned<String>>,
}

/// `servers`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Servers {
    #[serde(default)]
    pub(super) grpc: GrpcServer,
    pub(super) http: Option<HttpServer>,
    #[serde(default)]
    pub(super) admin: AdminServer,
}

/// `servers.grpc`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GrpcServer {
    pub(super) listen: Option<Spanned<String>>,
    pub(super) max_connections: Option<Spanned<usize>>,
    pub(super) tls: Option<Tls>,
}

/// `servers.admin`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdminServer {
    pub(super) listen: Option<Spanned<Word>>,
    pub(super) max_connections: Option<Spanned<usize>>,
    pub(super) tls: Option<Tls>,
}

/// `servers.http`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpServer {
    pub(super) listen: Spanned<String>,
    pub(super) max_connections: Option<Spanned<usize>>,
    pub(super) tls: Option<Tls>,
    pub(super) trusted_proxies: Option<Spanned<Vec<Spanned<String>>>>,
}

/// `servers.*.tls`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    pub(super) cert_file: Spanned<String>,
    pub(super) key_file: Spanned<String>,
    pub(super) client_ca_file: Option<Spanned<String>>,
}

/// `log`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    pub(super) level: Option<Spanned<String>>,
    pub(super) format: Option<Spanned<String>>,
}

/// `secret`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Secret {
    pub(super) file: Option<Spanned<String>>,
}

impl File {
    /// What it means, together with its rule files. `name` is the file's that it stands in.
    ///
    /// # Errors
    /// Every fault in it.
    pub fn check(self, name: &str) -> Result<Config, Faults> {
        self.check_given(name, None)
    }

    /// The same with a secret from the environment, which wins over the file's.
    pub(super) fn check_given(self, name: &str, secret: Option<&OsStr>) -> Result<Config, Faults> {
        check::check(&Sources::of(name, self)?, secret)
    }
}

impl Tls {
    /// Every file it names.
    pub(super) fn files(&self) -> impl Iterator<Item = &Spanned<String>> {
        [&self.cert_file, &self.key_file]
            .into_iter()
            .chain(&self.client_ca_file)
    }
}

/// Reads a text into its shape, in the dialect of YAML that every file of an operator is read in.
///
/// # Errors
/// The first fault of syntax or shape; it ends the reading.
pub fn parse<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, Fault> {
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
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
    text.rsplit_once(" at line ")
        .map_or(text.clone(), |(words, _)| words.to_owned())
}
