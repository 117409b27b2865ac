//! A runtime for models: each task has a thread, and there is no time.

use std::cell::Cell;
use std::future::{Future, Pending, pending};
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use shuttle::sync::Mutex;
use shuttle::thread;

use crate::lock::lock;
use crate::{Backend, Join};

shuttle::thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// A runtime that has a thread for each task, in which nothing ever happens by the clock.
#[derive(Clone, Debug, Default)]
pub struct OneThreadEach;

impl Backend for OneThreadEach {
    type Task<T: Send + 'static> = Handle<T>;
    type Sleep = Pending<()>;

    fn name(&self) -> &'static str {
        "one thread each"
    }

    fn current() -> Option<Self> {
        INSIDE.try_with(Cell::get).unwrap_or(false).then_some(Self)
    }

    fn run<F: Future>(&self, main: F) -> F::Output {
        INSIDE.with(|inside| inside.set(true));
        let output = self.block_on(main, None).expect("without a limit");
        INSIDE.with(|inside| inside.set(false));
        output
    }

    fn spawn<F>(&self, future: F) -> Handle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn_blocking(|| Self.run(future))
    }

    fn spawn_blocking<T, F>(&self, call: F) -> Handle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let progress = Arc::new(Mutex::new(Progress::default()));
        let handle = Handle(progress.clone());
        thread::spawn(move || {
            let output = call();
            let mut now = lock(&progress);
            (now.output, now.is_over) = (Some(output), true);
            let waker = now.waker.take();
            drop(now);
            waker.into_iter().for_each(Waker::wake);
        });
        handle
    }

    fn now(&self) -> Instant {
        static NOW: LazyLock<Instant> = LazyLock::new(Instant::now);
        *NOW
    }

    fn sleep_until(&self, _: Instant) -> Pending<()> {
        pending()
    }
}

/// The handle of a task. What it does not take is dropped by the last who has a share in it.
#[derive(Debug)]
pub struct Handle<T>(Arc<Mutex<Progress<T>>>);

/// How far a task is.
#[derive(Debug)]
struct Progress<T> {
    output: Option<T>,
    is_over: bool,
    waker: Option<Waker>,
}

impl<T> Default for Progress<T> {
    fn default() -> Self {
        Self {
            output: None,
            is_over: false,
            waker: None,
        }
    }
}

impl<T> Future for Handle<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let waker = cx.waker().clone();
        let mut now = lock(&self.0);
        if now.is_over {
            return Poll::Ready(now.output.take());
        }
        let before = now.waker.replace(waker);
        drop(now);
        drop(before);
        Poll::Pending
    }
}

impl<T: Send + 'static> Join<T> for Handle<T> {
    fn is_finished(&self) -> bool {
        lock(&self.0).is_over
    }
}
