//! What examples can't cover: laws that hold of any request, any Kratos and any spelling. `PROPTEST_CASES=100000` makes a
//! long run of them.

#![expect(
    clippy::indexing_slicing,
    reason = "a model that reads out of bounds is wrong, and the test says so"
)]

mod answers;
mod messages;
mod order;
mod readers;
mod reference;
mod requests;
mod spellings;
