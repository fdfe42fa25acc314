//! What examples can't cover: laws that hold of any request, any Kratos and any spelling. `PROPTEST_CASES=100000` makes a
//! long run of them.
#![expect(
    clippy::indexing_slicing,
    reason = "a model of an upstream that reads out of bounds is a failed test"
)]

mod answers;
mod messages;
mod order;
mod readers;
mod reference;
mod requests;
mod settings;
mod shadow;
mod spellings;
