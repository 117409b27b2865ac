//! Calls from a thread back to whoever has called into it.
//!
//! [`block_on`] waits for a future on the runtime of the caller. To spawn into a group no helper is needed: its handle
//! may be sent into the thread, and `spawn` never waits. The group waits for the child, also after the thread has ended.
//!
//! ```
//! # use anyrt_sim::Sim;
//! use anyrt_core::from_thread::block_on;
//! use anyrt_core::{task_group, to_thread};
//!
//! # anyrt_core::run(&Sim::default(), async {
//! let group = task_group::<Sim, _, (), _, _>(async |g| {
//!     let there = g.clone();
//!     let length = to_thread::<Sim, _, _>(move || {
//!         let text = "read by a thread".to_owned(); // .. which blocks ..
//!         let child = there.spawn(async move { Ok(text.len()) });
//!         block_on::<Sim, _>(child)
//!     });
//!     Ok(length.await)
//! });
//! assert_eq!(group.await, Ok(Ok(16)));
//! # });
//! ```

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use crate::backend::Backend;
use crate::home::Shared;
use crate::place;
use crate::reason::Reason;
use crate::signal::Signal;
use crate::time::checkpoint;
use crate::visit::{Farewell, visit};
use crate::worker::{self, Worker};

/// Runs `future` for the caller of this thread, and blocks the thread until it is done.
///
/// To be called in a closure that was given to [`to_thread`](crate::to_thread), the *host* of which is whoever awaits
/// that call. The future has the host's runtime and stands in the host's scopes: a cancellation that the host sees
/// interrupts it, where it waits and nothing in it holds. It is polled by this very thread, so it may borrow and
/// need not be `Send`; children that it spawns are the runtime's, as always. The end of the run interrupts it in
/// any case. This is trio's and anyio's `from_thread.run`.
///
/// # Errors
///
/// [`FromThreadError`] says why there is no value. A host that is cancelled already, or has given the thread up,
/// lets the future give what is ready, and interrupts it where it waits.
///
/// # Panics
///
/// A panic of `future` is resumed here.
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// # use anyrt_sim::Sim;
/// # use anyrt_core::from_thread::{FromThreadError, block_on};
/// # use anyrt_core::{move_on_after, now, sleep, to_thread};
/// # anyrt_core::run(&Sim::default(), async {
/// let minute = Duration::from_secs(60);
/// let call = to_thread::<Sim, _, _>(move || {
///     let name = String::from("borrowed");
///     let length = block_on::<Sim, _>(async {
///         sleep::<Sim>(minute).await; // virtual time goes on while the thread waits
///         name.len()
///     });
///     assert_eq!(length, Ok(8));
///     block_on::<Sim, _>(sleep::<Sim>(60 * minute))
/// });
/// let start = now::<Sim>();
/// let late = move_on_after::<Sim, _>(2 * minute, call).await;
/// assert!(matches!(late, Some(Err(FromThreadError::Cancelled(_)))));
/// assert_eq!(now::<Sim>() - start, 2 * minute);
/// # });
/// ```
pub fn block_on<B: Backend, F: Future>(future: F) -> Result<F::Output, FromThreadError> {
    let worker = worker()?;
    let (backend, shared) = worker.home::<B>().ok_or(FromThreadError::NoWorker)?;
    let host = worker.node();
    let _outpost = host.home.is_none().then(|| Outpost::new(backend, shared));
    visit(backend, shared, host, future).map_err(|farewell| match farewell {
        Farewell::Cancelled(reason) => FromThreadError::Cancelled(reason),
        Farewell::RunEnded => FromThreadError::RunEnded,
    })
}

