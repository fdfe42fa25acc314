//! An identity domain: one Kratos as browsers reach it, and how its people are challenged.

use url::Url;

use super::{
    credential::CredentialKind,
    origin::{OriginError, OriginPattern},
    settings::EnrolFirst,
};

/// One Kratos and what challenges there look like. Where Stepgate itself calls it is for `kratos` to know.
#[derive(Clone, Debug)]
pub struct IdentityDomain {
    /// The operator's name for it.
    pub name: Box<str>,
    /// Where browsers reach Kratos' public API.
    pub browser_url: BaseUrl,
    /// The name of the session cookie.
    pub cookie: Box<str>,
    /// Which credentials count.
    pub credentials: Vec<CredentialKind>,
    /// When a step-up asks again for a factor that was given.
    pub refresh: Refresh,
    /// What becomes of someone who has no second factor.
    pub enrolment: EnrolmentPolicy,
    /// Where its own settings are for enrolling first; `None` where Kratos alone guards them.
    pub enrol_first: Option<EnrolFirst>,
}

/// When a step-up carries `refresh=true`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refresh {
    /// Each does.
    #[default]
    Always,
    /// Only where the session is AAL2 already, but its factor too old or another.
    WhenStale,
}

/// What becomes of someone who has no second factor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EnrolmentPolicy {
    /// They are sent to settings to set one up.
    #[default]
    Detect,
    /// They are refused with an explanation.
    Refuse,
    /// Nobody asks: they are sent to step up like everyone.
    Off,
}

/// An http or https URL, perhaps with a path prefix, without query or fragment and without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Box<str>);

/// Why a URL was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a URL here is `http://` or `https://`, a host, perhaps a port and a path, and nothing behind it"
)]
pub struct UrlError;

impl BaseUrl {
    /// Reads a base URL.
    ///
    /// # Errors
    /// [`UrlError`] where it is no such URL.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let url = Url::parse(text).map_err(|_| UrlError)?;
        let is_bare = url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || !is_bare || text.contains('\\') {
            return Err(UrlError);
        }
        Ok(Self(url.as_str().trim_end_matches('/').into()))
    }

    /// The URL, with nothing at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its path, with nothing at its end: empty where the URL has none.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.get(self.origin_end()..).unwrap_or_default()
    }

    /// Its origin.
    ///
    /// # Errors
    /// See [`OriginError`].
    pub fn origin(&self) -> Result<OriginPattern, OriginError> {
        OriginPattern::parse(self.0.get(..self.origin_end()).unwrap_or_default())
    }

    fn origin_end(&self) -> usize {
        let host = self.0.find("://").map_or(0, |at| at.saturating_add(3));
        let behind = self.0.get(host..).unwrap_or_default();
        let path = behind.find('/').unwrap_or(behind.len());
        host.saturating_add(path)
    }
}
