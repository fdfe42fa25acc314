//! The id that ties what a check leaves behind to what the client saw.

use std::{
    borrow::Cow,
    hash::{BuildHasher, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::domain::headers::Headers;

/// Longest id that is taken over from a client, in bytes.
const MAX_ID_BYTES: usize = 64;

/// The request's own id where it is a short token, else a new one.
pub(super) fn of(headers: &Headers) -> Cow<'_, str> {
    let is_token = |id: &&[u8]| {
        let is_plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
        // Without a way out in the middle, so that many bytes are looked at together.
        let are_plain = |id: &[u8]| id.iter().fold(true, |all, b| all & is_plain(b));
        !id.is_empty() && id.len() <= MAX_ID_BYTES && are_plain(id)
    };
    let own = headers.first(b"x-request-id").filter(is_token);
    own.and_then(|id| std::str::from_utf8(id).ok())
        .map_or_else(|| new_id().into(), Cow::from)
}

/// Unlike any other: a counter under a key drawn at start.
fn new_id() -> String {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!(
        "{:016x}",
        KEY.hash_one(COUNT.fetch_add(1, Ordering::Relaxed))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_token_is_taken_over_and_nothing_else() {
        let id = |text: &str| of(&Headers::from_lines(&[("x-request-id", text)])).into_owned();
        assert_eq!(id("170d3215-a101.4beb_x"), "170d3215-a101.4beb_x");
        for text in ["", "a b", "<script>", "a\"b", &"a".repeat(65)] {
            assert_eq!(id(text).len(), 16, "{text}");
        }
        assert_ne!(id(""), id(""));
    }
}
