//! What tasks and threads wait for each other with, and which one is for what.
//!
//! None of it needs a runtime or this crate's groups. [`Event`] is of this crate; the rest are those of `async-lock`, and the
//! queues those of `async-channel`, in [`channel`](crate::channel).
//!
//! | wanted                                        | take                                 | blocking form                         |
//! |-----------------------------------------------|--------------------------------------|---------------------------------------|
//! | to say once that something has happened       | [`Event`]                            | `wait_blocking`                       |
//! | to hand items on                              | [`channel`](crate::channel)          | `send_blocking`, `recv_blocking`      |
//! | to have the value of a task                   | its handle, `PortalTask` in a thread | `PortalTask::wait`                    |
//! | to guard what is changed without an `.await`  | `std::sync::Mutex`                   | it is one                             |
//! | to guard what is changed across an `.await`   | [`Mutex`]                            | `lock_blocking`                       |
//! | the same with many readers                    | [`RwLock`]                           | `read_blocking`, `write_blocking`     |
//! | to bound how many do something at once        | [`Limiter`](crate::Limiter)          | none; by `from_thread::block_on`      |
//! | to count permits that others make or use up   | [`Semaphore`]                        | `acquire_blocking`                    |
//! | to begin together                             | [`Barrier`]                          | `wait_blocking`                       |
//! | to make a value when it is first needed       | [`OnceCell`]                         | `get_or_init_blocking`                |
//!
//! A `Limiter` gives its tokens to those who asked first, can be made larger and smaller, knows borrowers and says how it is
//! used; [`to_thread`](crate::to_thread) takes one. A `Semaphore` is less: whoever comes by may overtake those who wait.
//! Permits can be added to it, and forgotten.
//!
//! # When a wait is cancelled
//!
//! A wait is a future like any other. It is polled, so what is ready wins: in a cancelled scope a lock that is free is
//! taken, and an item that is there is received. If it has to wait it is dropped. Nothing that was taken is lost with it:
//!
//! - `recv` takes an item or none. `send` owns its item while it waits for room, and drops it; keep a clone where that
//!   matters, or put a [`shield`](crate::shield) around it.
//! - Whoever gives up waiting for a lock or a permit leaves the queue, and wakes the next one if it was its turn.
//! - If `get_or_init` is dropped, the next one who waits makes the value.
//! - `Barrier` is the exception: whoever gives up has come, and is counted. Do not put a time limit around it.
//!
//! A guard goes where its body is cut. So what it guards has to make sense at each `.await`, or a `shield` goes around the
//! part in which it does not.
//!
//! Whoever waits for a lock or holds it has to be polled, or all others wait as well: a *futurelock*. Children and body of a
//! group always are, whatever they await; branches of a `select!` over `&mut future` are not. The [`guide`](crate::guide)
//! has more of that.
//!
//! # In threads
//!
//! *In a closure of `to_thread`*, let [`from_thread::block_on`](crate::from_thread::block_on) wait, for any of these: it hears
//! when the caller is cancelled and when the run ends, and it lends its token meanwhile.
//!
//! ```
//! use std::time::Duration;
//! use anyrt::sync::Event;
//! use anyrt::{channel, from_thread, move_on_after, to_thread};
//!
//! # #[cfg(feature = "sim")]
//! # anyrt::run_on(anyrt::Sim::default(), async {
//! let (jobs, queue) = channel::unbounded();
//! jobs.send(7).await.unwrap();
//! let worker = to_thread(move || {
//!     let mut done = Vec::new();
//!     while let Ok(Ok(job)) = from_thread::block_on(queue.recv()) {
//!         done.push(job);
//!     }
//!     done // the queue is closed, or the caller is cancelled
//! });
//! let done = move_on_after(Duration::from_secs(60), worker).await; // `jobs` is still there
//! assert_eq!(done, Some(vec![7]));
//! # });
//! ```
//!
//! *A thread that no runtime knows* takes the blocking form, or calls the waiting future through a
//! [`Portal`](crate::Portal). Nothing interrupts a blocking form but what it waits for.
//!
//! ```
//! use std::sync::Arc;
//! use anyrt::{channel, sync::Event};
//!
//! # #[cfg(feature = "sim")]
//! # anyrt::run_on(anyrt::Sim::default(), async {
//! let (answers, received) = channel::bounded(1);
//! let ready = Arc::new(Event::new());
//! let begin = ready.clone();
//! let thread = std::thread::spawn(move || {
//!     begin.wait_blocking();
//!     answers.send_blocking("from a thread").unwrap();
//! });
//! ready.set();
//! # thread.join().unwrap();
//! # let thread = std::thread::spawn(|| ());
//! assert_eq!(received.recv().await, Ok("from a thread"));
//! thread.join().unwrap();
//! # });
//! ```
//!
//! *Where futures are polled*, never: the thread stands still, and with it all that it would have polled.
//!
//! The simulator takes a thread that waits in a blocking form for one that computes. So virtual time stands still
//! meanwhile, and if nobody ever lets it go on, that is a hang, and no deadlock that is reported. A thread that waits in
//! `from_thread::block_on`, [`Portal::call`](crate::Portal::call) or [`PortalTask::wait`](crate::PortalTask::wait) is known to
//! wait.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

