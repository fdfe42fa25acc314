//! A double of Ory Kratos v26.2.0, as exact as the recorded answers of a real one.
//!
//! Tests start it on free ports and the demo runs it; both ask it over HTTP as they would the real one. It keeps
//! everything in memory, mails too. The row names in these files (K-01, …) are those of the contract, the list of
//! what Kratos was seen to answer.
//!
//! - [`Double`] starts and stops it, and lets a test act on its store: people, sessions, codes, counts.
//! - [`Options`] is the part of Kratos' configuration that it has, [`Clock`] what everything in it ages by.
//!
//! What holds:
//! - One store stands behind both doors and [`Double`]; no lock is held across an answer.
//! - Only a cookie that this double sealed decodes, and every copy carries its own expiry.
//! - Where the records say something, a status, header or body is theirs, member order included.
//! - It may be stricter than Kratos, never looser.

mod admin;
mod answer;
mod asked;
mod clock;
mod cookie;
mod courier;
mod csrf;
mod double;
mod errors;
mod go_url;
mod health;
mod identity;
mod login;
mod logout;
mod nodes;
mod options;
mod picture;
mod random;
mod recovery;
mod return_to;
mod routes;
mod server;
mod session;
mod settings;
mod shelf;
mod state;
mod store;
mod totp;
mod user_errors;
mod whoami;

pub use clock::Clock;
pub use double::{Double, Person, SessionCookie};
pub use options::{Options, RequiredAal};

#[cfg(test)]
mod tests;
