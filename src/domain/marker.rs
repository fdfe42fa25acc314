//! The marker: a signed cookie by which a page's last challenge is known again, so that a loop is noticed.
//!
//! It says which outcome, how often in a row, and when; whose it is and where it belongs are only in its signature. So a
//! marker that was forged, cut, or made for another session, origin or path, or under another secret, reads like none.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderValue;
use sha2::Sha256;

use super::{
    credential::cookies,
    headers::Headers,
    origin::{Origin, Scheme},
};

/// The cookie's name.
pub const NAME: &str = "stepgate_marker";
/// How long a marker is known, which is as long as somebody may take to meet a challenge.
pub const LIFETIME: Duration = Duration::from_secs(600);
/// The fewest bytes of a secret.
pub const MIN_SECRET_BYTES: usize = 32;

/// How far ahead a marker's time may lie: replicas' clocks differ a little.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(5);
/// Sets this signature apart from any other under the same secret.
const LABEL: &[u8] = b"stepgate marker 1";
const CLAIM_BYTES: usize = 10;
const MARKER_BYTES: usize = CLAIM_BYTES + 32;

/// What markers are signed with. It prints as `<redacted>`.
#[derive(Clone)]
pub struct Secret(Hmac<Sha256>);

/// Why a secret was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret has at least {MIN_SECRET_BYTES} bytes, and this has {0}")]
pub struct ShortSecret(usize);

impl Secret {
    /// A secret of these bytes.
    ///
    /// # Errors
    /// [`ShortSecret`] below [`MIN_SECRET_BYTES`].
    pub fn new(bytes: &[u8]) -> Result<Self, ShortSecret> {
        let short = ShortSecret(bytes.len());
        if bytes.len() < MIN_SECRET_BYTES {
            return Err(short);
        }
        Hmac::new_from_slice(bytes).map(Self).map_err(|_| short)
    }

    /// The signature over these parts, each with its length in front, so that no two lists look alike.
    pub(super) fn sign(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// What a page was challenged to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// To log in.
    Login,
    /// To give a second factor.
    StepUp,
    /// To set one up.
    Enrol,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Login, Self::StepUp, Self::Enrol];

    fn letter(self) -> u8 {
        match self {
            Self::Login => b'l',
            Self::StepUp => b's',
            Self::Enrol => b'e',
        }
    }
}

/// What a marker says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The challenge.
    pub outcome: Outcome,
    /// How many of it came in a row, this one included.
    pub count: u8,
    /// When this one was given, in whole seconds since 1970.
    pub seconds: u64,
}

impl Marker {
    /// How long ago the challenge was given. A little ahead is no time ago; further ahead is no answer.
    #[must_use]
    pub fn age(&self, now: SystemTime) -> Option<Duration> {
        let ahead = Duration::from_secs(self.seconds.saturating_sub(seconds(now)));
        let age = Duration::from_secs(seconds(now).saturating_sub(self.seconds));
        (ahead <= MAX_CLOCK_SKEW).then_some(age)
    }

    fn claim(self) -> [u8; CLAIM_BYTES] {
        let mut claim = [0; CLAIM_BYTES];
        let bytes = [self.outcome.letter(), self.count]
            .into_iter()
            .chain(self.seconds.to_be_bytes());
        claim
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, byte)| *to = byte);
        claim
    }

    fn read(claim: [u8; CLAIM_BYTES]) -> Option<Self> {
        let [letter, count, seconds @ ..] = claim;
        let outcome = Outcome::ALL
            .into_iter()
            .find(|outcome| outcome.letter() == letter)?;
        Some(Self {
            outcome,
            count,
            seconds: u64::from_be_bytes(seconds),
        })
    }
}

/// Whole seconds since 1970, which is 0 before.
#[must_use]
pub fn seconds(now: SystemTime) -> u64 {
    now.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

/// The value under the cookie's name, if there is just one.
#[must_use]
pub fn carried(headers: &Headers) -> Option<&[u8]> {
    let mut values = cookies(headers, NAME);
    values.next().filter(|_| values.next().is_none())
}

/// What a marker is bound to: it is read only where all of this is the same.
#[derive(Clone, Copy, Debug)]
pub struct Bond<'a> {
    /// The secret that signs it.
    pub secret: &'a Secret,
    /// The origin.
    pub origin: &'a Origin,
    /// The path as rules match it.
    pub path: &'a [u8],
    /// The session's id, or that there is none.
    pub session: Option<&'a str>,
}

impl Bond<'_> {
    /// The marker that this value is, if it is bound to this and its lifetime is not over.
    #[must_use]
    pub fn read(&self, value: &[u8], now: SystemTime) -> Option<Marker> {
        let marker = self.verify(value)?;
        marker.age(now).filter(|age| *age <= LIFETIME)?;
        Some(marker)
    }

    /// The `Set-Cookie` that sets this marker.
    #[must_use]
    pub fn set(&self, marker: Marker) -> Option<HeaderValue> {
        self.cookie(&self.mint(marker), LIFETIME)
    }

    /// The `Set-Cookie` that takes a marker away.
    #[must_use]
    pub fn clear(&self) -> Option<HeaderValue> {
        self.cookie("", Duration::ZERO)
    }

    fn cookie(&self, value: &str, max_age: Duration) -> Option<HeaderValue> {
        let max_age = max_age.as_secs().to_string();
        let secure = match self.origin.scheme() {
            Scheme::Https => "; Secure",
            Scheme::Http => "",
        };
        let cookie = [
            NAME,
            "=",
            value,
            "; Path=/; Max-Age=",
            &max_age,
            "; HttpOnly; SameSite=Lax",
            secure,
        ];
        HeaderValue::try_from(cookie.concat()).ok()
    }

    fn mint(&self, marker: Marker) -> String {
        let claim = marker.claim();
        let signature = self.sign(&claim).finalize().into_bytes();
        hex(claim.iter().chain(&signature))
    }

    /// In constant time, as far as the signature goes.
    fn verify(&self, value: &[u8]) -> Option<Marker> {
        let bytes: [u8; MARKER_BYTES] = decode(value)?;
        let (claim, signature) = bytes.split_first_chunk()?;
        self.sign(claim).verify_slice(signature).ok()?;
        Marker::read(*claim)
    }

    fn sign(&self, claim: &[u8]) -> Hmac<Sha256> {
        let origin = self.origin.to_string();
        let (known, session) = self.session.map_or((b"-", ""), |session| (b"+", session));
        self.secret.sign(&[
            LABEL,
            claim,
            origin.as_bytes(),
            self.path,
            known,
            session.as_bytes(),
        ])
    }
}

/// Lower-case hexadecimal.
pub(super) fn hex<'b>(bytes: impl IntoIterator<Item = &'b u8>) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or_default();
    let mut text = String::with_capacity(2 * MARKER_BYTES);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 0x0f));
    }
    text
}

/// Lower-case hexadecimal of just this many bytes, so that a value has one spelling.
fn decode<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)?.checked_mul(16)?.checked_add(digit(*low)?)?;
    }
    Some(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => byte.checked_sub(b'0'),
        b'a'..=b'f' => byte.checked_sub(b'a')?.checked_add(10),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
