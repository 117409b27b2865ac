//! A nightly backup with retries, tested over a month that takes no time.
//!
//! Every night at two a backup is made. If that fails it is tried again, each time after twice as long, until it is noon:
//! then that night is given up. The server that it needs is out of order at times, for hours. How it goes in a month
//! is a matter of milliseconds on the simulator, where the clock jumps from one event to the next; what is promised is
//! checked in many different months.
//!
//! ```text
//! cargo run --example simulated_days
//! cargo run --example simulated_days -- --seed 7 --days 365
//! cargo run --example simulated_days -- --months 100
//! ```

use std::fmt;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use anyrt::sim::explore;
use anyrt::{Backend, Sim, move_on_at, now, run_on, sleep, sleep_until};
use clap::Parser;
use fastrand::Rng;

/// A month of nightly backups in no time
#[derive(Parser)]
struct Args {
    /// Seed of the server's troubles
    #[arg(long, value_name = "N", default_value = "1")]
    seed: u64,
    /// How many days there are
    #[arg(long, value_name = "N", default_value = "30")]
    days: u32,
    /// Check so many months instead, and print nothing of them
    #[arg(long, value_name = "N")]
    months: Option<u64>,
}

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const FIRST_PAUSE: Duration = Duration::from_secs(60);

fn main() {
    let args = Args::parse();
    if let Some(months) = args.months {
        // Panics with the first seed of a month in which something is wrong.
        explore(|| async { check(&month(args.days).await) }).seeds(0..months);
        return say(&format!("{months} months are as they should be"));
    }
    let nights = run_on(Sim::with_seed(args.seed), month(args.days));
    check(&nights);
    let given_up = nights.iter().filter(|night| night.done.is_none()).count();
    for night in &nights {
        say(&night.to_string());
    }
    say(&format!("{} nights, {given_up} given up", nights.len()));
}

/// The nights of a month.
async fn month(days: u32) -> Vec<Night> {
    let seed = Sim::current().map_or(0, |sim| sim.seed());
    let midnight = now();
    let server = Server::new(seed, midnight, days);
    let mut nights = Vec::new();
    for day in 0..days {
        let midnight = midnight + DAY * day;
        sleep_until(midnight + 2 * HOUR).await;
        nights.push(backup(&server, day, midnight).await);
    }
    nights
}

/// What is tested: one night's backup, with retries until noon.
async fn backup(server: &Server, day: u32, midnight: Instant) -> Night {
    let mut tries = Vec::new();
    let until_done = async {
        let mut pause = FIRST_PAUSE;
        loop {
            tries.push(now() - midnight);
            if server.store().await.is_ok() {
                return now() - midnight;
            }
            sleep(pause).await;
            pause *= 2;
        }
    };
    let done = move_on_at(midnight + 12 * HOUR, until_done).await;
    Night { day, tries, done }
}

/// How one night went; the times are those of that day.
struct Night {
    day: u32,
    tries: Vec<Duration>,
    done: Option<Duration>,
}

impl fmt::Display for Night {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, tries) = (self.day + 1, self.tries.len());
        match self.done {
            Some(done) => write!(f, "day {day}: done at {}, tries: {tries}", Clock(done)),
            None => write!(f, "day {day}: given up, tries: {tries}"),
        }
    }
}

/// A time of day.
struct Clock(Duration);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.0.as_secs() / 60;
        write!(f, "{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// What is promised of every night.
///
/// # Panics
///
/// If it is not so.
fn check(nights: &[Night]) {
    for night in nights {
        let Night { tries, done, .. } = night;
        assert_eq!(tries[0], 2 * HOUR, "{night}: it begins at two");
        let pauses = tries.windows(2).map(|two| two[1] - two[0]);
        for (pause, n) in pauses.zip(0..) {
            let at_least = FIRST_PAUSE * 2_u32.pow(n);
            assert!(pause >= at_least, "{night}: a retry after {pause:?}");
        }
        let end = done.unwrap_or(tries[tries.len() - 1]);
        assert!(end <= 12 * HOUR, "{night}: it goes on after noon");
    }
}

/// Where the backups go, if it is not out of order.
struct Server {
    outages: Vec<(Instant, Instant)>,
}

impl Server {
    /// About one outage in three days, of up to sixteen hours.
    fn new(seed: u64, start: Instant, days: u32) -> Self {
        let mut rng = Rng::with_seed(seed);
        let outage = |_| {
            let begin = start + Duration::from_secs(rng.u64(..u64::from(days) * DAY.as_secs()));
            (begin, begin + Duration::from_secs(rng.u64(..16 * 3600)))
        };
        Self {
            outages: (0..days.div_ceil(3)).map(outage).collect(),
        }
    }

    /// Takes a while, and fails if the server is out of order by then.
    async fn store(&self) -> Result<(), OutOfOrder> {
        sleep(Duration::from_secs(90)).await;
        let now = now();
        let is_out = |(begin, end): &(Instant, Instant)| (*begin..*end).contains(&now);
        match self.outages.iter().any(is_out) {
            true => Err(OutOfOrder),
            false => Ok(()),
        }
    }
}

struct OutOfOrder;

/// Prints a line; a closed pipe is nobody's concern here.
fn say(line: &str) {
    writeln!(io::stdout(), "{line}").ok();
}
