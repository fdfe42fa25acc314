//! Host, path and method patterns: parse, match, and compare, so that "most specific wins" is `Ord`.

mod hosts;
mod methods;
mod paths;

pub(super) use hosts::parents;
pub use hosts::{HostPattern, HostRank};
pub use methods::{Methods, parse_method};
pub(super) use paths::Step;
pub use paths::{PathPattern, PathRank};

use super::host::HostError;

/// Why a pattern was refused; the message says how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The host part is none.
    #[error(
        "{0}; write a host as in `app.example.com`, or `*.example.com` for every host below it"
    )]
    Host(#[from] HostError),
    /// A `*` anywhere but in front.
    #[error(
        "a host pattern takes one `*`, as its first label; keep the leading `*.` or list the hosts"
    )]
    HostWildcard,
    /// The path does not start with `/`.
    #[error("a path pattern starts with `/`")]
    NotAbsolute,
    /// `/**` stands elsewhere than at the end.
    #[error(
        "`**` stands only at the end, as in `/transfer/**`; use `*` for one segment in the middle"
    )]
    DeepWildcard,
    /// A segment holds a `*` or a brace beside other text.
    #[error("`{0}` mixes a wildcard with text; a wildcard is a whole segment: `*` or `{{name}}`")]
    MixedWildcard(String),
    /// `?`, `#`, `%`, `\`, `;` or a control byte, or a dot segment.
    #[error(
        "`{0}` can't be matched: patterns are decoded paths, without `%`, `?`, `#`, `;`, `\\` or dot segments"
    )]
    NotAPath(String),
    /// The method is none.
    #[error("`{0}` is not a method; methods are upper-case letters, as in `POST`")]
    Method(String),
}

#[cfg(test)]
mod tests;
