//! What the outside may know of a check: the clock it was timed by and the line it leaves in the log.
//!
//! No field holds a cookie, a token, a query value, a trait or a body.

pub mod clock;
pub mod log;
