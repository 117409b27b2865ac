//! Calls into threads that may block.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::backend::Backend;
use crate::context::Carried;
use crate::default_limiter::default_thread_limiter;
use crate::guest::Guest;
use crate::here;
use crate::hold::Hold;
use crate::limiter::{Acquire, Limiter, Permit};
use crate::observe::{Ending, Wait, What};
use crate::place;
use crate::reason::Reason;
use crate::throw_away::{Payload, throw_away};
use crate::watch::waits;
use crate::worker::{self, Lent, Worker};

/// Runs `call` on a thread where it may block, and gives its value.
///
/// A token of a [`Limiter`] is taken first: of the run's own, which has 40, or of the one given by
/// [`limiter`](ToThread::limiter). A thread cannot be interrupted. So once `call` has its token, a cancellation
/// waits until it is done; the value is returned all the same, and the next `Pending` delivers. A call that is
/// cancelled before it has a token never runs. This is trio's `to_thread.run_sync`.
///
/// `call` inherits the [task-locals](crate::TaskLocal) that are set where it begins.
///
/// A thread that waits in [`from_thread::block_on`](crate::from_thread::block_on) lends its token to one call at a
/// time that it makes there, if that is for the same limiter. So calls within calls do not use the limiter up. Calls
/// that wait for each other in other ways (over a channel or a portal) can do that, and wait for ever; give them limiters
/// of their own.
///
/// # Cancel safety
///
/// If code that knows nothing of scopes drops a call whose thread is running, the enclosing group waits for
/// the thread, and gets its panic if there is one; the value is dropped.
///
/// A call that was polled once and then moved out of its group keeps that group open until somebody awaits or
/// drops it.
///
/// # Panics
///
/// A panic of `call` is resumed where the call is awaited. Panics when polled where there is no runtime, and
/// when the runtime ends before the thread was started.
///
/// # Backends
///
/// Runtimes bound their threads, too: tokio 512 for each runtime, smol and async-std 500 for the process, the
/// simulator not at all. Calls above that wait for a thread in order, with their tokens. A call within a call needs
/// a second thread while the first one waits, so keep the limiters' totals, times the depth, below that bound: where
/// every thread waits for one that is still to come, nothing goes on. Where that cannot be said beforehand, give the
/// inner call a time limit, and let it [`abandon_on_cancel`](ToThread::abandon_on_cancel).
///
/// On the simulator calls go on one at a time, in an order named by the seed. One that waits for another part of the
/// program lets others go on if it does so in [`from_thread`](crate::from_thread) or by a portal, and not if it does so by
/// a lock or a channel of `std`.
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// # anyrt_core::run(&Sim::default(), async {
/// let sum = anyrt_core::to_thread::<Sim, _, _>(|| (1..=100).sum::<u32>()).await;
/// assert_eq!(sum, 5050);
/// # });
/// ```
#[track_caller]
pub fn to_thread<B, T, F>(call: F) -> ToThread<B, T, F>
where
    B: Backend,
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    ToThread {
        limiter: None,
        on_cancel: OnCancel::Hold,
        caller: Location::caller(),
        stage: Stage::New(call),
    }
}

/// A call for somebody who holds by other means.
pub(crate) fn call_without_hold<B, T, F>(
    call: F,
    caller: &'static Location<'static>,
) -> ToThread<B, T, F>
where
    B: Backend,
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    ToThread {
        limiter: None,
        on_cancel: OnCancel::LeaveToGroup,
        caller,
        stage: Stage::New(call),
    }
}

/// What a cancellation does while the thread is running.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnCancel {
    /// It waits for the thread.
    Hold,
    /// It does not, but the enclosing group does.
    LeaveToGroup,
    /// Nobody does.
    Abandon,
}

/// The future of [`to_thread`], and its options.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct ToThread<B: Backend, T: Send + 'static, F> {
    limiter: Option<Limiter>,
    on_cancel: OnCancel,
    caller: &'static Location<'static>,
    stage: Stage<B, T, F>,
}

