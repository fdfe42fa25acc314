//! Stepgate.

pub mod domain;
pub mod kratos;
pub mod telemetry;
