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
mod enrol_first;
mod examples;
mod faults;
mod forward_auth;
mod frames;
mod gate;
mod getting_started;
mod hostile;
mod http;
mod layers;
mod loop_guard;
mod lost_factor;
mod memory;
mod observability;
mod properties;
mod proxies;
mod reload;
mod schema;
mod scripted;
mod secrets;
mod serving;
mod shadow;
mod shared;
mod sockets;
mod stage;
mod stop;
mod through_envoy;
mod tls;
mod traces;
mod trouble;
mod watch;
