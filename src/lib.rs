//! Stepgate puts "this needs a second factor" in front of any route.
//!
//! Envoy holds a request back and asks. Stepgate finds the request's rule, looks the Ory Kratos session up, and answers:
//! through, or on to log in, to prove a second factor, or to set one up, and back to where the person was.
//!
//! # The way a check takes
//!
//! ```text
//! Envoy ─ gRPC ─▶ servers::ext_authz        bytes become Facts
//! others ─ HTTP ▶ servers::forward_auth     the same
//!                   └▶ authorizer           one path for every check:
//!                        ├ domain::request      Facts become a Request, or a 400
//!                        ├ domain::policy       its origin, or a 421
//!                        ├ domain::rule_set     its rule: the most specific wins
//!                        ├ domain::settings     what a submission to Kratos' own settings would change
//!                        ├ domain::credential   the one credential, if the rule asks for a session
//!                        ├ kratos               what Kratos says of it, as far as that is believed
//!                        ├ domain::decision     Allow (with a Permit), Login, StepUp, Enrol, Deny, …
//!                        ├ domain::loop_guard   the fourth challenge in a row says why instead
//!                        ├ domain::resume       a form that meets a challenge is kept in the browser meanwhile
//!                        ├ domain::reply        status, headers and body from one value
//!                        └ telemetry            the line it leaves
//! Envoy ◀─ gRPC ── servers::ext_authz        the Reply becomes a CheckResponse
//! others ◀ HTTP ── servers::forward_auth     or an HTTP response
//! ```
//!
//! # The rooms
//!
//! Imports run one way, and a room may use any room to its right:
//! `main → cli → config → servers → authorizer → kratos → telemetry → domain`.
//!
//! - [`cli`]: one file a verb. Knows processes and signals; nothing below does.
//! - [`config`]: text to values. The only room that reads what an operator configures; every fault is reported at once.
//! - [`servers`]: the doors. They hold no logic: facts in, reply out.
//! - [`authorizer`]: the one path. The only room that sees both a rule and Kratos.
//! - [`kratos`]: credential to session. Knows nothing of rules.
//! - [`telemetry`]: the clock, the log, metrics and traces. The only room that reads the time.
//! - [`domain`]: the heart. Pure: no IO, no clock, no async, so that every decision can be replayed.
//! - [`proto`]: generated; the part of Envoy's API that is read.
//!
//! # Words
//!
//! *Identity domain*: one Kratos and the origins it judges. *Rule*: a match and a requirement. *Requirement*: what the
//! session must show. *Challenge*: the answer that sends someone to meet it. *Refusal*: any answer but allow. *Door*: a
//! listener that takes checks. *Page*: a browser navigation.
//!
//! # Deliberately absent
//!
//! Login pages (those are Kratos' UI's), user data of its own, policy languages, proxying traffic.

pub mod authorizer;
pub mod cli;
pub mod config;
pub mod domain;
pub mod kratos;
pub mod proto;
pub mod servers;
pub mod telemetry;
