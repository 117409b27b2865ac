//! What promises are checked with: counters of life, marks in order, gates, and caught panics.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Waker};

use anyrt_core::{Backend, Reason};
use futures::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};

/// Counts what is alive: a guard per living thing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alive(Arc<AtomicUsize>);

/// One living thing.
#[derive(Debug)]
pub(crate) struct Life(Arc<AtomicUsize>);

impl Alive {
    pub(crate) fn born(&self) -> Life {
        self.0.fetch_add(1, Ordering::SeqCst);
        Life(self.0.clone())
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A record of what happened, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<&'static str>>>);

impl Log {
    pub(crate) fn add(&self, mark: &'static str) {
        self.0.lock().unwrap().push(mark);
    }

    pub(crate) fn marks(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }

    /// Something whose destructor makes a mark.
    pub(crate) fn on_drop(&self, mark: &'static str) -> impl Send + use<> {
        let log = self.clone();
        on_drop(move || log.add(mark))
    }
}

/// Runs `f` when it is dropped.
pub(crate) fn on_drop<F: FnOnce()>(f: F) -> impl Drop + use<F> {
    struct OnDrop<F: FnOnce()>(Option<F>);
    impl<F: FnOnce()> Drop for OnDrop<F> {
        fn drop(&mut self) {
            if let Some(f) = self.0.take() {
                f();
            }
        }
    }
    OnDrop(Some(f))
}

/// The reason that `cancel_with(message)` gives.
pub(crate) fn because(message: &str) -> Reason {
    Reason::Explicit(Some(message.into()))
}

/// Awaits `future` and gives the message of its panic, if it panics.
pub(crate) async fn panic_of<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let result = AssertUnwindSafe(future).catch_unwind().await;
    result.map_err(|payload| message(&*payload))
}

/// The message of a panic.
pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a payload that is no text".to_owned())
}

/// Counts how often a future was polled.
pub(crate) fn polls<F: Future>(future: F) -> (impl Future<Output = F::Output>, Arc<AtomicUsize>) {
    struct Counted<F>(Pin<Box<F>>, Arc<AtomicUsize>);
    impl<F: Future> Future for Counted<F> {
        type Output = F::Output;

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
            self.1.fetch_add(1, Ordering::SeqCst);
            self.0.as_mut().poll(cx)
        }
    }
    let count = Arc::new(AtomicUsize::new(0));
    (Counted(Box::pin(future), count.clone()), count)
}

/// Counts how often a future was polled together with others.
pub(crate) fn counted<F: Future>(
    count: &AtomicUsize,
    future: F,
) -> impl Future<Output = F::Output> + use<'_, F> {
    let mut future = Box::pin(future);
    poll_fn(move |cx| {
        count.fetch_add(1, Ordering::SeqCst);
        future.as_mut().poll(cx)
    })
}

/// Awaits a future that is polled when it was woken and not otherwise, and gives how often that was.
pub(crate) async fn passes_of<F: Future>(future: F) -> (F::Output, usize) {
    let (counted, count) = polls(future);
    let mut alone = FuturesUnordered::from_iter([counted]);
    let output = alone.next().await.unwrap();
    (output, count.load(Ordering::SeqCst))
}

/// What sleeps until it is woken by hand, and counts its polls.
#[derive(Debug, Default)]
pub(crate) struct Sleeper {
    polls: AtomicUsize,
    is_over: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Sleeper {
    /// So many of them.
    pub(crate) fn dormitory(beds: usize) -> Vec<Self> {
        std::iter::repeat_with(Self::default).take(beds).collect()
    }

    pub(crate) async fn sleep(&self) -> Result<(), ()> {
        poll_fn(|cx| {
            self.polls.fetch_add(1, Ordering::SeqCst);
            let before = self.waker.lock().unwrap().replace(cx.waker().clone());
            drop(before);
            match self.is_over.load(Ordering::SeqCst) {
                true => Poll::Ready(Ok(())),
                false => Poll::Pending,
            }
        })
        .await
    }

    /// The waker of its last poll.
    pub(crate) fn waker(&self) -> Waker {
        self.waker.lock().unwrap().clone().unwrap()
    }

    /// Wakes it for nothing.
    pub(crate) fn disturb(&self) {
        self.waker().wake();
    }

    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        self.disturb();
    }

    pub(crate) fn polls(&self) -> usize {
        self.polls.load(Ordering::SeqCst)
    }
}

/// A gate for threads: those that wait block until somebody opens it, and then it stays open.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latch(Arc<(Mutex<bool>, Condvar)>);

impl Latch {
    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    /// Blocks the calling thread, by means that no backend sees.
    pub(crate) fn wait<B: Backend>(&self) {
        B::wait_outside(|| {
            let open = self.0.1.wait_while(self.0.0.lock().unwrap(), |open| !*open);
            drop(open.unwrap());
        });
    }
}

/// Runs `f` on a thread that no runtime knows, blocks until it is done, and gives its value or its panic.
pub(crate) fn on_a_fresh_thread<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::spawn(f)
        .join()
        .unwrap_or_else(|payload| std::panic::resume_unwind(payload))
}
