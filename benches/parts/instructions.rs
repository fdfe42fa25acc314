//! The instructions of one check on a warm session, counted by valgrind: the same on a busy machine as on an idle one.

use std::{
    env,
    process::{Command, Output, Stdio},
};

use crate::{Outcome, stage::Stage};

/// What this program is told when it shall do nothing but check so many times.
pub(crate) const ANSWER: &str = "answer";
/// What is counted is the difference of two runs, so that the setting up is not.
const FEW: u64 = 1_000;
const MANY: u64 = 11_000;
/// The most that a check may take. Valgrind has no instructions for SHA-256, as nearly all processors do: three fifths of this are
/// that hash, which is a thirtieth of the time that a check takes on the wire.
const MOST: u64 = 40_000;

/// Checks so many times.
pub(crate) fn answer(checks: u64) -> Outcome<()> {
    let stage = Stage::new(1)?;
    for _ in 0..checks {
        let answer = stage.check().ok_or("a warm check waited")?;
        if answer.decision != "allow" {
            return Err(format!("a check was answered {}", answer.decision).into());
        }
    }
    Ok(())
}

/// Counts, and holds the figure to its bound.
pub(crate) fn hold() -> Outcome<()> {
    if !is_there() {
        println!(
            "instructions: skipped, since `valgrind` is not on PATH (Debian: apt-get install valgrind)"
        );
        return Ok(());
    }
    let more = counted(MANY)?.saturating_sub(counted(FEW)?);
    let each = more.checked_div(MANY - FEW).unwrap_or_default();
    println!("instructions of a check on a warm session: {each}, at most {MOST}");
    let is_held = each <= MOST;
    is_held
        .then_some(())
        .ok_or_else(|| "a check takes more instructions than it may".into())
}

fn is_there() -> bool {
    let mut valgrind = Command::new("valgrind");
    let version = valgrind.arg("--version").stdout(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// All instructions of this program while it checks so many times.
fn counted(checks: u64) -> Outcome<u64> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    let program = command.arg(env::current_exe()?);
    let Output { status, stderr, .. } = program.args([ANSWER, &checks.to_string()]).output()?;
    let told = String::from_utf8_lossy(&stderr);
    let count = told
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    match count {
        Some((_, count)) if status.success() => Ok(count.trim().parse()?),
        _ => Err(format!("valgrind: {status}: {told}").into()),
    }
}
