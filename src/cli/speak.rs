//! What a verb says to a person: a word for how it is meant, and the text. Colours show on a terminal alone, and not where
//! `NO_COLOR` is set.

use std::{
    fmt::Display,
    io::{self, Write},
};

use anstyle::{AnsiColor, Style};

use super::Exit;

/// A heading.
pub(super) const STRONG: Style = Style::new().bold();
/// What is there for completeness.
pub(super) const FAINT: Style = Style::new().dimmed();

/// How a line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// It is as it must be.
    Ok,
    /// Worth knowing.
    Note,
    /// Sound, and hardly meant.
    Warning,
    /// Not as it must be.
    Problem,
    /// It can't be used at all.
    Error,
}

impl Tone {
    fn word(self) -> (&'static str, Style) {
        let (word, color) = match self {
            Self::Ok => ("ok", AnsiColor::Green),
            Self::Note => ("note", AnsiColor::Cyan),
            Self::Warning => ("warning", AnsiColor::Yellow),
            Self::Problem => ("problem", AnsiColor::Red),
            Self::Error => ("error", AnsiColor::Red),
        };
        (word, color.on_default().bold())
    }
}

/// Says one line.
pub(super) fn say(out: &mut impl Write, tone: Tone, text: impl Display) -> io::Result<()> {
    let (word, style) = tone.word();
    writeln!(out, "{style}{word}{style:#}: {text}")
}

/// Speaks on standard output. A reader that has heard enough, as `head` has, is no failure.
pub(super) fn speak(speech: impl FnOnce(&mut dyn Write) -> io::Result<Exit>) -> Exit {
    let mut out = anstream::stdout().lock();
    match speech(&mut out).and_then(|exit| out.flush().map(|()| exit)) {
        Ok(exit) => exit,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(error) => {
            super::complain(&error);
            Exit::Internal
        }
    }
}