pub use async_lock::{
    Barrier, BarrierWaitResult, Mutex, MutexGuard, MutexGuardArc, OnceCell, RwLock,
    RwLockReadGuard, RwLockReadGuardArc, RwLockUpgradableReadGuard, RwLockUpgradableReadGuardArc,
    RwLockWriteGuard, RwLockWriteGuardArc, Semaphore, SemaphoreGuard, SemaphoreGuardArc,
};
use event_listener::{Listener, listener};

/// Something that happens once, and that any number of tasks and threads wait for.
///
/// Whoever comes later finds that it has happened, and does not wait. It cannot be taken back: for what happens again
/// there are queues. This is trio's and anyio's `Event`.
///
/// # Examples
///
/// ```
/// use anyrt::scoped_group;
/// use anyrt::sync::Event;
///
/// # #[cfg(feature = "sim")]
/// # anyrt::run_on(anyrt::Sim::default(), async {
/// let is_open = Event::new();
/// let group = scoped_group(async |g| {
///     let guests = [1, 2, 3].map(|guest| {
///         let is_open = &is_open;
///         g.spawn(async move {
///             is_open.wait().await;
///             Ok::<_, ()>(guest)
///         })
///     });
///     is_open.set();
///     let mut sum = 0;
///     for guest in guests {
///         sum += guest.await;
///     }
///     Ok(sum)
/// });
/// assert_eq!(group.await, Ok(6));
/// # });
/// ```
#[derive(Default)]
pub struct Event {
    is_set: AtomicBool,
    waiting: event_listener::Event,
}

impl Event {
    /// An event that has not happened yet.
    pub const fn new() -> Self {
        Self {
            is_set: AtomicBool::new(false),
            waiting: event_listener::Event::new(),
        }
    }

    /// Says that it has happened, and wakes all who wait.
    ///
    /// May be called from anywhere, and any number of times.
    pub fn set(&self) {
        if !self.is_set.swap(true, Ordering::SeqCst) {
            self.waiting.notify(usize::MAX);
        }
    }

    /// Whether it has happened.
    pub fn is_set(&self) -> bool {
        self.is_set.load(Ordering::SeqCst)
    }

    /// Waits until it has happened.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn wait(&self) {
        if !self.is_set() {
            listener!(self.waiting => happens);
            if !self.is_set() {
                happens.await;
            }
        }
    }

    /// Blocks this thread until it has happened.
    ///
    /// For threads that no runtime knows. In a closure of [`to_thread`](crate::to_thread) let
    /// [`from_thread::block_on`](crate::from_thread::block_on) wait, and where futures are polled, await.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt::sync::Event;
    ///
    /// static STARTED: Event = Event::new();
    /// let thread = std::thread::spawn(|| STARTED.set());
    /// STARTED.wait_blocking();
    /// assert!(STARTED.is_set());
    /// # thread.join().unwrap();
    /// ```
    pub fn wait_blocking(&self) {
        if !self.is_set() {
            listener!(self.waiting => happens);
            if !self.is_set() {
                happens.wait();
            }
        }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("is_set", &self.is_set())
            .finish_non_exhaustive()
    }
}
