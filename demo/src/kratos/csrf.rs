//! The anti-CSRF cookie and the tokens in forms.
//!
//! A form's token is the cookie's, masked anew for each request: it differs on every answer and stays valid.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::asked::Asked;
use super::errors::Fault;
use super::random;

/// The cookie's bytes.
pub(crate) type Real = [u8; 32];

const NO_COOKIE: &str = "The HTTP Cookie Header is empty or not set.";
const COOKIE_MISSING: &str =
    "The HTTP Cookie Header was set but did not include the anti-CSRF cookie.";
const NOT_SENT: &str = "The anti-CSRF cookie was found but the CSRF token was not included in the HTTP request body \
                        (csrf_token) nor in the HTTP Header (X-CSRF-Token).";
const MISMATCH: &str = "The HTTP Cookie Header was set and a CSRF token was sent but they do not match. We recommend \
                        deleting all cookies for this domain and retrying the flow.";
const AJAX: &str = "We detected an AJAX call, please ensure that CORS is enabled and configured correctly, and that \
                    your AJAX code sends cookies and has credentials enabled. For further debugging, check your \
                    Browser's Network Tab to see what cookies are included or excluded.";
const SERVER: &str = "We detected a regular browser or server-side call. To debug browser calls check your Browser's \
                      Network Tab to see what cookies are included or excluded. If you are calling from a server \
                      ensure that the appropriate cookies are being forwarded and that the SDK method is called \
                      correctly.";

/// The cookie's name and attributes.
#[derive(Debug)]
pub(crate) struct Jar {
    name: String,
    domain: Option<String>,
}

/// The token of one request.
#[derive(Debug)]
pub(crate) struct Csrf {
    real: Option<Real>,
    token: String,
    /// The `Set-Cookie` this request's answer carries.
    cookie: Option<String>,
}

impl Jar {
    /// `base` is the public base URL, whose hash names the cookie.
    pub(crate) fn new(base: &str, domain: Option<&str>) -> Self {
        let digest: String = Sha256::digest(base)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            name: format!("csrf_token_{digest}"),
            domain: domain.map(String::from),
        }
    }

    /// The token of `asked`; where it has no good cookie, one is set, unless the path is one of those that set none.
    pub(crate) fn of(&self, asked: &Asked, sets_cookie: bool) -> Csrf {
        let values: Vec<_> = asked
            .cookies()
            .into_iter()
            .filter(|(name, _)| *name == self.name)
            .collect();
        let real = match values.as_slice() {
            [(_, value)] => STANDARD
                .decode(value)
                .ok()
                .and_then(|bytes| Real::try_from(bytes).ok()),
            _ => None,
        };
        let mut csrf = Csrf {
            real,
            token: real.map(mask).unwrap_or_default(),
            cookie: None,
        };
        if real.is_none() && sets_cookie {
            self.renew(&mut csrf);
        }
        csrf
    }

    /// Gives the browser a new token, as a new session does.
    pub(crate) fn renew(&self, csrf: &mut Csrf) {
        let real: Real = random::bytes();
        let domain = self
            .domain
            .as_ref()
            .map(|domain| format!("Domain={domain}; "))
            .unwrap_or_default();
        let value = STANDARD.encode(real);
        let cookie = format!(
            "{}={value}; Path=/; {domain}Max-Age=31536000; HttpOnly; SameSite=Lax",
            self.name
        );
        *csrf = Csrf {
            real: Some(real),
            token: mask(real),
            cookie: Some(cookie),
        };
    }

    /// Why the token didn't fit (K-80).
    pub(crate) fn fault(&self, asked: &Asked, sent: Option<&str>) -> Fault {
        let ajax = matches!(asked.header("sec-fetch-mode"), Some("cors" | "same-origin"));
        let json = asked
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/json"));
        let hint = if ajax { AJAX } else { SERVER };
        if asked.header("cookie").is_none() {
            Fault::csrf(hint, Some(NO_COOKIE))
        } else if !asked.cookies().iter().any(|(name, _)| *name == self.name) {
            Fault::csrf(hint, Some(COOKIE_MISSING))
        } else if !json && sent.is_none() && asked.header("x-csrf-token").is_none() {
            Fault::csrf(NOT_SENT, None)
        } else {
            Fault::csrf(hint, Some(MISMATCH))
        }
    }
}

impl Csrf {
    /// The token a form of this answer carries; empty where the request has none.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) fn real(&self) -> Option<Real> {
        self.real
    }

    /// The `Set-Cookie` of the answer; it is set once.
    pub(crate) fn take_cookie(&mut self) -> Option<String> {
        self.cookie.take()
    }

    /// Whether `sent` belongs to this request's cookie.
    pub(crate) fn fits(&self, sent: Option<&str>) -> bool {
        self.real.is_some() && sent.and_then(unmask) == self.real
    }
}

fn mask(real: Real) -> String {
    let pad: Real = random::bytes();
    let masked = pad.iter().zip(real).map(|(pad, real)| pad ^ real);
    let bytes: Vec<u8> = pad.iter().copied().chain(masked).collect();
    STANDARD.encode(bytes)
}

/// Undoes [`mask`]; the cookie's own text is taken as well.
fn unmask(token: &str) -> Option<Real> {
    let bytes = STANDARD.decode(token).ok()?;
    if let Ok(real) = Real::try_from(bytes.as_slice()) {
        return Some(real);
    }
    let (pad, masked) = bytes.split_at_checked(32)?;
    let real: Vec<u8> = pad
        .iter()
        .zip(masked)
        .map(|(pad, masked)| pad ^ masked)
        .collect();
    (masked.len() == 32).then(|| Real::try_from(real).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_fit() {
        let real: Real = [7; 32];
        let csrf = Csrf {
            real: Some(real),
            token: mask(real),
            cookie: None,
        };
        assert_eq!(csrf.token().len(), 88);
        assert_ne!(mask(real), mask(real));
        assert!(csrf.fits(Some(&mask(real))) && csrf.fits(Some(csrf.token())));
        assert!(!csrf.fits(None) && !csrf.fits(Some("")) && !csrf.fits(Some(&mask([8; 32]))));
    }

    #[test]
    fn the_cookie_is_named_after_the_base_url() {
        let jar = Jar::new("http://127.0.0.1:4433/", None);
        assert!(jar.name.starts_with("csrf_token_806060ca") && jar.name.len() == 75);
    }
}
