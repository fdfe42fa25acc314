//! Olympus Bank: everything around Stepgate that a person needs to see it work, and that tests need to hold it.
//!
//! - [`kratos`]: a double of Ory Kratos v26.2.0, which answers as the recorded answers of a real one do.
//! - [`contract`]: those answers as a list that runs against any Kratos, the double or a real one.
//! - [`bank`]: the application behind Envoy. It holds no auth code; it shows the headers it received.
//! - [`pages`]: login, second factor and settings, driven through Kratos' public API.
//! - [`client`]: the HTTP client of all of them.
//! - [`look`]: the frame and the stylesheet that both share.
//! - [`stage`]: starts all of it with Stepgate and Envoy, waits until it answers, and stops it.
//! - [`story`]: one person's way through it, asserted step by step.

pub mod bank;
pub mod client;
pub mod contract;
pub mod kratos;
pub mod look;
pub mod pages;
pub mod stage;
pub mod story;
