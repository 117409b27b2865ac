//! Protection from cancellation.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::hold::Hold;
use crate::inside::Inside;
use crate::observe::{Ending, What};
use crate::place::{self, Place};
use crate::tree::{Node, Role};

/// Runs `body` to its end even if scopes around it are cancelled meanwhile.
///
/// It protects from the scopes around it, not from scopes and deadlines inside it; so a cleanup that
/// must not run for ever is `shield(move_on_after(..))`. The scopes around it wait: they hold their bodies
/// until the shield is done, and deliver at the next `Pending` after it. Children of a group that was
/// opened outside the shield are not protected by it. This is trio's `shield=True`, but not
/// `asyncio.shield`, which lets the inner work run on alone.
///
/// A shield that somebody keeps alive without polling it blocks the cancellation of the scopes around it.
///
/// # Cancel safety
///
/// Code that knows nothing of scopes (`select!`, another crate's timeout) can still drop it, and drops the body.
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// # use anyrt_sim::Sim;
/// # use anyrt_core::{move_on_after, shield, sleep};
/// # anyrt_core::run(&Sim::default(), async {
/// let second = Duration::from_secs(1);
/// let saved = move_on_after::<Sim, _>(second, async {
///     shield(sleep::<Sim>(5 * second)).await; // runs to its end
///     sleep::<Sim>(second).await; // is interrupted at once
/// });
/// assert_eq!(saved.await, None);
/// # });
/// ```
#[track_caller]
pub fn shield<F: Future>(body: F) -> Shield<F> {
    Shield {
        body: Inside::new(Place::Nowhere, Some(body)),
        entered: false,
        caller: Location::caller(),
        hold: None,
    }
}

pin_project! {
    /// The future of [`shield`].
    // The body stands first: it is dropped before the hold is given back.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Shield<F> {
        #[pin]
        body: Inside<F>,
        entered: bool,
        caller: &'static Location<'static>,
        hold: Option<Hold>,
    }

    impl<F> PinnedDrop for Shield<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.body.is_live() {
                this.body.as_mut().clear();
                // One that was never polled has no node.
                if let Some(node) = this.body.place().made() {
                    node.ends_cut();
                }
            }
        }
    }
}

impl<F: Future> Future for Shield<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if !std::mem::replace(this.entered, true) {
            let outer = place::node();
            *this.hold = outer.clone().map(Hold::on);
            let node = Node::new(Role::Shield, outer);
            node.begins(What::Shield, None, Some(this.caller));
            *this.body.as_mut().place() = Place::At(node);
        }
        let node = this.body.as_mut().place().made();
        let polling = node.and_then(|node| node.polls());
        let polled = this.body.as_mut().poll(cx);
        if polled.is_pending() {
            if let Some(node) = this.body.place().made() {
                node.tell_pending(&polling);
            }
        } else {
            this.body.as_mut().clear();
            *this.hold = None;
            if let Some(node) = this.body.place().made() {
                node.ends(|| Ending::Value);
            }
        }
        polled
    }
}
