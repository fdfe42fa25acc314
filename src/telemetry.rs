//! What the outside may know of a check: the clock it was timed by, the line it leaves in the log, what it counts and its
//! spans; and which configuration it was answered by.
//!
//! No field holds a cookie, a token, a query value, a trait or a body.

pub mod clock;
pub mod loads;
pub mod log;
pub mod metrics;
pub mod traces;
