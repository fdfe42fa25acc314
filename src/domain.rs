//! The heart: values in, values out.
//!
//! Nothing here waits, reads a clock, logs or touches the network, so every decision can be replayed from its inputs.
//! Text becomes a type where it enters ([`request`], [`pattern`], [`origin`], [`credential`]) or is refused there; what is
//! demanded ([`rule`], [`rule_set`]) and what is shown ([`session`]) meet in [`decision`]; [`challenge`] and [`reply`] turn
//! the outcome into what the client hears. What Kratos' own settings are asked for is told by [`settings`].

pub mod body;
pub mod challenge;
pub mod claim;
pub mod client;
pub mod context;
pub mod credential;
pub mod decision;
pub mod duration;
pub mod form;
pub mod headers;
pub mod host;
pub mod id;
pub mod identity_domain;
pub mod loop_guard;
pub mod marker;
pub mod origin;
pub mod path;
pub mod pattern;
pub mod policy;
pub mod reason;
pub mod reply;
pub mod request;
pub mod resume;
pub mod rule;
pub mod rule_set;
pub mod session;
pub mod settings;
pub mod upstream_headers;
