//! The session cookie: a sealed pair of stored token and expiry.
//!
//! Only the double that sealed a value opens it again, and each copy carries the expiry it was issued with, so an older
//! copy can be told from a newer one (K-13, K-23). Values have the length and alphabet of real ones.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

use super::random;

/// Bytes of a sealed value; 428 characters of base64 with two of padding.
const SEALED: usize = 319;
/// Bytes of the seal itself.
const MAC: usize = 32;

/// What a session cookie holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Copy {
    pub(crate) token: String,
    /// Of this copy; the stored session may live longer.
    pub(crate) expires_at: Timestamp,
}

/// The key of one double.
#[derive(Debug)]
pub(crate) struct Seal {
    key: [u8; 32],
}

impl Seal {
    pub(crate) fn new() -> Self {
        Self {
            key: random::bytes(),
        }
    }

    /// A cookie value; no two are equal.
    pub(crate) fn close(&self, copy: &Copy, now: Timestamp) -> String {
        let mut bytes =
            format!("{}|{}|{}|", now.as_second(), copy.token, copy.expires_at).into_bytes();
        let room = SEALED.saturating_sub(MAC).saturating_sub(bytes.len());
        bytes.extend(random::alphanumeric(room).into_bytes());
        bytes.extend(self.mac(&bytes));
        URL_SAFE.encode(bytes)
    }

    /// What `value` holds.
    ///
    /// # Errors
    ///
    /// Kratos' message where the value doesn't decode (K-15).
    pub(crate) fn open(&self, value: &str) -> Result<Copy, String> {
        let bytes = URL_SAFE.decode(value).map_err(|_| bad_base64(value))?;
        self.read(&bytes)
            .ok_or_else(|| String::from("securecookie: the value is not valid"))
    }

    fn read(&self, bytes: &[u8]) -> Option<Copy> {
        let (text, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC)?)?;
        if self.mac(text) != mac {
            return None;
        }
        let text = std::str::from_utf8(text).ok()?;
        let mut parts = text.split('|').skip(1);
        Some(Copy {
            token: parts.next()?.to_owned(),
            expires_at: parts.next()?.parse().ok()?,
        })
    }

    fn mac(&self, bytes: &[u8]) -> Vec<u8> {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            return Vec::new();
        };
        mac.update(bytes);
        mac.finalize().into_bytes().to_vec()
    }
}

/// Names the byte at which Go's decoder gives up.
fn bad_base64(value: &str) -> String {
    let good = value
        .bytes()
        .take_while(|&byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        .count();
    let whole = value
        .len()
        .checked_rem(4)
        .map_or(0, |left| value.len().saturating_sub(left));
    let at = if good == value.len() { whole } else { good };
    format!(
        "securecookie: base64 decode failed - caused by: illegal base64 data at input byte {at}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy() -> Copy {
        Copy {
            token: String::from("ory_st_NotASecretOnlyForTests0000000000"),
            expires_at: "2026-11-24T05:02:29.631654747Z".parse().unwrap(),
        }
    }

    fn now() -> Timestamp {
        "2026-11-24T04:02:29Z".parse().unwrap()
    }

    #[test]
    fn a_value_opens_to_what_was_closed() {
        let seal = Seal::new();
        let value = seal.close(&copy(), now());
        assert_eq!(value.len(), 428);
        assert!(value.ends_with("==") && value.starts_with("MTc5"));
        assert_eq!(seal.open(&value).unwrap(), copy());
        assert_ne!(seal.close(&copy(), now()), value);
    }

    #[test]
    fn a_bent_value_does_not_open() {
        let seal = Seal::new();
        let value = seal.close(&copy(), now());
        let flipped: String = value
            .chars()
            .enumerate()
            .map(|(at, c)| {
                if at == 50 {
                    if c == 'A' { 'B' } else { 'A' }
                } else {
                    c
                }
            })
            .collect();
        for bent in [
            value.trim_end_matches('='),
            &value.replace('=', "%3D"),
            &flipped,
            "",
            "garbage",
            &copy().token,
        ] {
            assert!(
                seal.open(bent).unwrap_err().starts_with("securecookie: "),
                "{bent}"
            );
        }
        assert!(Seal::new().open(&value).is_err());
    }

    #[test]
    fn the_message_names_the_byte() {
        let message = Seal::new().open("garbage").unwrap_err();
        assert_eq!(
            message,
            "securecookie: base64 decode failed - caused by: illegal base64 data at input byte 4"
        );
    }
}
