//! A cache with a race: found by trying orders of events, replayed, and mended.
//!
//! A page is to be loaded once, however many ask for it. But between the look into the cache and the entry there is an
//! `await`, and who looks meanwhile loads the page again. In the order in which things usually happen nobody does, so
//! an ordinary test passes. `explore` tries one order after the other until one fails, and then looks for the smallest
//! change to the usual order that is enough. What it finds can be replayed, also by another program: `ANYRT_SEED` does that
//! for a test, and `--replay` here. In the mended cache one at a time loads, and looks again when it is its turn.
//!
//! ```text
//! cargo run --example race_bug
//! cargo run --example race_bug -- --replay 0:fifo
//! cargo run --example race_bug -- --seeds 100
//! ```

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use anyrt::sim::{Failure, Replay, explore};
use anyrt::{Limiter, Sim, TaskGroup, checkpoint, run_on, task_group};
use clap::Parser;

/// Finds a race in a cache, replays it, and looks for it in a mended cache
#[derive(Parser)]
struct Args {
    /// How many orders to try
    #[arg(long, value_name = "N", default_value = "1000")]
    seeds: u64,
    /// Run only this order, such as the one that was printed
    #[arg(long, value_name = "ORDER")]
    replay: Option<Replay>,
}

fn main() {
    let args = Args::parse();
    if let Some(order) = &args.replay {
        return say(&format!("{order}: {}", replay(order)));
    }
    match search(args.seeds, Cache::racy) {
        None => say("no order fails"),
        Some(failure) => {
            let (seed, order) = (failure.seed(), failure.replay());
            say(&format!("seed {seed} fails: {}", failure.message()));
            say(&format!("replayed, {order}: {}", replay(order)));
        }
    }
    match search(args.seeds, Cache::mended) {
        None => say("mended, no order fails"),
        Some(failure) => say(&failure.to_string()),
    }
}

/// What stands in a test: `explore(|| async { .. }).seeds(0..1000)`.
fn search(seeds: u64, cache: fn() -> Cache) -> Option<Failure> {
    let program = || async move {
        let loads = two_readers(cache()).await;
        assert!(loads == 1, "{}", loaded(loads));
    };
    explore(program).first_failure(0..seeds)
}

/// Runs the racy cache in one order, and tells what happens.
fn replay(order: &Replay) -> String {
    let sim = Sim::builder().replay(order).build();
    loaded(run_on(sim, two_readers(Cache::racy())))
}

fn loaded(loads: usize) -> String {
    format!("the page was loaded {loads} times")
}

/// Two tasks want the same page, the second one later. Gives how often it was loaded.
async fn two_readers(cache: Cache) -> usize {
    let cache = Arc::new(cache);
    let group = task_group(async |g: TaskGroup<()>| {
        for turns in [0, 5] {
            let cache = cache.clone();
            g.spawn(async move {
                for _ in 0..turns {
                    checkpoint().await;
                }
                assert_eq!(cache.get(7).await, "page 7");
                Ok(())
            });
        }
        Ok(())
    });
    group.await.expect("no reader fails");
    cache.loads.load(Relaxed)
}

struct Cache {
    pages: Mutex<BTreeMap<u32, String>>,
    loads: AtomicUsize,
    /// Whose turn it is to load, if they take turns.
    turn: Option<Limiter>,
}

impl Cache {
    fn racy() -> Self {
        Self {
            pages: Mutex::default(),
            loads: AtomicUsize::new(0),
            turn: None,
        }
    }

    fn mended() -> Self {
        Self {
            turn: Some(Limiter::new(1)),
            ..Self::racy()
        }
    }

    async fn get(&self, number: u32) -> String {
        if let Some(page) = self.look(number) {
            return page;
        }
        let _permit = match &self.turn {
            Some(turn) => Some(turn.acquire().await),
            None => None,
        };
        // Without turns this finds nothing: nobody else has done anything since the first look.
        if let Some(page) = self.look(number) {
            return page;
        }
        let page = self.load(number).await;
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.insert(number, page.clone());
        page
    }

    fn look(&self, number: u32) -> Option<String> {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.get(&number).cloned()
    }

    /// Where a real cache asks a server.
    async fn load(&self, number: u32) -> String {
        self.loads.fetch_add(1, Relaxed);
        checkpoint().await;
        format!("page {number}")
    }
}

/// Prints a line; a closed pipe is nobody's concern here.
fn say(line: &str) {
    writeln!(io::stdout(), "{line}").ok();
}
