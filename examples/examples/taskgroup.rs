//! Ten tasks, each of which fails with some probability or else sleeps: all of them, or the errors.
//!
//! The first error cancels the tasks that are still asleep. The group waits for them, and then hands over every
//! error that did happen. On the simulator the time is virtual, and the same seed prints the same.
//!
//! ```text
//! cargo run --example taskgroup -- --backend sim --seed 7
//! cargo run --example taskgroup -- --backend sim --seed 3
//! cargo run --example taskgroup -- --backend smol --fail 1
//! ```

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use anyrt::{Current, GroupError, Sim, sleep, task_group};
use clap::Parser;
use fastrand::Rng;

/// Ten tasks in a group, each of which fails or sleeps
#[derive(Parser)]
struct Args {
    /// What to run on: tokio, async-std, smol or sim
    #[arg(long, value_name = "NAME", default_value = "tokio")]
    backend: Current,
    /// Seed of all that is random
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Probability with which a task fails
    #[arg(long, value_name = "P", default_value = "0.1", value_parser = probability)]
    fail: f64,
}

fn probability(text: &str) -> Result<f64, String> {
    let in_range = |p: &f64| (0.0..=1.0).contains(p);
    text.parse()
        .ok()
        .filter(in_range)
        .ok_or_else(|| "not a number from 0 to 1".into())
}

fn main() -> io::Result<()> {
    let args = Args::parse();
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..));
    let backend = match args.backend {
        Current::Sim(_) => Sim::with_seed(seed).into(),
        other => other,
    };
    let result = anyrt::run_on(backend, ten_tasks(Rng::with_seed(seed), args.fail));
    match print(result) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

/// Gives for how long each of the tasks has slept.
async fn ten_tasks(mut rng: Rng, fail: f64) -> Result<Vec<Duration>, GroupError<Failed>> {
    task_group(async |group| {
        let tasks: Vec<_> = (1..=10)
            .map(|number| group.spawn(fail_or_sleep(number, rng.fork(), fail)))
            .collect();
        let mut naps = Vec::new();
        for task in tasks {
            naps.push(task.await);
        }
        Ok(naps)
    })
    .await
}

async fn fail_or_sleep(number: usize, mut rng: Rng, fail: f64) -> Result<Duration, Failed> {
    if rng.f64() < fail {
        return Err(Failed(number));
    }
    let nap = Duration::from_secs_f64(0.5 + rng.f64());
    sleep(nap).await;
    Ok(nap)
}

#[derive(Debug)]
struct Failed(usize);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {} failed", self.0)
    }
}

impl std::error::Error for Failed {}

fn print(result: Result<Vec<Duration>, GroupError<Failed>>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match result {
        Ok(naps) => {
            for (number, nap) in (1..).zip(naps) {
                writeln!(out, "task {number} slept for {:.2} s", nap.as_secs_f64())?;
            }
        }
        Err(errors) => {
            for error in errors {
                writeln!(out, "handled: {error}")?;
            }
        }
    }
    out.flush()
}
