//! `stepgate test`: answers the cases in files, and says which answers are not those wanted.

use std::{io, path::PathBuf};

use super::{
    Exit,
    cases::{self, Suite},
    complain,
};

/// Runs the cases of these files; where some file is faulty, none.
pub(super) fn run(files: &[PathBuf]) -> Exit {
    let mut suites = Vec::new();
    let mut are_sound = true;
    for file in files {
        match Suite::load(file) {
            Ok(suite) => suites.push(suite),
            Err(faults) => {
                complain(&faults);
                are_sound = false;
            }
        }
    }
    if !are_sound {
        return Exit::BadConfig;
    }
    match cases::write(&mut io::stdout().lock(), &suites) {
        Ok(true) => Exit::Done,
        Ok(false) => Exit::No,
        Err(error) => {
            complain(&error);
            Exit::Internal
        }
    }
}
