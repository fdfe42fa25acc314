//! Methods: all, or those listed.

use http::Method;

use super::PatternError;

/// Which methods a rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Methods {
    /// The rule names none, so it is for all.
    All,
    /// These; `HEAD` is among them where `GET` is.
    Listed(Vec<Method>),
}

impl Methods {
    /// Reads a list of methods.
    ///
    /// # Errors
    /// See [`PatternError::Method`].
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, PatternError> {
        let parse = |name: &str| {
            parse_method(name.as_bytes()).ok_or_else(|| PatternError::Method(name.into()))
        };
        let mut methods = names
            .into_iter()
            .map(parse)
            .collect::<Result<Vec<_>, _>>()?;
        if methods.contains(&Method::GET) && !methods.contains(&Method::HEAD) {
            methods.push(Method::HEAD);
        }
        Ok(Self::Listed(methods))
    }

    /// Whether this method is one of those named.
    #[must_use]
    pub fn matches(&self, method: &Method) -> bool {
        match self {
            Self::All => true,
            Self::Listed(methods) => methods.contains(method),
        }
    }

    /// The methods that both name, where both are equally specific: `None` where they can't meet as equals.
    #[must_use]
    pub fn ties(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, Self::All) => true,
            (Self::Listed(a), Self::Listed(b)) => a.iter().any(|method| b.contains(method)),
            _ => false,
        }
    }

    /// Whether every method of `other` is one of these.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) => true,
            (Self::Listed(_), Self::All) => false,
            (Self::Listed(_), Self::Listed(methods)) => {
                methods.iter().all(|method| self.matches(method))
            }
        }
    }

    /// Whether methods are listed, which is more specific than all.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        matches!(self, Self::Listed(_))
    }
}

/// A method token: upper-case letters and `-`.
#[must_use]
pub fn parse_method(text: &[u8]) -> Option<Method> {
    let is_token = text.iter().all(|&b| b.is_ascii_uppercase() || b == b'-');
    Method::from_bytes(text).ok().filter(|_| is_token)
}
