//! The fields of a protobuf message, appended to its bytes.

/// Wire types: how a field's value is written.
const VARINT: u8 = 0;
const LENGTH_DELIMITED: u8 = 2;

/// A number; 0 is what a field is that isn't there.
pub(super) fn number(out: &mut Vec<u8>, field: u8, value: u64) {
    if value != 0 {
        key(out, field, VARINT);
        varint(out, value);
    }
}

/// Text or bytes; empty is what a field is that isn't there.
pub(super) fn bytes(out: &mut Vec<u8>, field: u8, value: &[u8]) {
    if !value.is_empty() {
        bytes_or_empty(out, field, value);
    }
}

/// Text or bytes where the field's being there says something by itself, as in a `oneof`.
pub(super) fn bytes_or_empty(out: &mut Vec<u8>, field: u8, value: &[u8]) {
    key(out, field, LENGTH_DELIMITED);
    length(out, value.len());
    out.extend_from_slice(value);
}

/// A message within this one. Its length is known once it is written; a byte is kept for it, which is enough for most.
pub(super) fn message(out: &mut Vec<u8>, field: u8, write: impl FnOnce(&mut Vec<u8>)) {
    key(out, field, LENGTH_DELIMITED);
    let kept = out.len();
    out.push(0);
    let start = out.len();
    write(out);
    let length = out.len().saturating_sub(start);
    match (u8::try_from(length), out.get_mut(kept)) {
        (Ok(length @ ..0x80), Some(byte)) => *byte = length,
        _ => widen(out, kept, length),
    }
}

/// Puts a longer length in the place of the byte that was kept for it.
fn widen(out: &mut Vec<u8>, kept: usize, length_of_message: usize) {
    let mut wide = Vec::new();
    length(&mut wide, length_of_message);
    out.splice(kept..=kept, wide);
}

/// Fields below 16, which is all that are written here, have a key of one byte.
fn key(out: &mut Vec<u8>, field: u8, wire_type: u8) {
    out.push((field << 3) | wire_type);
}

fn length(out: &mut Vec<u8>, length: usize) {
    varint(out, u64::try_from(length).unwrap_or(u64::MAX));
}

/// Seven bits a byte, the lowest first; the top bit says that more follow.
fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        let [low, ..] = value.to_le_bytes();
        out.push(low | 0x80);
        value >>= 7;
    }
    let [last, ..] = value.to_le_bytes();
    out.push(last);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_its_length_in_front_however_long_it_is() {
        for (length, in_front) in [
            (0, vec![0x12, 0]),
            (127, vec![0x12, 0x7f]),
            (128, vec![0x12, 0x80, 0x01]),
            (16_383, vec![0x12, 0xff, 0x7f]),
            (16_384, vec![0x12, 0x80, 0x80, 0x01]),
        ] {
            let mut out = vec![b'a'];
            let content = vec![b'x'; length];
            message(&mut out, 2, |out| out.extend_from_slice(&content));
            assert_eq!(out, [&b"a"[..], &in_front, &content].concat(), "{length}");
        }
    }

    #[test]
    fn a_field_that_says_nothing_is_left_out() {
        let mut out = Vec::new();
        number(&mut out, 1, 0);
        bytes(&mut out, 1, b"");
        assert_eq!(out, b"");
        bytes_or_empty(&mut out, 3, b"");
        number(&mut out, 1, 303);
        assert_eq!(out, [0x1a, 0, 0x08, 0xaf, 0x02]);
    }
}