enum Stage<B: Backend, T: Send + 'static, F> {
    New(F),
    Waiting(F, Acquire),
    Running(B::Task<Parcel<T>>, Caller<B>),
    /// It has given its value, or it was cancelled before it began and is going to be dropped.
    Over,
}

impl<B: Backend, T: Send + 'static, F> ToThread<B, T, F> {
    /// Takes the token of this limiter instead of the run's own.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::{Limiter, to_thread};
    /// # anyrt_core::run(&Sim::default(), async {
    /// let one_at_a_time = Limiter::new(1);
    /// let answer = to_thread::<Sim, _, _>(|| 42).limiter(&one_at_a_time);
    /// assert_eq!(answer.await, 42);
    /// # });
    /// ```
    pub fn limiter(mut self, limiter: &Limiter) -> Self {
        self.limiter = Some(limiter.clone());
        self
    }

    /// Lets a cancellation leave at once and the thread go on alone, with its token until it ends.
    ///
    /// Nobody waits for the thread then, not even the run; its value is dropped, and so is its panic. Only for
    /// calls without effects that anybody relies on, such as a name look-up.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::{CancelScope, from_thread, now, to_thread};
    /// # anyrt_core::run(&Sim::default(), async {
    /// let (_keep, never) = std::sync::mpsc::channel::<()>();
    /// let lookup = move || from_thread::wait_outside::<Sim, _>(|| never.recv());
    /// let lookup = to_thread::<Sim, _, _>(lookup).abandon_on_cancel();
    /// let scope = CancelScope::<Sim>::new();
    /// scope.set_deadline(Some(now::<Sim>()));
    /// assert!(scope.run(lookup).await.is_err()); // does not wait for the thread
    /// # });
    /// ```
    pub fn abandon_on_cancel(mut self) -> Self {
        self.on_cancel = OnCancel::Abandon;
        self
    }

    /// Whether it has given its value, or was cancelled before it began.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// Whether its thread has been started, and its value is not taken yet.
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.stage, Stage::Running(..))
    }
}

impl<B, T, F> ToThread<B, T, F>
where
    B: Backend,
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    /// A token that is there already, or a wait for one.
    fn acquire(&mut self, call: F) -> Stage<B, T, F> {
        let limiter = self.limiter.take().unwrap_or_else(default_thread_limiter);
        if let Some(lent) = worker::lend(&limiter) {
            return self.start(call, Token::Lent { _token: lent }, limiter);
        }
        match limiter.try_acquire() {
            Some(permit) => self.start(call, Token::Own { _token: permit }, limiter),
            None => Stage::Waiting(call, limiter.acquire()),
        }
    }

    fn start(&mut self, call: F, token: Token, limiter: Limiter) -> Stage<B, T, F> {
        let Some(backend) = here::find_backend::<B>() else {
            panic!(
                "anyrt: there is no runtime for the thread of {}; {}",
                self.caller,
                here::ADVICE
            );
        };
        let here = place::node();
        let parcel = Parcel {
            result: None,
            guest: (self.on_cancel != OnCancel::Abandon).then(|| Guest::of(here.as_ref())),
        };
        let hold = here
            .clone()
            .filter(|_| self.on_cancel == OnCancel::Hold)
            .map(Hold::on);
        let worker = Worker::new(here, limiter, backend);
        if let Some(node) = worker.observed() {
            node.begins(What::Thread, None, Some(self.caller));
        }
        let carried = Carried::here();
        let there: Arc<Worker> = worker.clone();
        let job = move || {
            let mut parcel = parcel;
            let watched = there.observed().cloned();
            let call = || catch_unwind(AssertUnwindSafe(|| carried.run(call)));
            let polling = watched.as_ref().and_then(|node| node.polls());
            let result = worker::run(there, call);
            drop(polling);
            if let Some(node) = watched {
                node.ends(|| match &result {
                    Ok(_) => Ending::Value,
                    Err(_) => Ending::Panic,
                });
            }
            parcel.result = Some(result);
            // The token is back when the value arrives, and after an abandonment when the thread ends.
            drop(token);
            parcel
        };
        let task = worker.backend().spawn_blocking(job);
        let caller = Caller {
            worker: Some(worker),
            _hold: hold,
        };
        Stage::Running(task, caller)
    }
}

