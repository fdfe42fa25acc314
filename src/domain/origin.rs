//! The origins that Stepgate guards, and which of them a request belongs to.

use std::fmt;

use foldhash::HashMap;
use url::Url;

use super::{
    host::{Authority, Host},
    pattern::{HostPattern, PatternError, parents},
};

/// `http` or `https`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain text.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// As it stands in front of `://`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that a URL of this scheme leaves out.
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "http" => Some(Self::Http),
            "https" => Some(Self::Https),
            _ => None,
        }
    }
}

/// An origin as configured: `https://app.example.com[:port]`, or `https://*.example.com` for every host below.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OriginPattern {
    /// The scheme that browsers use.
    pub scheme: Scheme,
    /// The host or hosts.
    pub host: HostPattern,
    /// The port, the scheme's own where the text names none.
    pub port: u16,
}

/// Why an origin was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// No `http://` or `https://` in front.
    #[error("an origin starts with `http://` or `https://`")]
    Scheme,
    /// A path, query, fragment or userinfo.
    #[error("an origin is scheme, host and port, without a path or anything behind it")]
    Extra,
    /// The host is none.
    #[error(transparent)]
    Host(#[from] PatternError),
    /// The port is none.
    #[error("the port is not a number from 1 to 65535")]
    Port,
}

impl OriginPattern {
    /// Reads an origin; a slash at its end is let pass.
    ///
    /// # Errors
    /// See [`OriginError`].
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let (scheme, rest) = text.split_once("://").ok_or(OriginError::Scheme)?;
        let scheme = Scheme::parse(scheme).ok_or(OriginError::Scheme)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#', '@', '\\']) {
            return Err(OriginError::Extra);
        }
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, parse_port(port)?),
            _ => (rest, scheme.default_port()),
        };
        Ok(Self {
            scheme,
            host: HostPattern::parse(host)?,
            port,
        })
    }

    /// Whether a request that names this port, or none, names this origin's.
    fn is_port(&self, port: Option<u16>) -> bool {
        self.port == port.unwrap_or(self.scheme.default_port())
    }
}

fn parse_port(text: &str) -> Result<u16, OriginError> {
    match text.parse() {
        Ok(port) if port > 0 && !text.starts_with('+') => Ok(port),
        _ => Err(OriginError::Port),
    }
}

impl fmt::Display for OriginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_origin(f, self.scheme, &self.host, self.port)
    }
}

/// What an origin serves, as far as that decides who judges a request there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Serves {
    /// Guarded applications.
    #[default]
    Apps,
    /// A Kratos whose settings are for enrolling first, and beside it only what nobody guards.
    Kratos,
    /// Both.
    Both,
}

/// One origin that a request or a link belongs to: no wildcard is left in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: Scheme,
    host: Host,
    port: u16,
    serves: Serves,
}

impl Origin {
    /// How browsers reach it.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// What it serves.
    #[must_use]
    pub fn serves(&self) -> Serves {
        self.serves
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_origin(f, self.scheme, &self.host, self.port)
    }
}

fn write_origin(
    f: &mut fmt::Formatter<'_>,
    scheme: Scheme,
    host: &dyn fmt::Display,
    port: u16,
) -> fmt::Result {
    write!(f, "{}://{host}", scheme.as_str())?;
    if port == scheme.default_port() {
        Ok(())
    } else {
        write!(f, ":{port}")
    }
}

/// Which identity domain an origin belongs to: its place in [`Policy::identity_domains`](super::policy::Policy).
pub type DomainId = usize;

/// All origins, found by host and port.
///
/// An exact host wins over a wildcard, a longer wildcard over a shorter. Among the origins of one host the request's port
/// chooses; where it names the port of none, the only one of that host is taken, and where there are several, none.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    exact: HashMap<Host, Vec<Guarded>>,
    below: HashMap<Host, Vec<Guarded>>,
}

