//! A whole backend to copy from: a toy runtime with a thread for every task, on nothing but `std`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::mem::replace;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Instant;

use anyrt_core::{Backend, Join};

/// Describes a runtime to start, or with a value stands for a live one.
#[derive(Clone, Debug, Default)]
pub struct Threads(Option<Arc<Runtime>>);

impl Backend for Threads {
    type Task<T: Send + 'static> = Task<T>;
    type Sleep = Sleep;

    fn name(&self) -> &'static str {
        "threads"
    }

    fn current() -> Option<Self> {
        // While a thread ends its thread-locals are gone, and destructors may still ask.
        let runtime = CURRENT.try_with(|current| current.borrow().clone());
        Some(Self(Some(runtime.ok()??)))
    }

    fn run<F: Future>(&self, main: F) -> F::Output {
        let runtime = Arc::new(Runtime::default());
        let _inside = Inside::new(&runtime);
        let _end = End(&runtime);
        // `drive` drops `main` too, so before the end, also when it panics.
        drive(main, Signal::new(), || false).expect("nobody gives up `main`")
    }

    #[track_caller]
    fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let signal = Signal::new();
        let member = Member::join(self.live(), signal.0.clone());
        Task::start(member, move |member| {
            let _inside = Inside::new(&member.runtime);
            drive(future, signal, || member.runtime.lock().has_ended)
        })
    }

    #[track_caller]
    fn spawn_blocking<T, F>(&self, call: F) -> Task<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        // No member: the end does not wait for calls.
        let here = (!self.live().lock().has_ended).then_some(());
        Task::start(here, |()| Some(call()))
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, at: Instant) -> Sleep {
        Sleep { at, timer: None }
    }
}

impl Threads {
    #[track_caller]
    fn live(&self) -> Arc<Runtime> {
        match self.0.clone().or_else(|| Self::current()?.0) {
            Some(runtime) => runtime,
            None => panic!("this thread is in no runtime; call this inside of `run`"),
        }
    }
}

/// A live runtime, until and after its end.
#[derive(Debug, Default)]
pub struct Runtime {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    has_ended: bool,
    last_number: u64,
    /// By number. The wakers are ours, so they may be woken and dropped under the lock; foreign ones may not.
    tasks: BTreeMap<u64, Waker>,
}

impl Runtime {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Runtime>>> = const { RefCell::new(None) };
}

/// Makes a runtime the current one of this thread, and on drop the one before it.
struct Inside(Option<Arc<Runtime>>);

impl Inside {
    fn new(runtime: &Arc<Runtime>) -> Self {
        Self(CURRENT.replace(Some(runtime.clone())))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// Ends the runtime on drop, and waits until its futures are gone.
struct End<'a>(&'a Runtime);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.has_ended = true;
        state.tasks.values().for_each(Waker::wake_by_ref);
        let are_left = |state: &mut State| !state.tasks.is_empty();
        drop(self.0.changed.wait_while(state, are_left));
    }
}

/// A task that the end waits for; dropping it signs off.
struct Member {
    runtime: Arc<Runtime>,
    number: u64,
}

impl Member {
    /// `None` if the runtime has ended.
    fn join(runtime: Arc<Runtime>, waker: Waker) -> Option<Self> {
        let mut state = runtime.lock();
        if state.has_ended {
            return None;
        }
        state.last_number += 1;
        let number = state.last_number;
        state.tasks.insert(number, waker);
        drop(state);
        Some(Self { runtime, number })
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.runtime.lock().tasks.remove(&self.number);
        self.runtime.changed.notify_all();
    }
}

/// What one thread waits with: to wake it is to put a message into a channel that has room for one.
struct Signal(Waker, mpsc::Receiver<()>);

