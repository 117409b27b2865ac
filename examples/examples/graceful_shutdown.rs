//! A small service that is asked to stop: workers finish the job at hand, and what takes too long is cut.
//!
//! A ticker daemon reports now and then, and ends with the rest. When the time has come, the workers are asked to
//! stop, and have some time left: they look between two jobs whether they are to stop, and take no new one. The last
//! worker is in the middle of a job that takes too long, and is cut when the grace is over; its cleanup runs all the
//! same, although it has to wait for something.
//!
//! ```text
//! cargo run --example graceful_shutdown -- --backend sim
//! cargo run --example graceful_shutdown -- --backend sim --grace 0.1
//! cargo run --example graceful_shutdown -- --backend smol --grace 0.2
//! ```

use std::convert::Infallible;
use std::io::{self, Write};
use std::time::Duration;

use anyrt::{Current, finally, is_stopping, move_on_after, sleep, stopping, task_group};
use clap::Parser;

/// Workers that are asked to stop, and have some time left
#[derive(Parser)]
struct Args {
    /// What to run on: tokio, async-std, smol or sim
    #[arg(long, value_name = "NAME", default_value = "tokio")]
    backend: Current,
    /// How long the workers may go on after the stop
    #[arg(long, value_name = "SECS", default_value = "1", value_parser = seconds, allow_negative_numbers = true)]
    grace: Duration,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn main() {
    let args = Args::parse();
    let service = task_group(async |g| {
        g.spawn_daemon(ticker());
        for number in 1..=2 {
            g.spawn_named(format!("worker {number}"), worker(number));
        }
        g.spawn_named("late worker", late_worker());

        sleep(Duration::from_millis(200)).await;
        say("stop, please");
        g.scope().stop(args.grace);
        Ok(())
    });
    match anyrt::run_on(args.backend, service) {
        Ok(()) => say("all workers have ended"),
        Err(error) => match error.first {},
    }
}

async fn ticker() -> Result<(), Infallible> {
    loop {
        sleep(Duration::from_millis(90)).await;
        say("tick");
    }
}

/// Looks between two jobs whether it is to stop; within the grace it is not interrupted in the middle of one.
async fn worker(number: u64) -> Result<(), Infallible> {
    let mut jobs = 0;
    while !is_stopping() {
        sleep(Duration::from_millis(30 * number)).await;
        jobs += 1;
    }
    say(&format!("worker {number}: stopped after {jobs} jobs"));
    Ok(())
}

/// Hears of the stop in the middle of a job that takes too long.
async fn late_worker() -> Result<(), Infallible> {
    let job = async {
        stopping().await;
        say("late worker: one moment, please");
        sleep(Duration::from_secs(3600)).await;
    };
    let job = finally(job, async || {
        // A cleanup that must not run for ever takes a limit of its own.
        move_on_after(Duration::from_secs(1), close_connection()).await;
        say("late worker: cut, but the connection is closed");
    });
    job.await;
    Ok(())
}

async fn close_connection() {
    sleep(Duration::from_millis(20)).await;
}

/// Prints a line; a closed pipe is nobody's concern here.
fn say(line: &str) {
    writeln!(io::stdout(), "{line}").ok();
}