#[derive(Clone, Debug)]
struct Guarded {
    pattern: OriginPattern,
    domain: DomainId,
    serves: Serves,
}

impl Origins {
    /// An index of these origins. That none is named twice is for the configuration to hold.
    #[must_use]
    pub fn new(origins: impl IntoIterator<Item = (OriginPattern, DomainId)>) -> Self {
        let mut all = Self::default();
        for (pattern, domain) in origins {
            all.insert(Guarded {
                pattern,
                domain,
                serves: Serves::Apps,
            });
        }
        all
    }

    /// The same, and there a Kratos whose settings are for enrolling first. The origin is known from then on, though it may
    /// be none of those given.
    #[must_use]
    pub fn with_kratos(mut self, at: OriginPattern, domain: DomainId) -> Self {
        let HostPattern::Exact(host) = &at.host else {
            return self;
        };
        let is_it = |one: &Guarded| one.pattern.scheme == at.scheme && one.pattern.port == at.port;
        if let Some(level) = self.exact.get_mut(host)
            && let Some(own) = level.iter_mut().find(|one| is_it(one))
        {
            own.serves = Serves::Both;
            return self;
        }
        let is_guarded = self.candidates(host).any(|level| level.iter().any(is_it));
        let serves = if is_guarded {
            Serves::Both
        } else {
            Serves::Kratos
        };
        self.insert(Guarded {
            pattern: at,
            domain,
            serves,
        });
        self
    }

    fn insert(&mut self, guarded: Guarded) {
        let (map, host) = match &guarded.pattern.host {
            HostPattern::Exact(host) => (&mut self.exact, host.clone()),
            HostPattern::Below(suffix) => (&mut self.below, suffix.clone()),
        };
        map.entry(host).or_default().push(guarded);
    }

    /// The origin that a request for this host and port belongs to.
    #[must_use]
    pub fn locate(&self, authority: &Authority) -> Option<(Origin, DomainId)> {
        let candidates = || self.candidates(&authority.host);
        let by_port =
            candidates().find_map(|level| only(level, |one| one.pattern.is_port(authority.port)));
        let guarded = by_port.or_else(|| only(candidates().next()?, |_| true))?;
        Some((guarded.at(&authority.host), guarded.domain))
    }

    /// The origin that a link points to: scheme, host and port must all be one origin's.
    #[must_use]
    pub fn of_link(&self, link: &Url) -> Option<(Origin, DomainId)> {
        let host = Host::parse(link.host_str()?.as_bytes()).ok()?;
        let is_it = |one: &Guarded| {
            one.pattern.scheme.as_str() == link.scheme()
                && Some(one.pattern.port) == link.port_or_known_default()
        };
        let guarded = self
            .candidates(&host)
            .find_map(|level| only(level, is_it))?;
        Some((guarded.at(&host), guarded.domain))
    }

    /// The origins that name this host, the most specific first. They are of one identity domain, that of the first: no
    /// port that a client writes behind a host makes it another Kratos' to judge.
    fn candidates<'a>(&'a self, host: &'a Host) -> impl Iterator<Item = &'a [Guarded]> {
        let exact = self.exact.get(host);
        let below = parents(host.as_str()).filter_map(|parent| self.below.get(parent));
        let mut all = exact.into_iter().chain(below).map(Vec::as_slice).peekable();
        let domain = |level: &[Guarded]| level.first().map(|one| one.domain);
        let first = all.peek().copied().and_then(domain);
        all.filter(move |level| domain(level) == first)
    }
}

impl Guarded {
    fn at(&self, host: &Host) -> Origin {
        Origin {
            scheme: self.pattern.scheme,
            host: host.clone(),
            port: self.pattern.port,
            serves: self.serves,
        }
    }
}

