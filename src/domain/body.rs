//! The body of a request, as far as its proxy passes it along.

use std::{fmt, ops::Deref};

use bytes::Bytes;

/// A whole body, byte for byte, and not empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Body(Bytes);

impl Body {
    /// These bytes as a body; none where there are none.
    #[must_use]
    pub fn new(bytes: Bytes) -> Option<Self> {
        (!bytes.is_empty()).then_some(Self(bytes))
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Body {
    /// The length only: what people type is theirs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_not_empty_and_keeps_to_itself() {
        assert_eq!(Body::new(Bytes::new()), None);
        let body = Body::new("pin=0000".into()).unwrap();
        assert_eq!(&*body, b"pin=0000");
        assert_eq!(format!("{body:?}"), "Body(8 bytes)");
    }
}
