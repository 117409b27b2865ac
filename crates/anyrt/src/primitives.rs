//! Which one when: what tasks and threads wait for each other with.
//!
//! None of it needs a runtime, or groups of this crate. [`Event`] and [`Limiter`] are of this crate. The other ones in
//! [`sync`](crate::sync) are those of `async-lock`, and the queues in [`channel`] those of `async-channel`.
//!
//! | wanted                                       | take                                 | blocking form                    |
//! |----------------------------------------------|--------------------------------------|----------------------------------|
//! | to say once that something has happened      | [`Event`]                            | `wait_blocking`                  |
//! | to hand items on                             | [`channel`]                          | `send_blocking`, `recv_blocking` |
//! | to have the value of a task                  | its handle, `PortalTask` in a thread | `PortalTask::wait`               |
//! | to guard what is changed without an `.await` | `std::sync::Mutex`                   | it is one                        |
//! | to guard what is changed across an `.await`  | [`Mutex`]                            | `lock_blocking`                  |
//! | the same with many readers                   | [`RwLock`]                           | `read_blocking`, ..              |
//! | to bound how many do something at once       | [`Limiter`]                          | none, see below                  |
//! | to count permits that others make or use up  | [`Semaphore`]                        | `acquire_blocking`               |
//! | to begin together                            | [`Barrier`]                          | `wait_blocking`                  |
//! | to make a value when it is first needed      | [`OnceCell`]                         | `get_or_init_blocking`           |
//!
//! A `Limiter` gives its tokens to those who asked first, can be made larger and smaller, knows borrowers and says how
//! it is used; [`to_thread`](crate::to_thread) takes one. A `Semaphore` is less: whoever comes by may overtake those
//! who wait. Permits can be added to it, and forgotten.
//!
//! # When a wait is cancelled
//!
//! A wait is a future like any other. It is polled, so what is ready wins: in a cancelled scope a lock that is free is
//! taken, and an item that is there is received. If it has to wait it is dropped. Nothing that was taken is lost with
//! it:
//!
//! - `recv` takes an item or none. `send` owns its item while it waits for room, and drops it; keep a clone where that
//!   matters, or put a [`shield`](crate::shield) around it.
//! - Whoever gives up waiting for a lock or a permit leaves the queue, and wakes the next one if it was its turn.
//! - If `get_or_init` is dropped, the next one who waits makes the value.
//! - `Barrier` is the exception: whoever gives up has come, and is counted. Do not put a time limit around it.
//!
//! A guard goes where its body is cut. So what it guards has to make sense at each `.await`, or a `shield` goes around
//! the part in which it does not.
//!
//! Whoever waits for a lock or holds it has to be polled, or all others wait as well: a *futurelock*. Children and body
//! of a group always are, whatever they await; branches of a `select!` over `&mut future` are not. The
//! [`guide`](crate::guide) has more of that.
//!
//! # In threads
//!
//! *In a closure of `to_thread`*, let [`from_thread::block_on`](crate::from_thread::block_on) wait, for any of these:
//! it hears when the caller is cancelled and when the run ends, and it lends its token meanwhile.
//!
//! ```
//! use std::time::Duration;
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
//! *A thread that no runtime knows* takes the blocking form, or calls the future through a [`Portal`](crate::Portal).
//! Nothing ends a blocking form but what it waits for.
//!
//! ```
//! use std::sync::Arc;
//! use anyrt::sync::Event;
//! use anyrt::{channel, start_portal};
//!
//! for name in anyrt::available() {
//!     let portal = start_portal(*name);
//!     let (answers, received) = channel::bounded(1);
//!     let ready = Arc::new(Event::new());
//!     let begin = ready.clone();
//!     let task = portal.spawn(async move {
//!         begin.wait().await;
//!         answers.send("from a task").await
//!     });
//!     ready.set();
//!     assert_eq!(received.recv_blocking(), Ok("from a task"));
//!     assert_eq!(task.wait(), Ok(Ok(())));
//! }
//! ```
//!
//! *Where futures are polled*, neither: the thread stands still, and with it all that it would have polled.
//!
//! # On the simulator
//!
//! A thread that waits in `from_thread::block_on`, [`Portal::call`](crate::Portal::call) or
//! [`PortalTask::wait`](crate::PortalTask::wait) is known to wait: virtual time goes on meanwhile, and to wait for ever
//! is a deadlock that is reported. In a blocking form a thread of `to_thread` looks like one that computes:
//! nothing else goes on, and after a while the run is given up; there is
//! [`wait_outside`](crate::from_thread::wait_outside) for that. Of a thread that no runtime knows nothing is seen: a task that
//! awaits what only that thread can give is reported as deadlocked.
//!
//! [`Barrier`]: crate::sync::Barrier
//! [`Event`]: crate::sync::Event
//! [`Limiter`]: crate::Limiter
//! [`Mutex`]: crate::sync::Mutex
//! [`OnceCell`]: crate::sync::OnceCell
//! [`RwLock`]: crate::sync::RwLock
//! [`Semaphore`]: crate::sync::Semaphore
//! [`channel`]: crate::channel
