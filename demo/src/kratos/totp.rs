//! An authenticator app: SHA-1, six digits, thirty seconds, one step of skew (K-81).
//!
//! There is no replay guard, as Kratos has none: a code serves as often as it is shown within its window.

use jiff::Timestamp;
use totp_rs::{Builder, Secret, Totp};

use super::go_url::query_escape;
use super::random;

/// A secret that app and double share.
#[derive(Clone)]
pub(crate) struct Authenticator {
    totp: Totp,
    secret: String,
}

impl Authenticator {
    /// A new secret, 32 characters of base32.
    pub(crate) fn generate() -> Self {
        let secret = Secret::new(Box::new(random::bytes::<20>()));
        let text = secret.to_base32();
        Self {
            totp: totp(secret),
            secret: text,
        }
    }

    /// From base32 without padding; `None` where it isn't that.
    pub(crate) fn from_base32(text: &str) -> Option<Self> {
        let secret = Secret::try_from_base32(text).ok()?;
        Some(Self {
            totp: totp(secret),
            secret: text.to_owned(),
        })
    }

    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    /// The code an app shows at `now`.
    pub(crate) fn code(&self, now: Timestamp) -> String {
        self.totp.generate(seconds(now)).to_string()
    }

    /// Whether `code` is one of the last, the current or the next step.
    pub(crate) fn accepts(&self, code: &str, now: Timestamp) -> bool {
        self.totp.check(code, seconds(now)).is_some()
    }

    /// The `otpauth` URL, as Kratos stores it.
    pub(crate) fn url(&self, issuer: &str, account: &str) -> String {
        let (secret, escaped) = (&self.secret, query_escape(issuer));
        format!(
            "otpauth://totp/{issuer}:{account}?algorithm=SHA1&digits=6&issuer={escaped}&period=30&secret={secret}"
        )
    }
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authenticator(<redacted>)")
    }
}

fn totp(secret: Secret) -> Totp {
    Builder::new()
        .with_secret(secret)
        .with_skew(1)
        .build_noncompliant()
}

fn seconds(now: Timestamp) -> u64 {
    u64::try_from(now.as_second()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kratos::clock::after;

    #[test]
    fn rfc_6238_holds() {
        // The secret of RFC 6238 appendix B, whose codes there have eight digits.
        let app = Authenticator::from_base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
        for (at, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(app.code(Timestamp::from_second(at).unwrap()), code);
        }
    }

    #[test]
    fn a_code_lives_one_step_either_side() {
        let app = Authenticator::generate();
        assert_eq!(app.secret().len(), 32);
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let at = |seconds| after(start, std::time::Duration::from_secs(seconds));
        let code = app.code(at(60));
        for (seconds, accepted) in [
            (0, false),
            (30, true),
            (60, true),
            (89, true),
            (90, true),
            (120, false),
        ] {
            assert_eq!(app.accepts(&code, at(seconds)), accepted, "{seconds}");
        }
    }
}
