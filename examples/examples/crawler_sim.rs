//! Visits all pages that can be reached from the first one, a few at a time; the network is simulated.
//!
//! A page that has been fetched makes one child more of each new link. All children share one `&Frontier`, which is a
//! local variable of whoever waits for them: there is no `Arc`, and when the time is up, what was found until then is
//! still there. Only a few pages are fetched at once; the other children wait for their turn. A page that is broken is
//! a finding of a crawler, and not its failure. On the simulator the same seed prints the same.
//!
//! ```text
//! cargo run --example crawler_sim -- --backend all --seed 7
//! cargo run --example crawler_sim -- --backend sim --seed 7 --pages 100000 --limit 1000
//! cargo run --example crawler_sim -- --backend sim --seed 7 --timeout 150
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyrt::{
    Backend, Current, GroupOptions, ScopedGroup, Sim, UnknownBackend, available, move_on_after,
    now, sleep,
};
use clap::Parser;
use fastrand::Rng;

/// Visits all pages of a simulated network, a few at a time
#[derive(Parser)]
struct Args {
    /// What to run on: tokio, async-std, smol or sim; `all` for one after the other
    #[arg(long, value_name = "NAME", default_value = "tokio", value_parser = backends)]
    backend: std::vec::Vec<Current>,
    /// Seed of the pages, and of the simulator's order
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How many pages there are
    #[arg(long, value_name = "N", default_value = "60")]
    pages: NonZeroUsize,
    /// How many pages are fetched at once
    #[arg(long, value_name = "N", default_value = "8")]
    limit: NonZeroUsize,
    /// For how long to go on; then what was found is printed
    #[arg(long, value_name = "MILLIS", default_value = "60000")]
    timeout: u64,
}

fn backends(name: &str) -> Result<Vec<Current>, UnknownBackend> {
    match name {
        "all" => available().iter().map(|name| name.parse()).collect(),
        name => Ok(vec![name.parse()?]),
    }
}

fn main() {
    let args = Args::parse();
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..));
    let network = Network::new(args.pages, Rng::with_seed(seed));
    for backend in &args.backend {
        let backend = match backend {
            Current::Sim(_) => Sim::with_seed(seed).into(),
            other => other.clone(),
        };
        say(&format!("on {}", backend.name()));
        anyrt::run_on(backend, crawl(&args, &network));
    }
}

/// Crawls until there is nothing left or the time is up, and says what was found.
async fn crawl(args: &Args, network: &Network) {
    let begin = now();
    let frontier = Frontier::of(network);
    let options = GroupOptions::<Infallible>::new().limit(args.limit.get());
    let group = options.run_scoped(async |g| {
        if frontier.is_new(0) {
            g.spawn(visit(g.clone(), &frontier, 0));
        }
        Ok(())
    });
    // When this returns, all children have ended, and nobody borrows the frontier any more.
    let crawled = move_on_after(Duration::from_millis(args.timeout), group).await;
    let time = (now() - begin).as_millis();
    frontier.into_found().print(network);
    match crawled {
        Some(_) => say(&format!("all was seen after {time} ms")),
        None => say(&format!("the time was up after {time} ms")),
    }
}

/// A child that spawns children of its kind has a type that contains itself, unless it is boxed.
type Visit<'env> = Pin<Box<dyn Future<Output = Result<(), Infallible>> + Send + 'env>>;

/// Visits a page, and spawns a visit of each page that it leads to and that nobody has seen.
fn visit<'env>(
    g: ScopedGroup<'env, Infallible>,
    frontier: &'env Frontier<'env>,
    number: usize,
) -> Visit<'env> {
    Box::pin(async move {
        let links = frontier.fetch(number).await;
        for &link in links {
            if frontier.is_new(link) {
                // It is not awaited. With a limit, one that waits for another that has no turn could wait for ever.
                g.spawn(visit(g.clone(), frontier, link));
            }
        }
        Ok(())
    })
}

/// What is known, and what is going on.
struct Frontier<'a> {
    network: &'a Network,
    // The children take turns in one task, but the task may move between threads. The lock is never waited for.
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    /// Whoever is in here is visited by somebody.
    seen: BTreeSet<usize>,
    visited: Vec<usize>,
    broken: BTreeMap<usize, &'static str>,
    at_once: usize,
    most_at_once: usize,
}

impl<'a> Frontier<'a> {
    fn of(network: &'a Network) -> Self {
        Self {
            network,
            found: Mutex::default(),
        }
    }

    /// Says it of each page once.
    fn is_new(&self, number: usize) -> bool {
        self.found().seen.insert(number)
    }

    /// Gives where the page leads to; nowhere, if it is broken.
    async fn fetch(&self, number: usize) -> &'a [usize] {
        let _request = Request::new(self);
        let page = self.network.fetch(number).await;
        match page {
            Ok(links) => {
                self.found().visited.push(number);
                links
            }
            Err(error) => {
                self.found().broken.insert(number, error);
                &[]
            }
        }
    }

    fn into_found(self) -> Found {
        self.found
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Found {
    fn print(&self, network: &Network) {
        let first: Vec<_> = self.visited.iter().take(10).map(usize::to_string).collect();
        say(&format!("visited first: {}", first.join(", ")));
        for (number, error) in self.broken.iter().take(10) {
            say(&format!("page {number}: {error}"));
        }
        let (visited, broken) = (self.visited.len(), self.broken.len());
        let left = self.seen.len() - visited - broken;
        let all = network.pages.len();
        say(&format!(
            "of {all} pages: {visited} visited, {broken} broken, {left} left"
        ));
        let (most, now) = (self.most_at_once, self.at_once);
        say(&format!("at most {most} at once, now {now}"));
    }
}

/// Counts a request for as long as it is there, also when it is cut.
struct Request<'a>(&'a Frontier<'a>);

impl<'a> Request<'a> {
    fn new(frontier: &'a Frontier<'a>) -> Self {
        let mut found = frontier.found();
        found.at_once += 1;
        found.most_at_once = found.most_at_once.max(found.at_once);
        Self(frontier)
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        self.0.found().at_once -= 1;
    }
}

/// Pages with links to one another, some of them broken.
struct Network {
    pages: Vec<Page>,
}

struct Page {
    delay: Duration,
    links: Result<Vec<usize>, &'static str>,
}

impl Network {
    fn new(pages: NonZeroUsize, mut rng: Rng) -> Self {
        let page = |number| {
            let delay = Duration::from_millis(rng.u64(5..50));
            // The entrance is never broken, and leads to enough pages to reach most of the others.
            let links = match rng.u8(..) {
                0..8 if number > 0 => Err("not found"),
                8..16 if number > 0 => Err("no answer"),
                _ => {
                    let links = if number == 0 { 8 } else { rng.usize(1..6) };
                    Ok((0..links).map(|_| rng.usize(0..pages.get())).collect())
                }
            };
            Page { delay, links }
        };
        Self {
            pages: (0..pages.get()).map(page).collect(),
        }
    }

    /// Where a real crawler has its client.
    async fn fetch(&self, number: usize) -> Result<&[usize], &'static str> {
        let page = &self.pages[number];
        sleep(page.delay).await;
        page.links.as_deref().map_err(|&error| error)
    }
}

/// Prints a line; a closed pipe is nobody's concern here.
fn say(line: &str) {
    writeln!(io::stdout(), "{line}").ok();
}
