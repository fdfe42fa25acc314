//! Stepgate from outside: one binary, a module a subject.
#![expect(
    clippy::panic,
    reason = "a helper of a test that can't go on says why and stops it"
)]

mod captures;
mod layers;
mod stage;
