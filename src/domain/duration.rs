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
    let is_unit = |unit: &str| matches!(unit, "" | "h" | "m" | "s" | "ms");
    let is_plain = text.starts_with(|c: char| c.is_ascii_digit())
        && text.split(|c: char| c.is_ascii_digit()).all(is_unit);
    let duration: SignedDuration = text.parse().map_err(|_| DurationError)?;
    Duration::try_from(duration)
        .ok()
        .filter(|_| is_plain)
        .ok_or(DurationError)
}

/// The same in writing: `1h30m`, and `0s` for none. Less than a millisecond is left out.
#[must_use]
pub fn in_words(duration: Duration) -> String {
    let (seconds, millis) = (duration.as_secs(), duration.subsec_millis());
    let parts = [
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
        (millis.into(), "ms"),
    ];
    let words: String = parts
        .iter()
        .filter(|(amount, _)| *amount > 0)
        .map(|(amount, unit)| format!("{amount}{unit}"))
        .collect();
    if words.is_empty() {
        "0s".to_owned()
    } else {
        words
    }
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
        for text in [
            "", "5", "-5m", "5 m", "PT5M", "1d", "5m ago", "m", "1.5h", "5min", "1M", "5us",
        ] {
            assert_eq!(parse_duration(text), Err(DurationError), "{text}");
        }
    }
    #[test]
    fn a_duration_survives_being_written() {
        for text in ["250ms", "5m", "1h30m", "0s", "1h1s5ms"] {
            assert_eq!(in_words(parse_duration(text).unwrap()), text);
        }
    }
}
