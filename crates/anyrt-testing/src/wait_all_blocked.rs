//! Waiting until everything else waits.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use anyrt_core::Backend;
use atomic_waker::AtomicWaker;

/// Waits until every other task waits, and nothing but the passing of time would bring one further.
///
/// This is `wait_all_tasks_blocked` of trio and anyio. A test uses it where it would otherwise sleep "long enough": the
/// tasks have gone as far as they can, so now the test looks at what they have done, or does what they wait for. Time
/// does not move meanwhile. What waits for a timer counts as waiting, and so does a thread that waits for a task. A
/// thread that computes is waited for, and for a task that wakes itself over and over this waits for ever.
///
/// Several tasks may wait here. They go on together, as those do in trio that have given the same cushion. There is no
/// cushion here: it is the time that trio gives to what comes from outside, and nothing does in a simulation.
///
/// # Cancel safety
///
/// Nothing is lost when it is dropped.
///
/// # Panics
///
/// If there is no runtime at this place. When it is polled, if the runtime cannot know; the message says what to do.
///
/// # Backends
///
/// It needs the simulator, which knows exactly. The other runtimes have I/O and threads that may bring something at
/// any time, so there is no such moment, and a guess would make tests that fail now and then.
///
/// # Examples
///
/// ```
/// use anyrt_core::task_group;
/// use anyrt_sim::Sim;
/// use anyrt_testing::wait_all_blocked;
///
/// # anyrt_core::run(&Sim::default(), async {
/// let (sender, receiver) = async_channel::bounded(2);
/// let group = task_group::<Sim, _, _, _, _>(async |g| {
///     g.spawn_daemon(async move {
///         for item in 0.. {
///             sender.send(item).await?;
///         }
///         Ok(())
///     });
///     wait_all_blocked::<Sim>().await;
///     assert!(receiver.is_full()); // as far as it can go
///     Ok::<_, async_channel::SendError<i32>>(())
/// });
/// # group.await.unwrap();
/// # });
/// ```
#[track_caller]
pub fn wait_all_blocked<B: Backend>() -> WaitAllBlocked<B> {
    WaitAllBlocked {
        backend: anyrt_core::backend(),
        called_at: Location::caller(),
        call: None,
    }
}

/// The future of [`wait_all_blocked`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct WaitAllBlocked<B: Backend> {
    backend: B,
    called_at: &'static Location<'static>,
    /// Once it has been polled.
    call: Option<Arc<Call>>,
}

/// What the runtime wakes.
#[derive(Debug, Default)]
struct Call {
    has_come: AtomicBool,
    waiting: AtomicWaker,
}

impl<B: Backend> Unpin for WaitAllBlocked<B> {}

impl<B: Backend> Future for WaitAllBlocked<B> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self {
            backend,
            called_at,
            call,
        } = &mut *self;
        let call = call.get_or_insert_with(|| {
            let call = Arc::new(Call::default());
            assert!(
                backend.wake_when_idle(Waker::from(Arc::clone(&call))),
                "anyrt: `wait_all_blocked` was called on {} at {called_at}, which cannot know whether everything \
                 waits; run this test on the simulator, or wait for what you need to have happened",
                backend.name()
            );
            call
        });
        call.waiting.register(cx.waker());
        if call.has_come.load(Ordering::SeqCst) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl<B: Backend> Drop for WaitAllBlocked<B> {
    /// The runtime may call once more; by then there is nobody to wake.
    fn drop(&mut self) {
        if let Some(call) = &self.call {
            call.waiting.take();
        }
    }
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_come.store(true, Ordering::SeqCst);
        self.waiting.wake();
    }
}
