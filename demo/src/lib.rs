//! Olympus Bank: everything around Stepgate that a person needs to see it work, and that tests need to hold it.
//!
//! - [`kratos`]: a double of Ory Kratos v26.2.0, which answers as the recorded answers of a real one do.
//! - [`contract`]: those answers as a list that runs against any Kratos, the double or a real one.
//! - [`bank`]: the application behind Envoy. It holds no auth code; it shows the headers it received.
//! - [`pages`]: login, second factor and settings, driven through Kratos' public API.
//! - [`client`]: the HTTP client of all of them.
//! - [`console`], [`mail`]: the staff's side, and the mails that were caught.
//! - [`look`]: the frame, the stylesheet and the script that all pages share; [`server`] runs each of them.
//! - [`backstage`], [`admin`], [`decisions`]: what the pages show of what is behind the curtain.
//! - [`origins`]: where a browser meets each.
//! - [`stage`]: starts all of it with Stepgate and Envoy, waits until it answers, and stops it.
//! - [`story`]: one person's way through it, asserted step by step.

pub mod admin;
pub mod backstage;
pub mod bank;
pub mod client;
pub mod console;
pub mod contract;
pub mod decisions;
pub mod kratos;
pub mod look;
pub mod mail;
pub mod origins;
pub mod pages;
pub mod server;
pub mod stage;
pub mod story;
