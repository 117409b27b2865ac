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
    simulation.set_alarm(at);
    let mut is_disturbed = false;
    poll_fn(|cx| {
        if at.is_some() && !is_disturbed && !simulation.has_alarm() {
            is_disturbed = true;
            match how {
                How::Cancel => scope.cancel(),
                How::Drop => body = None,
            }
        }
        match &mut body {
            Some(body) => body.as_mut().poll(cx).map(drop),
            None => Poll::Ready(()),
        }
    })
    .await;
    simulation.set_alarm(None);
    is_disturbed
}
