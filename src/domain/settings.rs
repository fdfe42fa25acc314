//! `settings: enrol_first`: whoever has no second factor may use Kratos' own settings to set one up, and for nothing else.
//!
//! Kratos' settings are one address that takes everything: a submission's fields tell what it changes. So one passes
//! without a second factor only if it holds nothing but the fields by which one is set up, each once, and nothing that
//! can't be read. Which fields a strategy of Kratos obeys, and that some obey the query of a POST too, is from Kratos
//! v26.2.0, `selfservice/strategy/*/settings.go`.

use http::Method;

use super::{
    form::{Field, urlencoded},
    identity_domain::BaseUrl,
    origin::Serves,
    path::{Path, PathOptions, segments},
    pattern::{PathPattern, PatternError},
    request::Request,
    rule::{Requirement, Rule},
};

/// The id that stands for a rule's where Kratos' own paths are open or held.
pub const SETTINGS_RULE: &str = "kratos.settings";

/// What sets a second factor up. A passkey is a first one.
const METHODS: [&[u8]; 3] = [b"totp", b"webauthn", b"lookup_secret"];

/// The fields of a submission that sets one up, and no other's.
const FIELDS: [&[u8]; 8] = [
    b"flow",
    b"csrf_token",
    b"method",
    b"totp_code",
    b"webauthn_register",
    b"webauthn_register_displayname",
    b"lookup_secret_regenerate",
    b"lookup_secret_confirm",
];

/// The fields that name their method themselves: Kratos' forms send no other with them.
const BUTTONS: [&[u8]; 3] = [
    b"webauthn_register",
    b"lookup_secret_regenerate",
    b"lookup_secret_confirm",
];

/// What lies below the settings and only shows or begins a flow, whatever its query.
const PAGES: [&[u8]; 3] = [b"browser", b"api", b"flows"];

/// A Kratos whose settings are for enrolling first.
#[derive(Clone, Debug)]
pub struct EnrolFirst {
    /// What stands for a rule on Kratos' own paths: open, and back to the settings.
    pub rule: Rule,
}

/// What a request to Kratos' settings would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// See a flow, begin one, or go on with one that Kratos itself held.
    Read,
    /// Set a second factor up.
    Enrol,
    /// Something else, or nobody can tell.
    Change,
}

impl EnrolFirst {
    /// The settings of the Kratos that browsers reach there.
    ///
    /// # Errors
    /// [`PatternError`] where the URL's path can't be told apart from others.
    pub fn new(browser_url: &BaseUrl, options: PathOptions) -> Result<Self, PatternError> {
        let prefix = browser_url.path();
        let own = |path: &str| {
            let pattern = PathPattern::parse(&format!("{prefix}{path}"));
            if options.ignore_case {
                pattern.map(PathPattern::ignoring_case)
            } else {
                pattern
            }
        };
        let back = format!("{}/self-service/settings/browser", browser_url.as_str());
        let paths = ["/self-service/**", "/sessions/**"].map(own);
        Ok(Self {
            rule: Rule {
                id: SETTINGS_RULE.into(),
                paths: paths.into_iter().collect::<Result<_, _>>()?,
                return_to: Some(back.into()),
                ..Rule::everywhere(SETTINGS_RULE, Requirement::None)
            },
        })
    }

    /// Whether no rule of the configuration judges this path on an origin that serves this: all of it where only Kratos is
    /// guarded there, else Kratos' own paths, by every reading.
    #[must_use]
    pub fn replaces_rules(&self, serves: Serves, path: &Path) -> bool {
        let is_own = |reading: &[u8]| self.rule.paths.iter().any(|own| own.matches(reading));
        match serves {
            Serves::Apps => false,
            Serves::Kratos => true,
            Serves::Both => is_own(path.whole()) && path.cuts().all(is_own),
        }
    }
}

/// What a request would do in Kratos' settings; `None` where no reading of its path leads there. The body's fields are
/// none where there is no body, and where it can't be read.
#[must_use]
pub fn intent(request: &Request, body: Option<&[Field]>) -> Option<Intent> {
    let readings = || std::iter::once(request.path.whole()).chain(request.path.cuts());
    let mut tails = readings().filter_map(below_settings).peekable();
    tails.peek()?;
    let is_page = tails.all(|tail| matches!(&*tail, [page] if PAGES.contains(page)));
    Some(if !request.is_repeatable() {
        submitted(request, body)
    } else if is_page {
        Intent::Read
    } else {
        asked(request)
    })
}

/// The segments behind Kratos' settings. Where its prefix ends doesn't count, so that no second way to the same Kratos is
/// overlooked, and neither does case.
fn below_settings(reading: &[u8]) -> Option<Vec<&[u8]>> {
    let all: Vec<_> = segments(reading).collect();
    let is_settings = |pair: &[&[u8]]| {
        let [parent, own] = pair else { return false };
        parent.eq_ignore_ascii_case(b"self-service") && own.eq_ignore_ascii_case(b"settings")
    };
    let at = all.windows(2).position(is_settings)?;
    Some(all.into_iter().skip(at.saturating_add(2)).collect())
}

/// Kratos reads no body of a GET, but takes a submission from its query.
fn asked(request: &Request) -> Intent {
    match query(request) {
        Some(fields) if fields.iter().all(|field| field.name == b"flow") && fields.len() <= 1 => {
            Intent::Read
        }
        Some(fields) if enrols(&fields.iter()) => Intent::Enrol,
        _ => Intent::Change,
    }
}

fn submitted(request: &Request, body: Option<&[Field]>) -> Intent {
    match (query(request), body) {
        (Some(query), Some(body))
            if request.method == Method::POST && enrols(&query.iter().chain(body)) =>
        {
            Intent::Enrol
        }
        _ => Intent::Change,
    }
}

/// Some servers end a field at a `;` too, so a query that holds one can't be read.
fn query(request: &Request) -> Option<Vec<Field>> {
    let query = request.query();
    (!query.contains(&b';')).then(|| urlencoded(query))?
}

/// Whether these fields set a second factor up and do nothing besides.
fn enrols<'a>(fields: &(impl Iterator<Item = &'a Field> + Clone)) -> bool {
    let named = |name: &[u8]| fields.clone().filter(|field| field.name == name).count();
    let mut method = fields.clone().filter(|field| field.name == b"method");
    let is_enrolling = match method.next() {
        Some(method) => METHODS.contains(&&*method.value),
        None => BUTTONS.iter().any(|button| named(button) > 0),
    };
    let is_known = |field: &Field| FIELDS.contains(&&*field.name);
    is_enrolling && fields.clone().all(is_known) && FIELDS.iter().all(|name| named(name) <= 1)
}

#[cfg(test)]
mod tests;
