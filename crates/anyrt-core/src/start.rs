//! Starting a child and waiting until it is ready.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::{Location, resume_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::attempt::Attempt;
use crate::backend::Backend;
use crate::guest::Guest;
use crate::hold::Hold;
use crate::place::{self, Place};
use crate::spawn::{TaskGroup, launch};
use crate::started::{AttemptEnd, Handshake, News, Started};
use crate::task::Task;
use crate::tree::{Node, Role};

/// Why a child could not be started.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError<E> {
    /// The child failed before it was ready.
    Failed(E),
    /// The child ended without having said that it is ready.
    NotStarted,
    /// The group had ended before; the child never ran.
    Closed,
}

impl<E: fmt::Display> fmt::Display for StartError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "the child failed before it was ready: {error}"),
            Self::NotStarted => f.write_str("the child ended without calling `Started::set`"),
            Self::Closed => f.write_str("the group had ended before the child was started"),
        }
    }
}

impl<E: Error + 'static> Error for StartError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) => Some(error),
            _ => None,
        }
    }
}

impl<B: Backend, E: Send + 'static> TaskGroup<B, E> {
    /// Starts a child, waits until it says that it is ready, and gives what it says along with its handle.
    ///
    /// Until the child calls [`Started::set`] it belongs to the caller: its error and its panic come out here, and a
    /// cancellation of the caller, not one of the group, cancels it. After that it belongs to the group like any other
    /// child. The group stays open meanwhile. In a group with a [limit](crate::GroupOptions::limit) it waits for its
    /// turn first. This is trio's `nursery.start`.
    ///
    /// # Cancel safety
    ///
    /// A cancelled `start` waits until the child has ended. If code that knows nothing of scopes drops it, the child is
    /// cancelled, and the enclosing group waits for it; a child that is ready is left to the group.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the child ended before it was ready, or the group has ended.
    ///
    /// # Panics
    ///
    /// If the child panics before it is ready, its panic is resumed here. Panics when the runtime ends before that, and
    /// when polled on after its end, or after the end of a scope that had cut it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::Started;
    /// # anyrt_core::run(&Sim::default(), async {
    /// let group = anyrt_core::task_group::<Sim, _, (), _, _>(async |g| {
    ///     let (port, server) = g
    ///         .start(async |started: Started<u16>| {
    ///             // .. bind, which may fail ..
    ///             started.set(8080);
    ///             // .. serve, until the group has enough ..
    ///             Ok("served")
    ///         })
    ///         .await
    ///         .unwrap();
    ///     assert_eq!(port, 8080);
    ///     Ok(server.await)
    /// });
    /// assert_eq!(group.await, Ok("served"));
    /// # });
    /// ```
    #[track_caller]
    pub fn start<R, T, F, Fut>(
        &self,
        child: F,
    ) -> impl Future<Output = Result<(R, Task<B, T>), StartError<E>>>
    where
        R: Send + 'static,
        T: Send + 'static,
        F: FnOnce(Started<R>) -> Fut,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
    {
        let caller = Location::caller();
        async move {
            let children = self.scope().node();
            let Some(guest) = Guest::of_open(children) else {
                return Err(StartError::Closed);
            };
            let turn = self.turn().await;
            let place = place::node();
            let root = Node::new(Role::Root, Some(children.clone()));
            let handshake = Handshake::new(
                Node::with(Role::Root, place.clone(), children.home.clone()),
                root.clone(),
                Guest::of(place.as_ref()),
            );
            let child = child(Started::new(handshake.clone()));
            let attempt = Attempt::new(handshake.clone(), child);
            handshake.count_on(guest.into_child());
            let task = launch(Place::At(root), turn, None, attempt, caller);
            let mut start = Start {
                handshake: Some(handshake),
                hold: place.clone().map(Hold::on),
                place,
                caller,
            };
            let value = std::future::poll_fn(|cx| start.poll(cx)).await?;
            Ok((value, task))
        }
    }
}

/// The caller's side, while it waits.
struct Start<R> {
    /// Gone when the child has started or ended.
    handshake: Option<Arc<Handshake<R>>>,
    place: Option<Arc<Node>>,
    hold: Option<Hold>,
    caller: &'static Location<'static>,
}

impl<R> Start<R> {
    fn poll<E: 'static>(&mut self, cx: &mut Context<'_>) -> Poll<Result<R, StartError<E>>> {
        if let Some(handshake) = &self.handshake {
            let Some(news) = handshake.news(cx.waker()) else {
                return Poll::Pending;
            };
            self.handshake = None;
            self.hold = None;
            match news {
                News::Started(value) => return Poll::Ready(Ok(value)),
                News::Ended(AttemptEnd::NotStarted) => {
                    return Poll::Ready(Err(StartError::NotStarted));
                }
                News::Ended(AttemptEnd::Failed(error)) => match error.downcast() {
                    Ok(error) => return Poll::Ready(Err(StartError::Failed(*error))),
                    Err(_) => unreachable!("a child fails with the error of its group"),
                },
                News::Ended(AttemptEnd::Panicked(payload)) => resume_unwind(payload),
                News::Ended(AttemptEnd::Lost) => panic!(
                    "anyrt: the runtime ended before the child of {} was ready",
                    self.caller
                ),
                News::Ended(AttemptEnd::Cut) => {}
            }
        }
        let is_cancelled = self
            .place
            .as_ref()
            .is_some_and(|place| place.is_surely_cancelled());
        assert!(
            is_cancelled,
            "anyrt: the start of {} was polled on after a scope that had cut it had ended",
            self.caller
        );
        Poll::Pending
    }
}

impl<R> Drop for Start<R> {
    fn drop(&mut self) {
        if let Some(handshake) = &self.handshake {
            handshake.lose_caller(self.place.as_ref());
        }
    }
}
