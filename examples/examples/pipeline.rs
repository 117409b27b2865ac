//! A pipeline: one stage reads lines, several workers compute, and one stage writes, all at their own pace.
//!
//! The stages borrow the arguments and the output, which are local variables of `main`. The channels between them have
//! room for a few lines only, so a stage that is faster than the next one has to wait for it. When the first stage
//! is done, it drops its sender, and that goes on to the last one: nobody has to be told. An error in any stage ends
//! all of them and comes out of the group. On the simulator the same seed prints the same.
//!
//! ```text
//! cargo run --example pipeline -- --backend all
//! cargo run --example pipeline -- --backend sim --lines 1000 --workers 20 --limit 50
//! ```
//!
//! A line that makes no sense is an error, and the status is 1: try `--spoil 12`.

use std::io::{self, ErrorKind, Write};
use std::num::{NonZeroUsize, ParseIntError};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use anyrt::{Backend, Current, FirstError, Sim, UnknownBackend, available, scoped_group, sleep};
use async_channel::{Receiver, Sender, bounded};
use clap::Parser;

/// A pipeline of one reader, several workers and one writer
#[derive(Parser)]
struct Args {
    /// What to run on: tokio, async-std, smol or sim; `all` for one after the other
    #[arg(long, value_name = "NAME", default_value = "tokio", value_parser = backends)]
    backend: std::vec::Vec<Current>,
    /// Seed of the simulator's order
    #[arg(long, value_name = "N", default_value = "0")]
    seed: u64,
    /// How many lines there are
    #[arg(long, value_name = "N", default_value = "20")]
    lines: usize,
    /// How many workers there are
    #[arg(long, value_name = "N", default_value = "3")]
    workers: NonZeroUsize,
    /// How many lines may wait for a worker, and how many results for the writer
    #[arg(long, value_name = "N", default_value = "4")]
    limit: NonZeroUsize,
    /// Which line is to make no sense
    #[arg(long, value_name = "N")]
    spoil: Option<usize>,
}

fn backends(name: &str) -> Result<Vec<Current>, UnknownBackend> {
    match name {
        "all" => available().iter().map(|name| name.parse()).collect(),
        name => Ok(vec![name.parse()?]),
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    match on_each_backend(&args) {
        // Whoever was reading has read enough.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            writeln!(io::stderr(), "pipeline: {error}").ok();
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

fn on_each_backend(args: &Args) -> io::Result<()> {
    let mut out = io::stdout();
    for backend in &args.backend {
        let backend = match backend {
            Current::Sim(_) => Sim::with_seed(args.seed).into(),
            other => other.clone(),
        };
        writeln!(out, "on {}", backend.name())?;
        let most = anyrt::run_on(backend, pipeline(args, &mut out))?;
        let [lines, results] = most;
        writeln!(
            out,
            "at most {lines} lines and {results} results in a queue"
        )?;
    }
    out.flush()
}

/// Gives how long the two queues have been at most.
async fn pipeline(args: &Args, out: &mut (impl Write + Send)) -> io::Result<[usize; 2]> {
    let most = [const { AtomicUsize::new(0) }; 2];
    let [most_lines, most_results] = &most;
    let group = scoped_group(async |g| {
        let (lines, unread) = Queue::new(args.limit, most_lines);
        let (results, unwritten) = Queue::new(args.limit, most_results);
        g.spawn_named("read", read(args, lines));
        for _ in 0..args.workers.get() {
            g.spawn_named("compute", compute(unread.clone(), results.clone()));
        }
        g.spawn_named("write", write(unwritten, out));
        // Here the body drops its own ends of both queues. Otherwise they would never be closed.
        Ok(())
    });
    // Only the first error: the others can but be consequences of it.
    group.await.first_error()?;
    Ok(most.map(AtomicUsize::into_inner))
}

/// A line, and its number.
type Line = (usize, String);

async fn read(args: &Args, lines: Queue<'_, Line>) -> io::Result<()> {
    for number in 1..=args.lines {
        sleep(Duration::from_millis(1)).await;
        let factor = if args.spoil == Some(number) { "x" } else { "7" };
        let line = format!("{number} * {factor}");
        if lines.put((number, line)).await.is_err() {
            break;
        }
    }
    Ok(())
}

async fn compute(lines: Receiver<Line>, results: Queue<'_, String>) -> io::Result<()> {
    while let Ok((number, line)) = lines.recv().await {
        sleep(Duration::from_millis(6)).await;
        let product = product(&line).map_err(|error| {
            let message = format!("line {number}, `{line}`: {error}");
            io::Error::new(ErrorKind::InvalidData, message)
        })?;
        if results.put(format!("{line} = {product}")).await.is_err() {
            break;
        }
    }
    Ok(())
}

fn product(line: &str) -> Result<usize, ParseIntError> {
    line.split(" * ").map(str::parse::<usize>).product()
}

async fn write(results: Receiver<String>, out: &mut (impl Write + Send)) -> io::Result<()> {
    while let Ok(result) = results.recv().await {
        sleep(Duration::from_millis(3)).await;
        writeln!(out, "{result}")?;
    }
    Ok(())
}

/// The way into the next stage, which notes how long the queue gets.
#[derive(Clone)]
struct Queue<'a, T> {
    sender: Sender<T>,
    most: &'a AtomicUsize,
}

/// The next stage has ended, and there is nothing left to do for this one.
struct Ended;

impl<'a, T> Queue<'a, T> {
    fn new(limit: NonZeroUsize, most: &'a AtomicUsize) -> (Self, Receiver<T>) {
        let (sender, receiver) = bounded(limit.get());
        (Self { sender, most }, receiver)
    }

    /// Waits until there is room. This is the backpressure.
    async fn put(&self, item: T) -> Result<(), Ended> {
        let sent = self.sender.send(item).await;
        self.most.fetch_max(self.sender.len(), Relaxed);
        sent.map_err(|_| Ended)
    }
}
