//! An event of this crate, and the locks of the crate `async-lock`, for tasks and threads.
//!
//! Each waits in tasks of any runtime, and has a blocking form for threads. [`primitives`](crate::primitives) says
//! which one is for what.

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
