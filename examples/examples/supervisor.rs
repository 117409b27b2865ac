//! Workers that fail now and then are begun again: later each time, and not for ever.
//!
//! A life of a worker has a time limit, and cleans up when it ends, whatever has ended it. The delay before the next
//! one doubles with each restart within the window, and has some jitter. A worker that fails too often takes all the
//! others down, and the status is 1; with `--keep-going` it is given up, and the others go on. On the simulator the
//! same seed prints the same.
//!
//! ```text
//! cargo run --example supervisor -- --backend sim --seed 7
//! cargo run --example supervisor -- --backend sim --seed 7 --limit 2 --keep-going
//! cargo run --example supervisor -- --backend all
//! ```

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyrt::{
    Backend, Current, GroupError, GroupOptions, Sim, UnknownBackend, available, fail_after, now,
    on_exit, sleep,
};
use clap::Parser;
use fastrand::Rng;

/// For how many milliseconds a worker works, and whether it fails then.
type Life = (u64, Result<(), &'static str>);

const HANGS: Life = (3_600_000, Ok(()));
const NO_ANSWER: Life = (5, Err("no answer"));
const WORKERS: [(&str, &[Life]); 3] = [
    ("mail", &[(20, Err("connection reset")), (30, Ok(()))]),
    ("index", &[HANGS, (10, Err("disk full")), (40, Ok(()))]),
    ("feed", &[NO_ANSWER, NO_ANSWER, NO_ANSWER, (5, Ok(()))]),
];
const LONGEST_LIFE: Duration = Duration::from_millis(50);
const FIRST_DELAY: Duration = Duration::from_millis(4);

/// Workers that are begun again when they fail
#[derive(Parser)]
struct Args {
    /// What to run on: tokio, async-std, smol or sim; `all` for one after the other
    #[arg(long, value_name = "NAME", default_value = "tokio", value_parser = backends)]
    backend: std::vec::Vec<Current>,
    /// Seed of all that is random
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How often a worker may be begun again within the window
    #[arg(long, value_name = "N", default_value = "5")]
    limit: usize,
    /// For how long a restart counts
    #[arg(long, value_name = "MILLIS", default_value = "10000")]
    window: u64,
    /// Give up a worker that fails too often, and go on without it
    #[arg(long)]
    keep_going: bool,
}

fn backends(name: &str) -> Result<Vec<Current>, UnknownBackend> {
    match name {
        "all" => available().iter().map(|name| name.parse()).collect(),
        name => Ok(vec![name.parse()?]),
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..));
    let mut status = ExitCode::SUCCESS;
    for backend in &args.backend {
        let backend = match backend {
            Current::Sim(_) => Sim::with_seed(seed).into(),
            other => other.clone(),
        };
        say(&format!("on {}", backend.name()));
        let supervisor = supervise(&args, Rng::with_seed(seed));
        if let Err(errors) = anyrt::run_on(backend, supervisor) {
            for error in errors {
                writeln!(io::stderr(), "supervisor: {error}").ok();
            }
            status = ExitCode::FAILURE;
        }
    }
    status
}

/// Runs the workers until all are done or given up, or until one takes the others down.
async fn supervise(args: &Args, mut rng: Rng) -> Result<(), GroupError<String>> {
    let workers = WORKERS.map(|(name, script)| {
        Arc::new(Worker {
            name,
            script,
            limit: args.limit,
            window: Duration::from_millis(args.window),
            created: now(),
            lives: AtomicU32::new(0),
            failures: AtomicU32::new(0),
            cleanups: AtomicU32::new(0),
        })
    });
    let mut options = GroupOptions::new().name("workers");
    if args.keep_going {
        options = options.supervise_with(|_, error| say(&format!("given up: {error}")));
    }
    let group = options.run(async |g| {
        for worker in workers.iter().cloned() {
            g.spawn_named(worker.name, worker.keep_running(rng.fork()));
        }
        Ok(())
    });
    let result = group.await;
    workers.iter().for_each(|worker| worker.report());
    result
}

struct Worker {
    name: &'static str,
    script: &'static [Life],
    limit: usize,
    window: Duration,
    created: Instant,
    lives: AtomicU32,
    failures: AtomicU32,
    cleanups: AtomicU32,
}

impl Worker {
    /// Begins one life after the other until one is good, or too many were not.
    async fn keep_running(self: Arc<Self>, mut rng: Rng) -> Result<(), String> {
        let mut restarts = Vec::new();
        for &life in self.script {
            // The limit is also the scope of the cleanup: a life has cleaned up before the next one begins.
            let error = match fail_after(LONGEST_LIFE, self.clone().live(life)).await {
                Ok(Ok(())) => break,
                Ok(Err(error)) => error,
                Err(_) => "it hangs",
            };
            self.failures.fetch_add(1, Relaxed);
            restarts.retain(|&at| now() - at < self.window);
            if restarts.len() == self.limit {
                let name = self.name;
                return Err(format!("{name} has failed too often, at last: {error}"));
            }
            let delay = FIRST_DELAY * (1 << restarts.len().min(10));
            let delay = delay.mul_f64(1.0 + rng.f64() / 2.0);
            restarts.push(now());
            self.say(&format!("{error}; again in {} ms", delay.as_millis()));
            sleep(delay).await;
        }
        self.say("done");
        Ok(())
    }

    async fn live(self: Arc<Self>, (millis, end): Life) -> Result<(), &'static str> {
        self.say("begins");
        self.lives.fetch_add(1, Relaxed);
        on_exit(async move {
            sleep(Duration::from_millis(2)).await;
            self.cleanups.fetch_add(1, Relaxed);
            self.say("has cleaned up");
        });
        sleep(Duration::from_millis(millis)).await;
        end
    }

    fn say(&self, what: &str) {
        let millis = (now() - self.created).as_millis();
        say(&format!("{millis:>4} ms  {}: {what}", self.name));
    }

    fn report(&self) {
        let [lives, failures, cleanups] =
            [&self.lives, &self.failures, &self.cleanups].map(|count| count.load(Relaxed));
        let counts = format!("{lives} lives, {failures} failures, {cleanups} cleanups");
        say(&format!("{}: {counts}", self.name));
    }
}

/// Prints a line; a closed pipe is nobody's concern here.
fn say(line: &str) {
    writeln!(io::stdout(), "{line}").ok();
}
