//! Ending a body from outside, after a given number of steps of its simulation.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use anyrt_core::{Backend, CancelScope};

use crate::simulation::Simulation;

/// How a body is ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// The scope around it is cancelled.
    Cancel,
    /// Its future is dropped.
    Drop,
}

/// Drives `body` to its end, or, after the step `at` of those that are taken from now on, to the end that is put to it.
/// Gives whether it came to that.
///
/// Nobody waits here for what a drop leaves behind.
pub(crate) async fn disturb<B, F>(
    simulation: &Arc<Simulation>,
    at: Option<u64>,
    how: How,
    body: F,
) -> bool
where
    B: Backend,
    F: Future<Output = ()>,
{
    let scope = CancelScope::<B>::new();
    let mut body = Some(Box::pin(scope.run(body)));
    let mut state = simulation.lock();
    // The step that is being taken counts as the first one.
    state.alarm = at.map(|at| state.queue.steps() + at - 1);
    drop(state);
    let mut is_disturbed = false;
    let mut has_begun = false;
    poll_fn(|cx| {
        // The alarm is taken back by the loop, which goes on here right after that.
        if has_begun && at.is_some() && !is_disturbed && simulation.lock().alarm.is_none() {
            is_disturbed = true;
            match how {
                How::Cancel => scope.cancel(),
                How::Drop => body = None,
            }
        }
        has_begun = true;
        match &mut body {
            Some(body) => body.as_mut().poll(cx).map(drop),
            None => Poll::Ready(()),
        }
    })
    .await;
    simulation.lock().alarm = None;
    is_disturbed
}
