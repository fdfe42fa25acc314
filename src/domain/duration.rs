//! Durations as people write them: `250ms`, `5m`, `1h30m`.

use std::time::Duration;

use jiff::SignedDuration;

/// Why a duration was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a duration is a number and a unit, as in `250ms`, `5m` or `1h30m`")]
pub struct DurationError;

/// Reads a duration: numbers with `ms`, `s`, `m` or `h`, without blanks or a sign. `0s` is one.
///
/// # Errors
/// [`DurationError`] where it is none.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let is_plain = text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric());
    let duration: SignedDuration = text.parse().map_err(|_| DurationError)?;
    Duration::try_from(duration)
        .ok()
        .filter(|_| is_plain)
        .ok_or(DurationError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        let cases = [
            ("250ms", 250),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("0s", 0),
            ("90s", 90_000),
        ];
        for (text, millis) in cases {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for text in ["", "5", "-5m", "5 m", "PT5M", "1d", "5m ago", "m", "1.5h"] {
            assert_eq!(parse_duration(text), Err(DurationError), "{text}");
        }
    }
}
