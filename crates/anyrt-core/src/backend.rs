//! The seam: the few things a runtime has to offer so that everything else can be written once.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::observe::Observer;
use crate::park;

/// A runtime that groups, scopes and threads can run on.
///
/// A value of the type stands for one runtime: a live one ([`current`](Backend::current)), or one that
/// [`run`](Backend::run) is going to start. The latter, used for anything but `run`, stands for the runtime of
/// the calling thread, and may panic there if there is none. All promises of this crate are built on the items below, and
/// on nothing else. Dispatch is static, so a program with one backend pays nothing for the seam.
///
/// What a backend need *not* do: catch panics for the core (children catch their own), cancel anything,
/// or know about groups, scopes and limits.
///
/// Every item says what holds when a handle is dropped, when something panics, on which threads it may be
/// called, and after the runtime has ended. The crate `anyrt-conformance` has all of it as tests that run on any
/// backend: `anyrt_conformance::suite!(MyBackend::default());` makes one test of each promise.
///
/// # Examples
///
/// A whole backend, with a thread for every task; `main` runs a group on it. Worth a look:
///
/// - `spawn` is never late for the end: a task is counted (`Member::join`) before its thread starts, under the
///   lock under which the runtime ends. Either the end waits for it, or it is refused and dropped.
/// - `Task` shares the place of the output with the thread. That alone makes a dropped handle detach, keeps a
///   panic where it is until somebody awaits, and drops an output that nobody wants.
/// - `End` stands in a destructor, so a panic of `main` takes the same way out. It waits for futures, not for
///   blocking calls.
/// - `Sleep` asks the clock whether it is over; the thread behind it only wakes.
/// - No lock is held where foreign code runs: wakers, outputs and futures are woken and dropped outside.
///
/// ```
#[doc = include_str!("../examples/worked_backend.rs")]
/// ```
pub trait Backend: Clone + Send + Sync + fmt::Debug + 'static {
    /// The handle of a spawned future or of a blocking call.
    ///
    /// Dropping it *detaches*: the work goes on, also a blocking call that has not begun yet.
    /// It may be awaited and dropped on any thread and inside any executor, also after its runtime has ended.
    type Task<T: Send + 'static>: Join<T>;

    /// The future behind [`sleep_until`](Backend::sleep_until).
    ///
    /// It may be polled on any thread while its runtime lives, and be dropped at any time. Polled after its
    /// runtime has ended it may panic, or never be ready.
    type Sleep: Future<Output = ()> + Send + 'static;

    /// The name that users write: `"tokio"`, `"async-std"`, `"smol"`, `"sim"`.
    ///
    /// May be called from any thread, also after the runtime has ended.
    fn name(&self) -> &'static str;

    /// The runtime at this place; a runtime that is global is at every place.
    ///
    /// Must be `Some` in every future that the runtime polls or drops: the main future of
    /// [`run`](Backend::run) and everything spawned. It must not start a runtime and must not guess.
    ///
    /// May be called on any thread, also on one that is exiting, and must not panic there.
    fn current() -> Option<Self>;

    /// The runtime at this place, if this thread can be seen to be inside it.
    ///
    /// Asked where several backends are compiled in, to tell which one is meant; a global runtime is not
    /// in sight everywhere. The same threads as for [`current`](Backend::current).
    fn in_sight() -> Option<Self> {
        Self::current()
    }

    /// Starts a runtime as described by `self` and drives `main` on the calling thread to its end.
    ///
    /// When it returns, the runtime has stopped and the futures left in it have been dropped, on a
    /// runtime that is not global. Running blocking calls are not waited for. A panic of `main` is
    /// resumed here after the same shutdown. One value may be run any number of times.
    ///
    /// A call from a thread that is driving a runtime already may panic; the core rules out the case that one of
    /// its own futures is being polled. What a value does that is live already is up to the backend.
    fn run<F: Future>(&self, main: F) -> F::Output;

    /// Starts `future` as a task of its own, and never waits.
    ///
    /// May be called from any thread. The future is polled at least once, unless the runtime ends
    /// first. If the runtime has ended, the future is dropped and the handle resolves to `None`.
    /// A panic of the future stays inside the task and is resumed where the handle is awaited; with
    /// the handle dropped it goes no further. The future is dropped before its output can be had, and the output
    /// of a task whose handle was dropped is dropped as soon as there is one.
    fn spawn<F>(&self, future: F) -> Self::Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static;

    /// Runs `call` on a thread where it may block.
    ///
    /// The same contract as [`spawn`](Backend::spawn). How many calls run at once is up to the runtime
    /// (the core brings its own limit); those above that wait in order. One that runs when the runtime ends goes
    /// on to its end, and its handle gives the value.
    fn spawn_blocking<T, F>(&self, call: F) -> Self::Task<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static;

    /// Drives `future` on the calling thread, which is none of the runtime's own, and blocks it meanwhile; gives up
    /// after `patience`, and `None` then.
    ///
    /// Asked on threads of [`spawn_blocking`](Backend::spawn_blocking), and on others that the runtime need not
    /// know. Tasks and timers go on in the runtime, and are what wakes the future. A panic of the future goes up to the
    /// caller. `patience` is real time, but for threads that live in the virtual time of their runtime.
    ///
    /// The default parks the thread. A runtime brings its own if it has to know which threads are at work and which
    /// wait, since its clock stands still or only one goes on at a time; to be woken and to be at work are one step then.
    fn block_on<F: Future>(&self, future: F, patience: Option<Duration>) -> Option<F::Output> {
        park::block_on(future, patience)
    }

    /// Runs `wait`, in which this thread may wait for another part of the program by means that no runtime sees: a lock
    /// or a channel of `std`, the end of a thread, another runtime.
    ///
    /// Of interest only to a runtime whose threads of [`spawn_blocking`](Backend::spawn_blocking) go on one at a time: it
    /// lets others go on meanwhile. May be called on any thread.
    fn wait_outside<R>(wait: impl FnOnce() -> R) -> R {
        wait()
    }

    /// The time on this runtime's clock, which may be virtual. It never goes backwards.
    ///
    /// May be called from any thread, also after the runtime has ended. Like [`sleep_until`](Backend::sleep_until), it must
    /// not poll, drop or begin anything of this crate's.
    fn now(&self) -> Instant;

    /// A future that is ready once [`now`](Backend::now) has reached `at`, never before.
    ///
    /// Creating one is cheap; a timer need not be armed before the first poll. May be called from any thread.
    ///
    /// # Panics
    ///
    /// If the runtime has no timers, with a message that says how to enable them. After the runtime has ended it
    /// may panic, too.
    fn sleep_until(&self, at: Instant) -> Self::Sleep;

    /// From now on something outside of this runtime is at work, or no longer, that may yet wake its tasks: another
    /// runtime, or a program that is not async.
    ///
    /// Of interest only to runtimes with virtual time, which stands still meanwhile. It may be called from any thread,
    /// also after the runtime has ended. A thread that waits in [`block_on`](Backend::block_on), and is none of
    /// [`spawn_blocking`](Backend::spawn_blocking), stands for one such thing that is not at work.
    fn outside_is_busy(&self, is_busy: bool) {
        let _ = is_busy;
    }

    /// Wakes `waker` once when nothing can go on but by the passing of time; says whether the runtime can know that.
    ///
    /// That is: nothing that was woken is yet to be polled, and no thread that the runtime knows of is busy. With
    /// virtual time it comes before the clock moves. A runtime that says no forgets the waker. May be called from
    /// any thread; after the runtime has ended the waker is never woken.
    fn wake_when_idle(&self, waker: Waker) -> bool {
        drop(waker);
        false
    }

    /// Whether the running task may go on without giving way to others.
    ///
    /// For runtimes with cooperative budgets; a loop over many ready futures asks it between two. Where nothing is
    /// polled, the answer means nothing.
    fn has_budget(&self) -> bool {
        true
    }

    /// Who hears of what happens in a run; asked once, when its outermost group begins.
    ///
    /// For runtimes that keep a record of their runs, as a simulator does. With nobody to hear, nothing is told and
    /// nothing is paid. May be called from any thread where [`current`](Self::current) gives this runtime.
    fn observer(&self) -> Option<Arc<dyn Observer>> {
        None
    }
}

/// The handle of a task: gives its output, or `None` if the runtime ended before there was one.
///
/// Not to be polled again after it is ready.
pub trait Join<T>: Future<Output = Option<T>> + Send + Unpin + 'static {
    /// Whether the task has ended, with or without an output.
    fn is_finished(&self) -> bool;
}