/// The one that fits, if just one does.
fn only(level: &[Guarded], fits: impl Fn(&Guarded) -> bool) -> Option<&Guarded> {
    let mut fitting = level.iter().filter(|one| fits(one));
    let first = fitting.next()?;
    fitting.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(texts: &[&str]) -> Origins {
        Origins::new(
            texts
                .iter()
                .enumerate()
                .map(|(id, text)| (OriginPattern::parse(text).unwrap(), id)),
        )
    }

    fn located(origins: &Origins, authority: &str) -> Option<String> {
        let authority = Authority::parse(authority.as_bytes()).unwrap();
        origins
            .locate(&authority)
            .map(|(origin, _)| origin.to_string())
    }

    #[test]
    fn a_request_belongs_to_the_origin_whose_host_and_port_it_names() {
        let all = origins(&[
            "https://app.test",
            "http://app.test:8080",
            "http://one.test:9000",
            "https://*.wild.test",
        ]);
        let cases = [
            ("app.test", Some("https://app.test")),
            ("app.test:443", Some("https://app.test")),
            ("app.test:8080", Some("http://app.test:8080")),
            ("app.test:9", None),
            ("one.test", Some("http://one.test:9000")),
            ("one.test:1234", Some("http://one.test:9000")),
            ("a.b.wild.test", Some("https://a.b.wild.test")),
            ("wild.test", None),
            ("other.test", None),
        ];
        for (authority, expected) in cases {
            assert_eq!(located(&all, authority).as_deref(), expected, "{authority}");
        }
    }

    #[test]
    fn the_exact_origin_wins_then_the_longer_wildcard() {
        let all = origins(&["https://*.test", "https://*.a.test", "https://x.a.test"]);
        let id = |host: &str| {
            all.locate(&Authority::parse(host.as_bytes()).unwrap())
                .map(|(_, id)| id)
        };
        assert_eq!(
            (id("x.a.test"), id("y.a.test"), id("z.test")),
            (Some(2), Some(1), Some(0))
        );
    }

    #[test]
    fn a_port_never_moves_a_host_to_another_domain() {
        let all = origins(&["https://*.a.test", "https://admin.a.test:8443"]);
        for authority in ["admin.a.test:8443", "admin.a.test", "admin.a.test:443"] {
            let expected = Some("https://admin.a.test:8443");
            assert_eq!(located(&all, authority).as_deref(), expected, "{authority}");
        }
        let link = |text: &str| all.of_link(&Url::parse(text).unwrap()).map(|(_, id)| id);
        assert_eq!(link("https://admin.a.test/"), None);
        assert_eq!(link("https://admin.a.test:8443/"), Some(1));
        assert_eq!(link("https://b.a.test/"), Some(0));
    }

    #[test]
    fn a_link_must_name_scheme_host_and_port() {
        let all = origins(&["https://app.test", "http://*.wild.test:8080"]);
        let link = |text: &str| {
            all.of_link(&Url::parse(text).unwrap())
                .map(|(origin, _)| origin.to_string())
        };
        assert_eq!(
            link("https://app.test/x?y").as_deref(),
            Some("https://app.test")
        );
        assert_eq!(
            link("http://a.wild.test:8080/").as_deref(),
            Some("http://a.wild.test:8080")
        );
        for other in [
            "http://app.test/",
            "https://app.test:8443/",
            "https://a.wild.test:8080/",
            "data:text/html,x",
        ] {
            assert_eq!(link(other), None, "{other}");
        }
    }

    #[test]
    fn an_origin_has_nothing_behind_its_port() {
        for text in [
            "app.test",
            "ftp://a.test",
            "https://a.test/x",
            "https://u@a.test",
            "https://a.test:0",
            "https://a.test:x",
            "https://",
        ] {
            assert!(OriginPattern::parse(text).is_err(), "{text}");
        }
        assert_eq!(
            OriginPattern::parse("https://A.test:443/")
                .unwrap()
                .to_string(),
            "https://a.test"
        );
        assert_eq!(
            OriginPattern::parse("http://[::1]:8080")
                .unwrap()
                .to_string(),
            "http://[::1]:8080"
        );
    }
}
