//! The fields of a form that a browser can send again just as they came.

mod multipart;

use std::fmt;

use url::form_urlencoded::Serializer;

use super::NotKept;
use crate::domain::form::{self, Field};

/// Most bytes of a body.
pub(super) const MAX_BODY_BYTES: usize = 64 * 1024;
/// Most fields of a form.
const MAX_FIELDS: usize = 200;

/// How a form's body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enctype {
    /// `application/x-www-form-urlencoded`
    UrlEncoded,
    /// `multipart/form-data`
    Multipart,
}

impl Enctype {
    /// The name of it in a form's `enctype`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UrlEncoded => "application/x-www-form-urlencoded",
            Self::Multipart => "multipart/form-data",
        }
    }
}

/// A form's fields, and how they were written.
#[derive(Clone, PartialEq, Eq)]
pub struct Form {
    enctype: Enctype,
    fields: String,
}

impl fmt::Debug for Form {
    /// The length only: what people type is theirs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Form({} bytes)", self.fields.len())
    }
}

impl Form {
    /// Reads the fields of a body of this content type.
    ///
    /// # Errors
    /// [`NotKept`] where it is too large, no form, or one that a browser would send differently.
    pub fn read(content_type: &[u8], body: &[u8]) -> Result<Self, NotKept> {
        if body.len() > MAX_BODY_BYTES {
            return Err(NotKept::TooLarge);
        }
        let (enctype, fields) = if is_urlencoded(content_type) {
            let fields = form::urlencoded(body).ok_or(NotKept::NotRepeatable)?;
            (Enctype::UrlEncoded, fields)
        } else {
            let boundary = multipart::boundary(content_type).ok_or(NotKept::OtherType)?;
            (Enctype::Multipart, multipart::fields(body, boundary)?)
        };
        Ok(Self {
            enctype,
            fields: written(&fields)?,
        })
    }

    /// How the body was written.
    #[must_use]
    pub fn enctype(&self) -> Enctype {
        self.enctype
    }

    /// The fields in `application/x-www-form-urlencoded`, whatever the body was: letters, digits and `*-._+%&=`, which mean
    /// nothing to HTML or a script. At most three times 64 KiB.
    #[must_use]
    pub fn fields(&self) -> &str {
        &self.fields
    }
}

/// Browsers add no parameter to it.
fn is_urlencoded(content_type: &[u8]) -> bool {
    let name = Enctype::UrlEncoded.as_str().as_bytes();
    content_type.trim_ascii().eq_ignore_ascii_case(name)
}

fn written(fields: &[Field]) -> Result<String, NotKept> {
    if fields.len() > MAX_FIELDS {
        return Err(NotKept::TooManyFields);
    }
    let mut text = Serializer::new(String::new());
    for field in fields {
        text.append_pair(repeatable(&field.name)?, repeatable(&field.value)?);
    }
    Ok(text.finish())
}

/// Browsers send UTF-8, as our page does, and end each line with CR LF: anything else would come out as something else.
fn repeatable(part: &[u8]) -> Result<&str, NotKept> {
    let text = std::str::from_utf8(part).map_err(|_| NotKept::NotRepeatable)?;
    let is_plain = text.split("\r\n").all(|line| !line.contains(['\r', '\n']));
    is_plain.then_some(text).ok_or(NotKept::NotRepeatable)
}

#[cfg(test)]
mod tests;
