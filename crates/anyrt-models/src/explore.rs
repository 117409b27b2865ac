//! Running a model in many interleavings, and what models of portals and threads are made of.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::sync::Mutex as ModelMutex;
use shuttle::sync::atomic::{AtomicUsize, Ordering};
use shuttle::{Config, MaxSteps, Runner};

use crate::lock::lock;

/// Runs `model` in as many interleavings as `ANYRT_MODEL_RUNS` says, or 500, and gives all that it has given.
///
/// In half of them the next thread is chosen by chance each time. In the other half threads have ranks, and there are a
/// few moments at which these change: that finds what needs a thread to be slow for long. `ANYRT_SEED` is a number, and
/// chooses others.
///
/// # Panics
///
/// If the model panics, deadlocks, or goes on for ever; the message says how to replay that.
pub fn explore<T: Ord + Send + 'static>(
    model: impl Fn() -> T + Send + Sync + 'static,
) -> BTreeSet<T> {
    let number = |name| std::env::var(name).map(|text| text.parse::<u64>().expect(name));
    let half = number("ANYRT_MODEL_RUNS").unwrap_or(500) as usize / 2;
    let seed = number("ANYRT_SEED").unwrap_or(0);
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let model = Arc::new(model);
    let run = |scheduler: Box<dyn Scheduler + Send>| {
        let (seen, model) = (seen.clone(), model.clone());
        let mut config = Config::new();
        config.stack_size = 1 << 18;
        config.max_steps = MaxSteps::FailAfter(100_000);
        config.silence_warnings = true;
        Runner::new(scheduler, config).run(move || {
            let end = model();
            seen.lock().expect("no model panics here").insert(end);
        });
    };
    run(Box::new(RandomScheduler::new_from_seed(seed, half)));
    run(Box::new(PctScheduler::new_from_seed(seed, 3, half)));
    let mut seen = seen.lock().expect("no model panics here");
    std::mem::take(&mut seen)
}

/// Counts what is alive: a guard for each living thing.
#[derive(Clone, Debug, Default)]
pub struct Alive(Arc<AtomicUsize>);

/// One living thing.
#[derive(Debug)]
pub struct Life(Alive);

impl Alive {
    /// One more.
    pub fn born(&self) -> Life {
        self.0.fetch_add(1, Ordering::SeqCst);
        Life(self.clone())
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What one task waits for, and any thread may open.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<ModelMutex<(bool, Option<Waker>)>>);

impl Gate {
    /// Lets the task pass.
    pub fn open(&self) {
        let mut gate = lock(&self.0);
        gate.0 = true;
        let waker = gate.1.take();
        drop(gate);
        waker.into_iter().for_each(Waker::wake);
    }

    /// Waits until the gate is open.
    pub async fn pass(&self) {
        poll_fn(|cx| {
            let waker = cx.waker().clone();
            let mut gate = lock(&self.0);
            if gate.0 {
                return Poll::Ready(());
            }
            let before = gate.1.replace(waker);
            drop(gate);
            drop(before);
            Poll::Pending
        })
        .await;
    }
}
