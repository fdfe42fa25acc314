//! Which requests carry a form that may be kept.

use http::Method;

use super::fields::Form;
use crate::domain::{
    body::Body, client::Client, headers::Headers, origin::Origin, request::Request,
};

/// A request that met a challenge under a rule with `resume`.
#[derive(Clone, Copy, Debug)]
pub struct Posted<'a> {
    /// The request.
    pub request: &'a Request,
    /// Its headers.
    pub headers: &'a Headers,
    /// Its client.
    pub client: Client,
    /// Its body, where it came whole.
    pub body: Option<&'a Body>,
    /// The guarded origin that it belongs to.
    pub origin: &'a Origin,
}

/// Why a form is not kept, so that its challenge is an ordinary one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotKept {
    /// The browser doesn't say that a page of this very origin posted it into a tab.
    NotSameOrigin,
    /// The body did not come, or not whole: the proxy sends none, or it is over what the proxy sends.
    NoBody,
    /// The body is over 64 KiB.
    TooLarge,
    /// More than 200 fields.
    TooManyFields,
    /// It carries files.
    Files,
    /// Its type is none that browsers give to fields alone.
    OtherType,
    /// A browser would not send the fields again as they came.
    NotRepeatable,
    /// Kratos does not tell whose session it is before the second factor.
    SessionWithheld,
}

impl NotKept {
    /// The word for it in header and log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotSameOrigin => "not_same_origin",
            Self::NoBody => "no_body",
            Self::TooLarge => "too_large",
            Self::TooManyFields => "too_many_fields",
            Self::Files => "files",
            Self::OtherType => "other_type",
            Self::NotRepeatable => "not_repeatable",
            Self::SessionWithheld => "session_withheld",
        }
    }
}

impl Posted<'_> {
    /// Whether this is a form at all: a page's POST.
    #[must_use]
    pub fn is_form(&self) -> bool {
        self.client == Client::Page && self.request.method == Method::POST
    }

    /// The form, if it may be kept.
    ///
    /// # Errors
    /// See [`NotKept`].
    pub fn form(&self) -> Result<Form, NotKept> {
        if !self.is_same_origin() {
            return Err(NotKept::NotSameOrigin);
        }
        let body = self.body.ok_or(NotKept::NoBody)?;
        let mut types = self.headers.all(b"content-type");
        match (types.next(), types.next()) {
            (Some(content_type), None) => Form::read(content_type, body),
            _ => Err(NotKept::OtherType),
        }
    }

    /// What a page of another origin posts is never kept: we would send a forgery as the application's own. A browser that
    /// says nothing may stand for any page, and one in a frame shows ours to nobody.
    fn is_same_origin(&self) -> bool {
        let all = |name, wanted: &[u8]| self.headers.all(name).all(|value| value == wanted);
        let origin = self.origin.to_string();
        self.headers.first(b"sec-fetch-site").is_some()
            && all(b"sec-fetch-site", b"same-origin")
            && all(b"sec-fetch-dest", b"document")
            && all(b"origin", origin.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::domain::{path::PathOptions, reply::tests::policy, request::Facts};

    const OWN: [(&str, &str); 4] = [
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-dest", "document"),
        ("origin", "https://app.test"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];

    fn read(lines: &[(&str, &str)], body: &'static str) -> Result<Form, NotKept> {
        let facts = Facts {
            method: Bytes::from_static(b"POST"),
            host: Bytes::from_static(b"app.test"),
            target: Bytes::from_static(b"/transfer"),
            headers: Headers::from_lines(lines),
            body: Body::new(body.into()),
            ..Facts::default()
        };
        let request = Request::parse(&facts, PathOptions::default()).unwrap();
        let policy = policy();
        let site = policy.locate(&request.authority).unwrap();
        let posted = Posted {
            request: &request,
            headers: &facts.headers,
            client: Client::Page,
            body: facts.body.as_ref(),
            origin: &site.origin,
        };
        posted.form()
    }

    /// The lines of a form of our own, with others in the place of those of their name.
    fn with(others: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
        let is_kept = |line: &&(&str, &str)| others.iter().all(|other| other.0 != line.0);
        let own = OWN.iter().filter(is_kept).copied();
        own.chain(others.iter().copied().filter(|other| other.1 != "(none)"))
            .collect()
    }

    #[test]
    fn a_form_of_our_own_page_is_kept() {
        assert!(read(&OWN, "a=1").is_ok());
        // Safari sends no `Origin` with some, and older browsers no destination.
        for name in ["origin", "sec-fetch-dest"] {
            assert!(read(&with(&[(name, "(none)")]), "a=1").is_ok(), "{name}");
        }
    }

    #[test]
    fn a_form_of_any_other_page_is_not() {
        let cases: [&[(&str, &str)]; 12] = [
            &[("sec-fetch-site", "(none)")],
            &[("sec-fetch-site", "(none)"), ("origin", "(none)")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site")],
            &[
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-site", "cross-site"),
            ],
            &[("origin", "null")],
            &[("origin", "http://app.test")],
            &[("origin", "https://app.test:444")],
            &[("origin", "https://other.test")],
            &[
                ("origin", "https://app.test"),
                ("origin", "https://evil.test"),
            ],
            &[("sec-fetch-dest", "iframe")],
        ];
        for lines in cases {
            let read = read(&with(lines), "a=1");
            assert_eq!(read, Err(NotKept::NotSameOrigin), "{lines:?}");
        }
    }

    #[test]
    fn what_carries_no_fields_is_not() {
        assert_eq!(read(&OWN, ""), Err(NotKept::NoBody));
        let twice = with(&[("content-type", OWN[3].1), ("content-type", "text/plain")]);
        for lines in [with(&[("content-type", "(none)")]), twice] {
            assert_eq!(read(&lines, "a=1"), Err(NotKept::OtherType));
        }
    }
}
