//! `multipart/form-data` (RFC 7578), in the one way that browsers write it.

use memchr::memmem;

use super::NotKept;
use crate::domain::form::Field;

/// Longest boundary (RFC 2046 §5.1.1).
const MAX_BOUNDARY_BYTES: usize = 70;
const LINE_END: &[u8] = b"\r\n";
const TYPE: &[u8] = b"multipart/form-data;";
const PARAMETER: &[u8] = b"boundary=";
const NAME: &[u8] = b"content-disposition: form-data; name=\"";

/// The boundary that a content type names, where that is all it names; it is a token, so it needs no quotes.
pub(super) fn boundary(content_type: &[u8]) -> Option<&[u8]> {
    let parameter = after(content_type.trim_ascii(), TYPE)?.trim_ascii_start();
    let boundary = after(parameter, PARAMETER)?;
    let is_token = boundary
        .iter()
        .all(|b| b.is_ascii_alphanumeric() || b"'+_-.".contains(b));
    (is_token && (1..=MAX_BOUNDARY_BYTES).contains(&boundary.len())).then_some(boundary)
}

/// The fields of a body, in their order.
pub(super) fn fields(body: &[u8], boundary: &[u8]) -> Result<Vec<Field>, NotKept> {
    // With a line's end in front, every boundary looks alike.
    let body = [LINE_END, body].concat();
    let delimiter = [b"\r\n--", boundary].concat();
    let mut parts = split(&body, &delimiter);
    let (before, end) = (parts.next(), parts.next_back());
    let is_framed = before == Some(b"") && matches!(end, Some(b"--\r\n" | b"--"));
    if !is_framed {
        return Err(NotKept::NotRepeatable);
    }
    parts.map(field).collect()
}

fn field(part: &[u8]) -> Result<Field, NotKept> {
    let (head, value) = after(part, LINE_END)
        .and_then(|part| split_once(part, b"\r\n\r\n"))
        .ok_or(NotKept::NotRepeatable)?;
    if memmem::find(&head.to_ascii_lowercase(), b"filename").is_some() {
        return Err(NotKept::Files);
    }
    let name = after(head, NAME).and_then(|name| name.strip_suffix(b"\""));
    let name = name.filter(|name| is_plain(name));
    let field = name.map(|name| Field {
        name: name.to_vec(),
        value: value.to_vec(),
    });
    field.ok_or(NotKept::NotRepeatable)
}

/// Browsers write `%22`, `%0D` and `%0A` for a quote and a line's end in a name, but leave a `%` as it is, so that one can't be
/// told from the other.
fn is_plain(name: &[u8]) -> bool {
    !name.iter().any(|b| b"\"%\r\n".contains(b))
}

/// What stands behind this, which is in lower case and may come in any.
fn after<'a>(text: &'a [u8], start: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = text.split_at_checked(start.len())?;
    head.eq_ignore_ascii_case(start).then_some(rest)
}

fn split_once<'a>(text: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (head, rest) = text.split_at_checked(memmem::find(text, at)?)?;
    Some((head, rest.get(at.len()..)?))
}

fn split<'a>(text: &'a [u8], at: &[u8]) -> std::vec::IntoIter<&'a [u8]> {
    let mut rest = text;
    let mut parts = Vec::new();
    while let Some((head, tail)) = split_once(rest, at) {
        parts.push(head);
        rest = tail;
    }
    parts.push(rest);
    parts.into_iter()
}
