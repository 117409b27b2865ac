//! Spawned tasks: how they come in, and how they sign off.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use anyrt_core::AsyncTask;
use async_task::Builder;

use crate::simulation::{Phase, Simulation};

/// Starts `future` as a task, or drops it if the simulation has ended.
pub(crate) fn spawn<F>(simulation: &Arc<Simulation>, future: F) -> AsyncTask<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let member = Member::new(simulation);
    let number = member.number;
    let future = Contained::new(future, member);
    let waking = Arc::clone(simulation);
    let (runnable, task) = Builder::new().propagate_panic(true).spawn(
        move |()| future,
        move |runnable| waking.push(number, runnable),
    );

    let mut state = simulation.lock();
    if state.phase == Phase::Ended {
        drop(state);
        drop(runnable);
    } else {
        // Known and queued in one step: the end finds every task that got in.
        state.tasks.insert(number, runnable.waker());
        state.queue.push_task(number, runnable);
        simulation.notify(&state);
    }
    task.into()
}

/// A task's entry in the list of those alive; dropping it signs off.
#[derive(Debug)]
struct Member {
    simulation: Arc<Simulation>,
    number: u64,
}

impl Member {
    fn new(simulation: &Arc<Simulation>) -> Self {
        let mut state = simulation.lock();
        let number = state.next_task;
        state.next_task += 1;
        drop(state);
        Self {
            simulation: Arc::clone(simulation),
            number,
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut state = self.simulation.lock();
        let waker = state.tasks.remove(&self.number);
        state.queue.forget(self.number);
        drop(state);
        // Outside of the lock, since the last waker of a task may schedule it once more.
        drop(waker);
    }
}

/// A future whose destructor does not panic. `then` is dropped after it.
///
/// `async_task` aborts the process when a destructor panics. In a simulation that would take all other
/// tests with it, so the future is dropped here first: at its end the panic becomes the panic of the
/// task, otherwise there is nobody left to tell and it goes no further.
pub(crate) struct Contained<F, G> {
    future: Option<Pin<Box<F>>>,
    _then: G,
}

impl<F, G> Contained<F, G> {
    pub(crate) fn new(future: F, then: G) -> Self {
        Self {
            future: Some(Box::pin(future)),
            _then: then,
        }
    }
}

impl<F: Future, G: Unpin> Future for Contained<F, G> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let future = self.future.as_mut().expect("polled after its end");
        let output = ready!(future.as_mut().poll(cx));
        self.future = None;
        Poll::Ready(output)
    }
}

impl<F, G> Drop for Contained<F, G> {
    fn drop(&mut self) {
        let future = self.future.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(future)));
    }
}
