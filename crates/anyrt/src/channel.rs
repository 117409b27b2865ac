//! Queues between tasks, and between tasks and threads: those of the crate `async-channel`.
//!
//! Any number of senders and receivers, bounded or not. They need no runtime. Which of their verbs is for a thread, and
//! what a cancellation loses, is told at [`primitives`](crate::primitives).
//!
//! ```
//! use anyrt::{channel, task_group};
//!
//! # #[cfg(feature = "sim")]
//! # anyrt::run_on(anyrt::Sim::default(), async {
//! let group = task_group(async |g| {
//!     let (numbers, received) = channel::bounded(10);
//!     for n in 1..=100 {
//!         let numbers = numbers.clone();
//!         g.spawn(async move { Ok(numbers.send(n).await?) }); // waits while ten are there
//!     }
//!     drop(numbers); // when the last sender is gone, so is the queue
//!     let mut sum = 0;
//!     while let Ok(n) = received.recv().await {
//!         sum += n;
//!     }
//!     Ok::<_, channel::SendError<_>>(sum)
//! });
//! assert_eq!(group.await, Ok(5050));
//! # });
//! ```

pub use async_channel::{
    Closed, Receiver, Recv, RecvError, Send, SendError, Sender, TryRecvError, TrySendError,
    WeakReceiver, WeakSender, bounded, unbounded,
};
