//! Groups of children of one type, of which nobody has a handle: what the combinators are made of.

use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::backend::Backend;
use crate::child::{Child, next_number};
use crate::error::GroupError;
use crate::extras::Extras;
use crate::group::Running;
use crate::nest::{Housing, Nest, Nesting};
use crate::spawn::{GroupOf, TaskGroup, home_of};

pin_project! {
    /// A child of which nobody has a handle.
    pub(crate) struct Member<F: Future, E> {
        #[pin]
        child: Child<F, (), E>,
    }
}

impl<F, E> Future for Member<F, E>
where
    E: Send + 'static,
    F: Future<Output = Result<(), E>>,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Nobody wants to know: an error is with the group, and a value has landed.
        drop(ready!(self.project().child.poll(cx)).take());
        Poll::Ready(())
    }
}

/// A group in the task of the caller whose children are all of one type, so that it is `Send` exactly if they are.
pub(crate) type OwnNest<C, E> = Nest<Pin<Box<Member<C, E>>>>;

/// The handle of a group that takes in children of the type `C`.
pub(crate) trait Crew<C> {
    /// Starts a child. Only for a live body: then the group is open.
    fn take_in(&self, extras: Extras, child: C);

    /// Starts children that have no extras, in their order.
    fn take_in_all(&self, children: Vec<C>) {
        let children = children.into_iter();
        children.for_each(|child| self.take_in(Extras::default(), child));
    }
}

impl<B, E, C> GroupOf<B, E, Nesting<Pin<Box<Member<C, E>>>>>
where
    B: Backend,
    C: Future<Output = Result<(), E>>,
{
    /// A child in the task of the group, and its number.
    fn member(&self, extras: Extras, child: C) -> (u64, Pin<Box<Member<C, E>>>) {
        let number = next_number();
        self.scope().node().child_begins(number, || None, None);
        let child = Child::new(self.seat(), extras, number, child).nested();
        (number, Box::pin(Member { child }))
    }
}

impl<B, E, C> Crew<C> for GroupOf<B, E, Nesting<Pin<Box<Member<C, E>>>>>
where
    B: Backend,
    E: Send + 'static,
    C: Future<Output = Result<(), E>>,
{
    fn take_in(&self, extras: Extras, child: C) {
        if home_of(self.scope().node()).tally.join() {
            let (number, child) = self.member(extras, child);
            self.spawner().push(number, child);
        }
    }

    fn take_in_all(&self, children: Vec<C>) {
        if home_of(self.scope().node()).tally.join_all(children.len()) {
            let children = children.into_iter();
            let children = children.map(|child| self.member(Extras::default(), child));
            self.spawner().push_all(children);
        }
    }
}

impl<B, E, C> Crew<C> for TaskGroup<B, E>
where
    B: Backend,
    E: Send + 'static,
    C: Future<Output = Result<(), E>> + Send + 'static,
{
    fn take_in(&self, extras: Extras, child: C) {
        let home = home_of(self.scope().node());
        if home.tally.join() {
            let number = next_number();
            self.scope().node().child_begins(number, || None, None);
            let child = Child::new(self.seat(), extras, number, child);
            drop(home.backend::<B>().spawn(Member { child }));
        }
    }
}

/// Runs `body` with a fresh group. What the body and the children have to give has landed elsewhere.
///
/// `is_done` says whether that is there although the group may have been cut; a result that is ready beats that.
///
/// Here and in all that calls it the spawner `S` is a parameter of its own: a projection, `N::Spawner`, in the future
/// would keep rustc from seeing that futures that give references are `Send`.
pub(crate) async fn run<B, E, N, S, F, Fut>(
    nest: N,
    body: F,
    is_done: impl Fn() -> bool,
    caller: &'static Location<'static>,
) -> Result<(), GroupError<E>>
where
    B: Backend,
    E: Send + 'static,
    N: Housing<Spawner = S>,
    F: FnOnce(GroupOf<B, E, S>) -> Fut,
    Fut: Future<Output = Result<(), E>>,
{
    let mut running = pin!(Running::<B, (), E, F, Fut, N>::new(
        body, nest, None, caller
    ));
    poll_fn(|cx| match running.as_mut().poll(cx) {
        Poll::Pending if running.has_ended() && is_done() => Poll::Ready(Ok(())),
        polled => polled,
    })
    .await
}
