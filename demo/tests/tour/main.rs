//! The tour: every promise of the bank, clicked by a real Chromium, and asserted at the apps' own ledgers.
//!
//! It needs `chromium` and `chromedriver` on `PATH`; `make tour` sees to that, and runs it.
//!
//! With `OLYMPUS_KRATOS=outside` two Kratos of one's own stand in the doubles' place, on the demo's ports, with people of
//! the same names and passwords; steps that make a session older need the double.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper of a test that can't go on says why and stops it, and a wait has a bound"
)]

mod customers;
mod driver;
mod operations;
mod outages;
mod resume;
mod settings;
mod staff;
mod tokens;
mod visitor;
