//! Parses the command line, runs one verb, and turns its outcome into an exit code.

use std::process::ExitCode;

use clap::Parser;
use stepgate::cli::Cli;

/// Checks allocate little, but there are many of them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    Cli::parse().run().into()
}
