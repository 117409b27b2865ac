//! A web framework in small: a handler is a `fn` or an `async fn`, and either may do what the other one can.
//!
//! A `fn` may block, so it runs on a thread, of which there are so many and no more. It calls back into async code and
//! waits there like everybody else. Each request has an id, which all that is done for it can see without being told,
//! and a deadline, which interrupts both kinds of handlers where they wait. A handler that panics spoils one answer, and
//! nothing else. The clients are in the same program.
//!
//! ```text
//! cargo run --example sync_and_async -- --backend all
//! cargo run --example sync_and_async -- --backend smol --requests 1000 --clients 10 --threads 1
//! ```

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::future::Future;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use anyrt::from_thread::{self, FromThreadError};
use anyrt::{
    Backend, Current, Limiter, UnknownBackend, available, fail_after, map_concurrent, sleep,
    task_local, to_thread,
};
use clap::Parser;
use futures::FutureExt;
use futures::future::BoxFuture;

task_local! {
    static REQUEST_ID: u64;
}

struct Request {
    id: u64,
    path: &'static str,
    /// For how long the client is going to wait.
    patience: Duration,
}

type Answer = Result<String, Failure>;

enum Failure {
    NotFound,
    Panicked,
    TooLate,
}

/// A handler of either kind, as the dispatcher sees it.
type Handler = Box<dyn Fn() -> BoxFuture<'static, Answer> + Send + Sync>;

/// What can be made a handler; the kind is for the compiler, which finds out by itself.
trait Handle<Kind> {
    fn handler(self, threads: &Limiter) -> Handler;
}

/// A function that may block.
struct Blocking;

/// A function that gives a future.
struct Async;

impl<F: Fn() -> Answer + Copy + Send + Sync + 'static> Handle<Blocking> for F {
    fn handler(self, threads: &Limiter) -> Handler {
        let threads = threads.clone();
        Box::new(move || to_thread(self).limiter(&threads).boxed())
    }
}

impl<F, Fut> Handle<Async> for F
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Answer> + Send + 'static,
{
    fn handler(self, _: &Limiter) -> Handler {
        Box::new(move || self().boxed())
    }
}

struct Dispatcher {
    handlers: HashMap<&'static str, Handler>,
    threads: Limiter,
}

impl Dispatcher {
    fn new(threads: usize) -> Self {
        Self {
            handlers: HashMap::new(),
            threads: Limiter::new(threads),
        }
    }

    fn on<Kind>(mut self, path: &'static str, handler: impl Handle<Kind>) -> Self {
        self.handlers.insert(path, handler.handler(&self.threads));
        self
    }

    async fn dispatch(&self, request: Request) -> Answer {
        let handler = self.handlers.get(request.path).ok_or(Failure::NotFound)?;
        let work = fail_after(request.patience, async { handler().await });
        let work = REQUEST_ID.scope(request.id, work);
        match AssertUnwindSafe(work).catch_unwind().await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_elapsed)) => Err(Failure::TooLate),
            Err(_payload) => Err(Failure::Panicked),
        }
    }
}

/// A handler on a thread is told of the deadline where it calls back.
impl From<FromThreadError> for Failure {
    fn from(_: FromThreadError) -> Self {
        Self::TooLate
    }
}

/// Whoever signs does so for the request that it works for, on whatever thread and in whatever task.
fn signed(text: &str) -> String {
    format!("{text} for {}", REQUEST_ID.get())
}

async fn price() -> Answer {
    sleep(Duration::from_millis(1)).await;
    Ok(signed("7"))
}

fn checksum() -> Answer {
    let sum: u32 = (0..1000).sum(); // .. or whatever takes its time, and does not wait ..
    Ok(signed(&sum.to_string()))
}

fn bill() -> Answer {
    let price = from_thread::block_on(price())??;
    Ok(price + ", " + &signed("shipping"))
}

async fn wait_for_news() -> Answer {
    sleep(Duration::from_secs(3600)).await;
    Ok(signed("news"))
}

fn wait_for_paper() -> Answer {
    from_thread::block_on(wait_for_news())?
}

async fn divide() -> Answer {
    panic!("by zero");
}

fn unwrap() -> Answer {
    panic!("on `None`");
}

/// Of a hundred requests, some are for what is slow, broken or not there.
fn request(id: u64) -> Request {
    let (patient, hasty) = (Duration::from_secs(3600), Duration::from_millis(5));
    let (path, patience) = match id % 100 {
        0..40 => ("/price", patient),
        40..60 => ("/checksum", patient),
        60..94 => ("/bill", patient),
        94 => ("/news", hasty),
        95 => ("/paper", hasty),
        96 => ("/divide", patient),
        97 => ("/unwrap", patient),
        _ => ("/nowhere", patient),
    };
    Request { id, path, patience }
}

async fn serve_all(args: &Args) -> Counts {
    let dispatcher = Dispatcher::new(args.threads.get())
        .on("/price", price)
        .on("/checksum", checksum)
        .on("/bill", bill)
        .on("/news", wait_for_news)
        .on("/paper", wait_for_paper)
        .on("/divide", divide)
        .on("/unwrap", unwrap);
    let client = async |id| Ok::<_, Infallible>((id, dispatcher.dispatch(request(id)).await));
    let Ok(answers) = map_concurrent(0..args.requests, args.clients.get(), client).await;
    let mut counts = Counts::new();
    for (id, answer) in answers {
        let signature = format!("for {id}");
        let count = match answer {
            Ok(text) if text.split(", ").all(|part| part.ends_with(&signature)) => "answered",
            Ok(_) => "mixed up",
            Err(Failure::NotFound) => "not found",
            Err(Failure::Panicked) => "panicked",
            Err(Failure::TooLate) => "too late",
        };
        *counts.entry(count).or_default() += 1;
    }
    counts
}

type Counts = BTreeMap<&'static str, u64>;

/// A web framework in small, and its clients
#[derive(Parser)]
struct Args {
    /// What to run on: tokio, async-std, smol or sim; `all` for one after the other
    #[arg(long, value_name = "NAME", default_value = "tokio", value_parser = backends)]
    backend: std::vec::Vec<Current>,
    /// How many requests there are
    #[arg(long, value_name = "N", default_value = "10000")]
    requests: u64,
    /// How many clients there are, each of which waits for an answer before it asks again
    #[arg(long, value_name = "N", default_value = "100")]
    clients: NonZeroUsize,
    /// How many handlers may block at once
    #[arg(long, value_name = "N", default_value = "8")]
    threads: NonZeroUsize,
}

fn backends(name: &str) -> Result<Vec<Current>, UnknownBackend> {
    match name {
        "all" => available().iter().map(|name| name.parse()).collect(),
        name => Ok(vec![name.parse()?]),
    }
}

fn main() {
    // What happens for a request is counted. A framework would log it, and has the id at hand here, too.
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if REQUEST_ID.try_with(|_| ()).is_err() {
            usual(panic);
        }
    }));
    let args = Args::parse();
    for backend in args.backend.clone() {
        let mut lines = format!("on {}\n", backend.name());
        for (what, count) in anyrt::run_on(backend, serve_all(&args)) {
            lines += &format!("{count:6} {what}\n");
        }
        // A closed pipe is nobody's concern here.
        io::stdout().write_all(lines.as_bytes()).ok();
    }
}
