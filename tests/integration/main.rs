//! Stepgate from outside: one binary, a module a subject.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper of a test that can't go on says why and stops it"
)]

mod admin;
mod authority;
mod captures;
mod cases;
mod collector;
mod command_line;
mod decode;
mod deploy;
mod door;
mod examples;
mod faults;
mod forward_auth;
mod gate;
mod hostile;
mod http;
mod layers;
mod loop_guard;
mod memory;
mod properties;
mod proxies;
mod reload;
mod schema;
mod scripted;
mod secrets;
mod serving;
mod shared;
mod stage;
mod stop;
mod through_envoy;
mod tls;
mod traces;
mod trouble;
mod watch;
