//! Stepgate.

pub mod domain;