/// Says whether the caller of this thread is cancelled, or has given it up.
///
/// A thread cannot be interrupted. One that computes for a long time asks this now and then, and returns early. On the
/// simulator others get a turn here.
///
/// # Errors
///
/// [`FromThreadError::Cancelled`] if so, with the reason; the other kinds as for [`block_on`].
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// # use anyrt_sim::Sim;
/// # use anyrt_core::from_thread::check_cancelled;
/// # use anyrt_core::{CancelScope, to_thread};
/// # anyrt_core::run(&Sim::default(), async {
/// let scope = CancelScope::<Sim>::new();
/// let handle = scope.clone();
/// let call = to_thread::<Sim, _, _>(move || {
///     for step in 0.. {
///         if check_cancelled::<Sim>().is_err() {
///             return step;
///         }
///         if step == 2 {
///             handle.cancel();
///         }
///     }
///     unreachable!()
/// });
/// assert_eq!(scope.run(call).await, Ok(3));
/// # });
/// ```
pub fn check_cancelled<B: Backend>() -> Result<(), FromThreadError> {
    let worker = worker()?;
    let (backend, shared) = worker.home::<B>().ok_or(FromThreadError::NoWorker)?;
    // Where threads go on one at a time, whoever is going to cancel needs a turn.
    backend.block_on(checkpoint(), None);
    if shared.has_ended() {
        return Err(FromThreadError::RunEnded);
    }
    let node = worker.node();
    // Who has heard of a cancellation is to find that it is cancelled in `block_on`, too.
    node.attach();
    node.bring_down();
    if node.is_effectively_cancelled() {
        return Err(FromThreadError::Cancelled(node.cause()));
    }
    match node.passed_limit(backend.now()) {
        Some(reason) => Err(FromThreadError::Cancelled(reason)),
        None => Ok(()),
    }
}

/// Runs `wait`, in which this thread may wait for another part of the program by means that are not ours: a lock or a
/// channel of `std`, the end of a thread.
///
/// Elsewhere it only calls `wait`. On the simulator calls go on one at a time, and one that waits like that would keep
/// its turn for ever; here it gives it back. When it goes on is then up to the machine and not to the seed, so
/// [`block_on`] is better where that will do.
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// # use anyrt_core::{from_thread, to_thread};
/// # anyrt_core::run(&Sim::default(), async {
/// let (send, receive) = std::sync::mpsc::channel();
/// let waits = to_thread::<Sim, _, _>(move || {
///     from_thread::wait_outside::<Sim, _>(|| receive.recv())
/// });
/// std::thread::spawn(move || send.send("a value"));
/// assert_eq!(waits.await, Ok("a value"));
/// # });
/// ```
pub fn wait_outside<B: Backend, R>(wait: impl FnOnce() -> R) -> R {
    B::wait_outside(wait)
}

fn worker() -> Result<Arc<Worker>, FromThreadError> {
    if place::is_inside() {
        return Err(FromThreadError::OwnThread);
    }
    worker::current().ok_or(FromThreadError::NoWorker)
}

/// Why a thread cannot get at whoever has called into it.
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// use anyrt_core::from_thread::{FromThreadError, block_on};
///
/// let nowhere = block_on::<Sim, _>(async { 7 });
/// assert_eq!(nowhere, Err(FromThreadError::NoWorker));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FromThreadError {
    /// The thread runs no call of [`to_thread`](crate::to_thread).
    NoWorker,
    /// A scope around the caller was cancelled, or the caller has given the call up.
    Cancelled(Reason),
    /// The run of the caller has ended.
    RunEnded,
    /// The thread is polling a future of ours; there one awaits instead of blocking.
    OwnThread,
}

impl fmt::Display for FromThreadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWorker => f.write_str("this thread runs no call of `to_thread`"),
            Self::Cancelled(reason) => write!(f, "the caller of this thread is gone: {reason}"),
            Self::RunEnded => f.write_str("the run of this thread's caller has ended"),
            Self::OwnThread => f.write_str(
                "a future is being polled on this thread; await there instead of blocking",
            ),
        }
    }
}

impl Error for FromThreadError {}

/// A task that sees a runtime end in which there is no run of ours that would.
struct Outpost(Arc<Signal>);

impl Outpost {
    fn new<B: Backend>(backend: &B, shared: &Arc<Shared>) -> Self {
        struct Watch(Option<Arc<Shared>>);
        impl Drop for Watch {
            fn drop(&mut self) {
                if let Some(shared) = self.0.take() {
                    shared.end();
                }
            }
        }
        impl Watch {
            fn relieve(mut self) {
                self.0 = None;
            }
        }
        let relief = Arc::<Signal>::default();
        let watch = Watch(Some(shared.clone()));
        let sees = relief.clone();
        drop(backend.spawn(async move {
            sees.wait().await;
            watch.relieve();
        }));
        Self(relief)
    }
}

impl Drop for Outpost {
    fn drop(&mut self) {
        self.0.come();
    }
}