impl Signal {
    fn new() -> Self {
        struct Send(mpsc::SyncSender<()>);
        impl Wake for Send {
            fn wake(self: Arc<Self>) {
                // An error says that it is woken already, or over.
                let _ = self.0.try_send(());
            }
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        Self(Arc::new(Send(sender)).into(), receiver)
    }
}

/// Polls `future` on this thread until it is ready, or is to be given up.
fn drive<F: Future>(future: F, signal: Signal, is_over: impl Fn() -> bool) -> Option<F::Output> {
    let mut future = pin!(future);
    while !is_over() {
        let mut cx = Context::from_waker(&signal.0);
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
        let _ = signal.1.recv();
    }
    None
}

/// The handle, which shares the place of the output with the thread: so a drop detaches, and an output that
/// nobody takes is dropped by the last of the two.
#[derive(Debug)]
pub struct Task<T>(Arc<Mutex<Progress<T>>>);

/// How far a task is, for its handle.
#[derive(Debug)]
pub enum Progress<T> {
    /// With the waker of whoever waits for it.
    Running(Option<Waker>),
    /// With a panic, an output, or nothing if the runtime ended before there was one.
    Over(thread::Result<Option<T>>),
    /// It has been awaited, or the handle was dropped.
    Taken,
}

impl<T: Send + 'static> Task<T> {
    /// Runs `work` on a thread of its own, which keeps `place` until all is done; without a place, drops it.
    #[track_caller]
    fn start<P, F>(place: Option<P>, work: F) -> Self
    where
        P: Send + 'static,
        F: FnOnce(&P) -> Option<T> + Send + 'static,
    {
        let Some(place) = place else {
            drop(work);
            return Self(Arc::new(Mutex::new(Progress::Over(Ok(None)))));
        };
        let progress = Arc::new(Mutex::new(Progress::Running(None)));
        let task = Self(progress.clone());
        thread::spawn(move || {
            // Made anew here, since locals are dropped in reverse order: the place goes last.
            let (place, progress) = (place, progress);
            let result = catch_unwind(AssertUnwindSafe(|| work(&place)));
            let before = replace(&mut *lock(&progress), Progress::Over(result));
            if let Progress::Running(Some(waker)) = before {
                waker.wake();
            }
        });
        task
    }
}

impl<T> Future for Task<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        // Wakers are foreign code: cloned before the lock is taken, and the old one is dropped after it.
        let waker = cx.waker().clone();
        let mut progress = lock(&self.0);
        let before = replace(&mut *progress, Progress::Taken);
        if let Progress::Running(_) = before {
            *progress = Progress::Running(Some(waker));
        }
        drop(progress);
        match before {
            Progress::Running(_) => Poll::Pending,
            Progress::Over(Ok(output)) => Poll::Ready(output),
            Progress::Over(Err(panic)) => resume_unwind(panic),
            Progress::Taken => panic!("a task was polled after it was ready"),
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        // Nobody waits any more. What is taken out is dropped after the lock was given back.
        let before = replace(&mut *lock(&self.0), Progress::Taken);
        drop(before);
    }
}

impl<T: Send + 'static> Join<T> for Task<T> {
    fn is_finished(&self) -> bool {
        !matches!(*lock(&self.0), Progress::Running(_))
    }
}

/// A timer: the clock decides, and a thread that waits does the waking.
#[derive(Debug)]
pub struct Sleep {
    at: Instant,
    /// Nothing is sent. When the timer is dropped, the thread sees this end of the channel go, and ends too.
    timer: Option<(Task<()>, mpsc::Sender<()>)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let left = self.at.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Poll::Ready(());
        }
        let (thread, _) = self.timer.get_or_insert_with(|| {
            let (sender, dropped) = mpsc::channel::<()>();
            let wait = move |_: &()| dropped.recv_timeout(left).err().map(drop);
            (Task::start(Some(()), wait), sender)
        });
        Pin::new(thread).poll(cx).map(drop)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn main() {
    let sum = anyrt_core::run(&Threads::default(), async {
        let group =
            anyrt_core::task_group::<Threads, _, std::num::ParseIntError, _, _>(async |g| {
                let a = g.spawn(async { "20".parse::<i32>() });
                let b = g.spawn(async { "22".parse::<i32>() });
                Ok(a.await + b.await)
            });
        group.await
    });
    assert_eq!(sum, Ok(42));
}
