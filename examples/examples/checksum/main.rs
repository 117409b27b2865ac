//! Prints the checksums of files, and of all files in directories, as `sha256sum` does.
//!
//! ```text
//! cargo run --example checksum -- --backend all crates
//! cargo run --example checksum -- --backend smol --jobs 2 --algorithm blake3 Cargo.toml examples
//! ```
//!
//! `sha256sum -c` accepts what it prints: the lines are sorted by path, byte by byte, and names with a line
//! break or a backslash are escaped. Symbolic links are followed where they are given as an argument, and not
//! inside of directories. Only regular files are read.
//!
//! The status is 0 if every file was read, 1 if one was not (the others are done, the errors are listed at the
//! end), 2 for arguments that make no sense, and 124 if the time was up (what is finished is printed). The clock of
//! the simulator stands still while threads work, so there only a limit of 0 is ever up.
//!
//! The files, in reading order: `args`, `report` (what goes in and what comes out), `walk` and `algorithm` (what
//! blocks), and `job`, where these are put together with a task group, a time limit and threads.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use anyrt::Backend;

mod args;
mod report;
mod walk;
mod algorithm;
mod job;

use args::Args;

fn main() -> ExitCode {
    let args = match Args::from_command_line() {
        Ok(args) => args,
        Err(message) => {
            complain(message);
            return ExitCode::from(2);
        }
    };
    match checksum_on_each_backend(&args) {
        Ok(status) => ExitCode::from(status),
        // Whoever was reading has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!("standard output: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints one list per backend and gives the worst status.
fn checksum_on_each_backend(args: &Args) -> io::Result<u8> {
    let mut worst = 0;
    for backend in args.backends() {
        if args.backends().len() > 1 {
            complain(format_args!("on {}", backend.name()));
        }
        let report = anyrt::run_on(backend.clone(), job::checksum(args));
        report.print_hashes(io::BufWriter::new(io::stdout().lock()))?;
        report.problems().for_each(complain);
        worst = worst.max(report.status());
    }
    Ok(worst)
}

/// Writes a line to standard error. If that is closed, there is nobody to tell.
fn complain(message: impl Display) {
    let _ = writeln!(io::stderr(), "checksum: {message}");
}
