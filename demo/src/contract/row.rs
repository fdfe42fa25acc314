//! A row of the contract: its number, its fact, and how it is asked.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use super::client::Kratos;
use super::sheet::Sheet;
use super::{Error, RequiredAal, Target};

/// The future of a row that is being asked.
pub(super) type Asking<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// How a row is asked: it writes what differs on the sheet.
pub(super) type Ask = for<'a> fn(&'a Kratos<'a>, &'a mut Sheet) -> Asking<'a>;

/// A row: its number, its fact, and the function that asks.
macro_rules! row {
    ($id:literal, $title:literal, $ask:path) => {
        $crate::contract::row::Row::new($id, $title, |kratos, sheet| Box::pin($ask(kratos, sheet)))
    };
}
pub(super) use row;

/// One fact of the contract.
#[derive(Clone, Copy)]
pub struct Row {
    id: &'static str,
    title: &'static str,
    only: Option<RequiredAal>,
    takes_time: bool,
    ask: Ask,
}

impl Row {
    /// A row that holds in both modes and needs no time to pass.
    pub(super) const fn new(id: &'static str, title: &'static str, ask: Ask) -> Self {
        Self {
            id,
            title,
            only: None,
            takes_time: false,
            ask,
        }
    }

    /// The row holds in this mode only.
    pub(super) const fn only(self, mode: RequiredAal) -> Self {
        Self {
            only: Some(mode),
            ..self
        }
    }

    /// The row lets hours pass.
    pub(super) const fn takes_time(self) -> Self {
        Self {
            takes_time: true,
            ..self
        }
    }

    /// The number in the table, such as `K-05`; a letter follows where a number has several rows.
    #[must_use]
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// The number alone, for the order of the table.
    pub(super) fn number(&self) -> u32 {
        let digits = self.id.trim_matches(|char: char| !char.is_ascii_digit());
        digits.parse().unwrap_or(u32::MAX)
    }

    /// The fact in a few words.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.title
    }

    /// Whether the row needs [`Target::advance`].
    #[must_use]
    pub fn needs_time(&self) -> bool {
        self.takes_time
    }

    /// Why this row can't be asked of `target`, if so.
    pub(super) fn unfit(&self, target: &Target) -> Option<&'static str> {
        if self.only.is_some_and(|mode| mode != target.required_aal) {
            return Some("holds in the other mode only");
        }
        (self.takes_time && target.advance.is_none()).then_some("needs a clock that can be moved")
    }

    /// Asks.
    pub(super) fn run<'a>(&self, kratos: &'a Kratos<'a>, sheet: &'a mut Sheet) -> Asking<'a> {
        (self.ask)(kratos, sheet)
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("id", &self.id)
            .field("title", &self.title)
            .finish_non_exhaustive()
    }
}
