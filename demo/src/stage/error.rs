use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::proxy::Proxy;

/// Why a stage can't be set.
#[derive(Debug, Error)]
pub enum StageError {
    /// A fixed port is in use.
    #[error(
        "port {port} on 127.0.0.1 is needed for {user}, but can't be had ({source}); stop what listens there, then try again"
    )]
    Port {
        /// The port.
        port: u16,
        /// What needs it.
        user: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// No Stepgate was found.
    #[error("there is no stepgate at {}; build it with `cargo build --workspace --bins`, or name one in STEPGATE_BIN", .0.display())]
    NoStepgate(PathBuf),
    /// No such proxy was found.
    #[error("there is no {} on PATH or under target/tools; get it with `make {}`, or name one in {}_BIN",
        .0.program(), .0.target(), .0.program().to_uppercase())]
    NoProxy(Proxy),
    /// A config of the project can't be read, or its copy not written.
    #[error("can't use {}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// What was to be changed in Envoy's config isn't there.
    #[error("`{0}` is not in envoy/envoy.yaml")]
    Edit(String),
    /// No temporary folder or listener of our own can be had.
    #[error("the system denies a folder or a listener")]
    Folder(#[source] io::Error),
    /// The Kratos double can't start.
    #[error("the kratos double can't start")]
    Double(#[source] io::Error),
    /// The login pages have no client.
    #[error("the login pages can't ask kratos")]
    Pages(#[from] crate::pages::Fault),
    /// An origin is no URL.
    #[error("`{text}` is no URL")]
    Url {
        /// What was read.
        text: String,
        /// Why not.
        source: url::ParseError,
    },
    /// A child process can't start.
    #[error("{name} can't start")]
    Spawn {
        /// `stepgate`, or the proxy.
        name: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// A child process has stopped by itself.
    #[error("{name} stopped by itself ({how}); the end of its log:\n{log}")]
    Stopped {
        /// `stepgate`, or the proxy.
        name: &'static str,
        /// Its exit status, in the system's words.
        how: String,
        /// The end of its log.
        log: String,
    },
    /// All run, but the bank doesn't answer as it should.
    #[error(
        "the demo doesn't answer: {last}\nthe end of stepgate's log:\n{stepgate}\nthe end of the proxy's log:\n{proxy}"
    )]
    Silent {
        /// What the last try found.
        last: String,
        /// The end of Stepgate's log.
        stepgate: String,
        /// The end of the proxy's log.
        proxy: String,
    },
}