impl<B: Backend, T: Send + 'static, F> Unpin for ToThread<B, T, F> {}

impl<B, T, F> Future for ToThread<B, T, F>
where
    B: Backend,
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let this = &mut *self;
        loop {
            match std::mem::replace(&mut this.stage, Stage::Over) {
                Stage::New(call) => {
                    if here::is_cancelled::<B>() {
                        return Poll::Pending;
                    }
                    this.stage = this.acquire(call);
                }
                Stage::Waiting(call, mut acquire) => match Pin::new(&mut acquire).poll(cx) {
                    Poll::Ready(_) if here::is_cancelled::<B>() => return Poll::Pending,
                    Poll::Ready(permit) => {
                        let limiter = permit.limiter().clone();
                        this.stage = this.start(call, Token::Own { _token: permit }, limiter);
                    }
                    Poll::Pending => {
                        this.stage = Stage::Waiting(call, acquire);
                        return Poll::Pending;
                    }
                },
                Stage::Running(mut task, caller) => {
                    let Poll::Ready(parcel) = Pin::new(&mut task).poll(cx) else {
                        if let Some(worker) = &caller.worker {
                            waits(|| Wait::Thread(worker.node().id()));
                        }
                        this.stage = Stage::Running(task, caller);
                        return Poll::Pending;
                    };
                    caller.leave();
                    return Poll::Ready(match parcel.and_then(Parcel::open) {
                        Some(Ok(value)) => value,
                        Some(Err(payload)) => resume_unwind(payload),
                        None => panic!(
                            "anyrt: the runtime ended before the thread of {} was started",
                            this.caller
                        ),
                    });
                }
                Stage::Over => {
                    assert!(
                        here::is_cancelled::<B>(),
                        "anyrt: a call was polled after its end"
                    );
                    return Poll::Pending;
                }
            }
        }
    }
}

/// The side of a call that waits for the thread. Dropped before the thread is done, it gives that up, and the thread
/// can hear of it.
struct Caller<B: Backend> {
    /// `None` when the thread is done.
    worker: Option<Arc<Worker<B>>>,
    _hold: Option<Hold>,
}

impl<B: Backend> Caller<B> {
    fn leave(mut self) {
        let worker = self.worker.take();
        // Below it stands what the thread brings back.
        if let Some(node) = worker.as_ref().and_then(|worker| worker.made()) {
            node.retire_if_shared();
        }
    }
}

impl<B: Backend> Drop for Caller<B> {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            let node = worker.node();
            // If a scope around it is why, that is the reason.
            node.attach();
            node.cancel(&Reason::Dropped);
        }
    }
}

/// What a thread needs to run.
enum Token {
    Own {
        _token: Permit,
    },
    /// Of the thread that waits for it.
    Lent {
        _token: Lent,
    },
}

/// What comes back from the thread. If nobody takes it, a panic goes to the group that adopted the thread.
struct Parcel<T> {
    result: Option<Result<T, Payload>>,
    guest: Option<Guest>,
}

impl<T> Parcel<T> {
    fn open(mut self) -> Option<Result<T, Payload>> {
        self.result.take()
    }
}

impl<T> Drop for Parcel<T> {
    fn drop(&mut self) {
        // A runtime may abort if the value's destructor panics here.
        let payload = match self.result.take() {
            Some(Ok(value)) => catch_unwind(AssertUnwindSafe(|| drop(value))).err(),
            Some(Err(payload)) => Some(payload),
            None => None,
        };
        match (payload, &self.guest) {
            (Some(payload), Some(guest)) => guest.hand_over(payload),
            (payload, _) => throw_away(payload),
        }
    }
}

impl<B: Backend, T: Send + 'static, F> fmt::Debug for ToThread<B, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match self.stage {
            Stage::New(_) => "new",
            Stage::Waiting(..) => "waiting for a token",
            Stage::Running(..) => "running",
            Stage::Over => "over",
        };
        f.debug_struct("ToThread")
            .field("stage", &stage)
            .finish_non_exhaustive()
    }
}
