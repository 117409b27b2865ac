//! The arguments: what is wrong with them is said in one line.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::thread::available_parallelism;
use std::time::Duration;

use anyrt::{Current, UnknownBackend, available};
use clap::Parser;
use clap::builder::{PathBufValueParser, TypedValueParser};

use crate::algorithm::Algorithm;

/// No more than this; the thread pools of the backends have about as many threads.
const MOST_JOBS: u16 = 500;

/// Prints the checksums of files, and of all files in directories
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// What to run on: tokio, async-std, smol or sim; `all` prints one list from each
    #[arg(long, value_name = "NAME", default_value = "tokio")]
    backend: Backends,
    /// How many files to read at once [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_JOBS)))]
    jobs: Option<u16>,
    /// For how long to go on; then what is finished is printed, and the status is 124
    #[arg(long, value_name = "SECS", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) timeout: Option<Duration>,
    /// What to compute
    #[arg(long, value_name = "NAME", default_value = "sha256")]
    pub(crate) algorithm: Algorithm,
    /// Files, and directories with all that is below them
    #[arg(value_name = "PATH", required = true, value_parser = PathBufValueParser::new().try_map(existing))]
    pub(crate) paths: Vec<PathBuf>,
}

impl Args {
    /// Reads the arguments of the process, or says in one line what is wrong; for `--help` it exits.
    pub(crate) fn from_command_line() -> Result<Self, String> {
        Self::try_parse().map_err(|error| {
            if !error.use_stderr() {
                error.exit();
            }
            one_line(&error.to_string())
        })
    }

    pub(crate) fn backends(&self) -> &[Current] {
        &self.backend.0
    }

    pub(crate) fn jobs(&self) -> usize {
        let one_per_core = || available_parallelism().map_or(1, usize::from);
        self.jobs.map_or_else(one_per_core, usize::from)
    }
}

/// What clap says, without its advice.
fn one_line(message: &str) -> String {
    let matter = message.split("\n\n").next().unwrap_or(message);
    let matter = matter.strip_prefix("error: ").unwrap_or(matter);
    matter.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

#[derive(Clone, Debug)]
struct Backends(Vec<Current>);

impl FromStr for Backends {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<Self, UnknownBackend> {
        match name {
            "all" => available().iter().map(|name| name.parse()).collect(),
            name => name.parse().map(|backend| vec![backend]),
        }
        .map(Self)
    }
}

fn seconds(text: &str) -> Result<Duration, Box<dyn Error + Send + Sync>> {
    Ok(Duration::try_from_secs_f64(text.parse()?)?)
}

/// Refuses a path to nothing. What exists and cannot be read is found out in the course of the job.
fn existing(path: PathBuf) -> io::Result<PathBuf> {
    use io::ErrorKind::{InvalidInput, NotADirectory, NotFound};
    match path.symlink_metadata() {
        Err(error) if matches!(error.kind(), NotFound | NotADirectory | InvalidInput) => Err(error),
        _ => Ok(path),
    }
}
