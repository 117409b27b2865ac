//! Interrupting a body at its 1st, 2nd, 3rd .. `Pending`.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use anyrt_core::Backend;

use super::flavour::Rt;
use crate::probe::Alive;

/// Runs `body` again and again, cancelling it at its 1st, 2nd, 3rd .. `Pending`, until it ends before it comes
/// to be cancelled. After every round nothing that the body counted with the [`Alive`] may be left.
///
/// Gives the number of rounds.
pub(crate) async fn cancel_at_every_pending<B, F, Fut>(rt: Rt<B>, mut body: F) -> usize
where
    B: Backend,
    F: FnMut(Alive) -> Fut,
    Fut: Future,
{
    for round in 1.. {
        let alive = Alive::default();
        let scope = rt.scope();
        let cancel = scope.clone();
        let interrupted = AtPending {
            left: round,
            body: Box::pin(body(alive.clone())),
            action: Box::new(move || cancel.cancel()),
        };
        let cancelled = scope.run(interrupted).await.is_err();
        assert_eq!(
            alive.count(),
            0,
            "left alive when cancelled at `Pending` number {round}"
        );
        if !cancelled && !scope.is_cancelled() {
            return round;
        }
    }
    unreachable!()
}

/// Runs `body` again and again inside a group, dropping it from outside at its 1st, 2nd, 3rd .. `Pending`, until it
/// ends before that. When the group around it has ended, nothing that the body counted may be left.
///
/// Gives the number of rounds.
pub(crate) async fn drop_at_every_pending<B, F, Fut>(rt: Rt<B>, mut body: F) -> usize
where
    B: Backend,
    F: FnMut(Alive) -> Fut,
    Fut: Future,
{
    for round in 1.. {
        let alive = Alive::default();
        let mut body = Some(Box::pin(body(alive.clone())));
        let mut left = round;
        let dropped = std::future::poll_fn(|cx| {
            let Some(running) = &mut body else {
                return Poll::Ready(true);
            };
            if running.as_mut().poll(cx).is_ready() {
                return Poll::Ready(false);
            }
            left -= 1;
            if left > 0 {
                return Poll::Pending;
            }
            body = None;
            Poll::Ready(true)
        });
        let dropped = rt
            .task_group(|_| async { Ok::<_, ()>(dropped.await) })
            .await;
        assert_eq!(
            alive.count(),
            0,
            "left alive when dropped at `Pending` number {round}"
        );
        if dropped == Ok(false) {
            return round;
        }
    }
    unreachable!()
}

/// Drops `future` from outside right after its n-th `Pending`; gives its output if it ends before that.
pub(crate) async fn drop_at_pending<F: Future>(n: usize, future: F) -> Option<F::Output> {
    let mut future = Some(Box::pin(future));
    let mut left = n;
    std::future::poll_fn(move |cx| {
        let Some(running) = &mut future else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(output) = running.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        left -= 1;
        if left > 0 {
            return Poll::Pending;
        }
        future = None;
        Poll::Ready(None)
    })
    .await
}

/// Does something once, right after the body has returned `Pending` for the n-th time.
struct AtPending<F> {
    left: usize,
    body: Pin<Box<F>>,
    action: Box<dyn FnMut() + Send>,
}

impl<F: Future> Future for AtPending<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let polled = self.body.as_mut().poll(cx);
        if polled.is_pending() && self.left > 0 {
            self.left -= 1;
            if self.left == 0 {
                (self.action)();
            }
        }
        polled
    }
}
