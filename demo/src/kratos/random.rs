//! Randomness for keys, tokens and codes.

const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// `N` random bytes.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

/// `length` random letters and digits.
pub(crate) fn alphanumeric(length: usize) -> String {
    pick(ALPHANUMERIC, length)
}

/// `length` random lower-case letters and digits.
pub(crate) fn lower(length: usize) -> String {
    pick(LOWER, length)
}

/// `length` random digits.
pub(crate) fn digits(length: usize) -> String {
    pick(b"0123456789", length)
}

/// A letter for each four bytes of one draw: each draw is a call into the system.
fn pick(alphabet: &'static [u8], length: usize) -> String {
    let mut draw = vec![[0; 4]; length];
    fill(draw.as_flattened_mut());
    draw.into_iter()
        .filter_map(|bytes| {
            let at = u32::from_le_bytes(bytes).checked_rem(u32::try_from(alphabet.len()).ok()?)?;
            alphabet.get(usize::try_from(at).ok()?)
        })
        .map(|&byte| char::from(byte))
        .collect()
}

#[expect(
    clippy::expect_used,
    reason = "without randomness nothing the double hands out would be worth checking"
)]
fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the system has a source of randomness");
}
