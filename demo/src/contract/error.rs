//! Why a row could not be asked to its end.

/// Why a question had no usable answer. What Kratos answered differently is a [`Difference`](super::Difference), not this.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The base URL names no host and port.
    #[error("`{0}` has no host and port; give a URL such as `http://127.0.0.1:4433/`")]
    Url(String),
    /// The request can't be written as HTTP/1.1.
    #[error("the request for `{path}` can't be written")]
    Request {
        /// The path asked for.
        path: String,
        /// What HTTP forbids about it.
        source: hyper::http::Error,
    },
    /// Nothing listens there.
    #[error("`{address}` can't be reached")]
    Connect {
        /// Host and port.
        address: String,
        /// The operating system's word.
        source: std::io::Error,
    },
    /// The connection broke before the answer was complete.
    #[error("`{path}` was not answered")]
    Broken {
        /// The path asked for.
        path: String,
        /// What broke.
        source: hyper::Error,
    },
    /// The answer did not come in time.
    #[error("`{0}` was not answered within ten seconds")]
    Slow(String),
    /// A step that only prepares the question was refused.
    #[error("{step}: status {status}, {body}")]
    Prepare {
        /// What was being prepared.
        step: &'static str,
        /// The status that came instead.
        status: u16,
        /// The start of the body.
        body: String,
    },
    /// An answer lacks a part the next step needs.
    #[error("the answer has no {0}")]
    Missing(&'static str),
}
