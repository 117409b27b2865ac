//! Calls into threads on the current backend.

use crate::current::Current;

/// The future of [`to_thread`], and its options; see [`anyrt_core::ToThread`].
pub type ToThread<T, F> = anyrt_core::ToThread<Current, T, F>;

/// Runs `call` on a thread where it may block, and gives its value.
///
/// A running thread cannot be interrupted: a cancellation waits for it. All rules, and the options
/// `limiter` and `abandon_on_cancel`, are at [`anyrt_core::to_thread`].
///
/// # Panics
///
/// A panic of `call` is resumed where the call is awaited.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sim")]
/// # anyrt::run_on(anyrt::Sim::default(), async {
/// let files = anyrt::to_thread(|| std::fs::read_dir(".").map(|dir| dir.count())).await;
/// assert!(files.unwrap() > 0);
/// # });
/// ```
#[track_caller]
pub fn to_thread<T, F>(call: F) -> ToThread<T, F>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    anyrt_core::to_thread(call)
}

/// An iterator that goes on in threads; see [`anyrt_core::Iterate`].
pub type Iterate<I> = anyrt_core::Iterate<Current, I>;

/// The future of [`Iterate::next`](anyrt_core::Iterate::next).
pub type NextItem<'a, I> = anyrt_core::NextItem<'a, Current, I>;

/// Goes through an iterator that may block, on threads, and gives its items here.
///
/// Each item is fetched by a call of its own when it is asked for, with `next` or as a stream. All rules, and the
/// options `limiter` and `in_chunks_of`, are at [`anyrt_core::iterate_in_thread`].
///
/// # Panics
///
/// A panic of the iterator is resumed where its item is awaited.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sim")]
/// # anyrt::run_on(anyrt::Sim::default(), async {
/// let mut entries = anyrt::iterate_in_thread(std::fs::read_dir(".").unwrap()).in_chunks_of(100);
/// let mut count = 0;
/// while let Some(entry) = entries.next().await {
///     count += usize::from(entry.is_ok());
/// }
/// assert!(count > 0);
/// # });
/// ```
#[track_caller]
pub fn iterate_in_thread<I>(iterator: I) -> Iterate<I>
where
    I: Iterator + Send + 'static,
    I::Item: Send + 'static,
{
    anyrt_core::iterate_in_thread(iterator)
}

/// Calls from a thread back to whoever has called into it.
///
/// To spawn into a group no helper is needed: its handle may be sent into the thread, and `spawn` never waits.
///
/// ```
/// use anyrt::{from_thread, task_group, to_thread};
///
/// # #[cfg(feature = "sim")]
/// # anyrt::run_on(anyrt::Sim::default(), async {
/// let group = task_group(async |g| {
///     let there = g.clone();
///     let length = to_thread(move || {
///         let text = "read by a thread".to_owned(); // .. which blocks ..
///         let child = there.spawn(async move { Ok::<_, ()>(text.len()) });
///         from_thread::block_on(child)
///     });
///     Ok(length.await)
/// });
/// assert_eq!(group.await, Ok(Ok(16)));
/// # });
/// ```
pub mod from_thread {
    use std::future::Future;

    pub use anyrt_core::from_thread::FromThreadError;

    use crate::current::Current;

    /// Runs `future` for the caller of this thread, and blocks the thread until it is done.
    ///
    /// For closures given to [`to_thread`](crate::to_thread). A cancellation that the caller sees interrupts the
    /// future; all rules are at [`anyrt_core::from_thread::block_on`].
    ///
    /// # Errors
    ///
    /// [`FromThreadError`] says why there is no value: the caller was cancelled or has given the thread up, its run
    /// has ended, or the thread runs no call.
    ///
    /// # Panics
    ///
    /// A panic of `future` is resumed here.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use anyrt::{from_thread, sleep, to_thread};
    ///
    /// # #[cfg(feature = "sim")]
    /// # anyrt::run_on(anyrt::Sim::default(), async {
    /// let call = to_thread(|| {
    ///     let name = String::from("borrowed");
    ///     from_thread::block_on(async {
    ///         sleep(Duration::from_secs(1)).await;
    ///         name.len()
    ///     })
    /// });
    /// assert_eq!(call.await, Ok(8));
    /// # });
    /// ```
    pub fn block_on<F: Future>(future: F) -> Result<F::Output, FromThreadError> {
        anyrt_core::from_thread::block_on::<Current, F>(future)
    }

    /// Says whether the caller of this thread is cancelled, or has given it up.
    ///
    /// # Errors
    ///
    /// [`FromThreadError::Cancelled`] if so, with the reason; the other kinds as for [`block_on`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "sim")]
    /// # anyrt::run_on(anyrt::Sim::default(), async {
    /// let check = anyrt::to_thread(anyrt::from_thread::check_cancelled);
    /// assert_eq!(check.await, Ok(()));
    /// # });
    /// ```
    pub fn check_cancelled() -> Result<(), FromThreadError> {
        anyrt_core::from_thread::check_cancelled::<Current>()
    }
    /// Runs `wait`, in which this thread may wait for another part of the program by means that are not ours.
    ///
    /// Only the simulator needs it; see [`anyrt_core::from_thread::wait_outside`].
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt::{from_thread, to_thread};
    ///
    /// # #[cfg(feature = "sim")]
    /// # anyrt::run_on(anyrt::Sim::default(), async {
    /// let (send, receive) = std::sync::mpsc::channel();
    /// let waits = to_thread(move || from_thread::wait_outside(|| receive.recv()));
    /// let sends = async { send.send("a value").unwrap() };
    /// assert_eq!(futures::join!(waits, sends).0, Ok("a value"));
    /// # });
    /// ```
    pub fn wait_outside<R>(wait: impl FnOnce() -> R) -> R {
        anyrt_core::from_thread::wait_outside::<Current, R>(wait)
    }
}
