//! A form's fields, as `application/x-www-form-urlencoded` carries them.

use std::{borrow::Cow, fmt};

use percent_encoding::percent_decode;

/// One field, decoded. Neither part need be text, and either may be empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Field {
    /// The name.
    pub name: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

impl fmt::Debug for Field {
    /// The lengths only: what people type is theirs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({}={} bytes)", self.name.len(), self.value.len())
    }
}

/// The fields of a body or a query, in their order, each as often as it came: `+` and `%xx` are decoded, a field without `=`
/// has an empty value, and nothing between two `&` is no field. `None` where a `%` has no two digits behind it, which
/// servers read in different ways.
#[must_use]
pub fn urlencoded(text: &[u8]) -> Option<Vec<Field>> {
    let pairs = text.split(|&b| b == b'&').filter(|pair| !pair.is_empty());
    pairs.map(field).collect()
}

fn field(pair: &[u8]) -> Option<Field> {
    let mut parts = pair.splitn(2, |&b| b == b'=');
    let mut part = || decoded(parts.next().unwrap_or_default());
    Some(Field {
        name: part()?,
        value: part()?,
    })
}

fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut escapes = text.split(|&b| b == b'%').skip(1);
    let is_sound = |digits: &[u8]| {
        let digits = digits.first_chunk::<2>();
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let is_sound = escapes.all(is_sound);
    let spaced: Vec<_> = text
        .iter()
        .map(|&b| if b == b'+' { b' ' } else { b })
        .collect();
    is_sound.then(|| Cow::from(percent_decode(&spaced)).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<(String, String)>> {
        let text_of = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let fields = urlencoded(text.as_bytes())?.into_iter();
        let pair = |field: Field| (text_of(field.name), text_of(field.value));
        Some(fields.map(pair).collect())
    }

    #[test]
    fn fields_keep_their_order_and_come_as_often_as_they_came() {
        let cases: [(&str, &[(&str, &str)]); 5] = [
            ("", &[]),
            ("b=2&a=1&b=3", &[("b", "2"), ("a", "1"), ("b", "3")]),
            ("a&b=&=c&&=", &[("a", ""), ("b", ""), ("", "c"), ("", "")]),
            ("a+b=c%2Bd%3d=%26", &[("a b", "c+d==&")]),
            ("B%C3%A4cker=%0D%0A%2500", &[("Bäcker", "\r\n%00")]),
        ];
        for (text, expected) in cases {
            let expected = expected.iter().map(|&(n, v)| (n.into(), v.into()));
            assert_eq!(read(text), Some(expected.collect()), "{text}");
        }
    }

    #[test]
    fn an_escape_that_is_none_spoils_all() {
        for text in ["a=%", "a=%4", "a=%4g", "%=1", "a=%%41", "a=1&b=%+1"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_field_need_not_be_text_and_keeps_to_itself() {
        let fields = urlencoded(b"pin=%ff0").unwrap();
        assert_eq!(fields[0].value, b"\xff0");
        assert_eq!(format!("{fields:?}"), "[Field(3=2 bytes)]");
    }
}
