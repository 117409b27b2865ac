//! Where the running code stands in the tree of scopes: a thread-local, set around every poll.

use std::cell::RefCell;
use std::sync::Arc;

use crate::backend::Backend;
use crate::home::Shared;
use crate::tree::{Node, Role};
use crate::worker;

/// A position in the tree.
#[derive(Debug, Default)]
pub(crate) enum Place {
    /// Outside everything of ours.
    #[default]
    Nowhere,
    /// Directly below this node.
    At(Arc<Node>),
    /// In a child of the group with this `Children` node. Most children never open a scope, so the root
    /// node of a child is made when something asks for it.
    Seat(Arc<Node>),
}

thread_local! {
    static PLACE: RefCell<Place> = const { RefCell::new(Place::Nowhere) };
}

impl Place {
    /// Runs `f` at this place, and restores the outer one also if `f` panics.
    ///
    /// The place moves into the thread-local and back, so this touches no reference count.
    pub(crate) fn enter<R>(&mut self, f: impl FnOnce() -> R) -> R {
        struct Leave<'a>(&'a mut Place);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                swap(self.0);
            }
        }
        swap(self);
        let _leave = Leave(self);
        f()
    }

    /// The node, of which a child's root is made here if need be.
    pub(crate) fn node(&mut self) -> Option<&Arc<Node>> {
        if let Self::Seat(children) = self {
            *self = Self::At(Node::new(Role::Root, Some(children.clone())));
        }
        self.nearest()
    }

    /// The node of this very place, which for a child without a root has not been made.
    #[inline]
    pub(crate) fn made(&self) -> Option<&Arc<Node>> {
        match self {
            Self::At(node) => Some(node),
            Self::Seat(_) | Self::Nowhere => None,
        }
    }

    /// The node, or for a child without a root the one above it.
    #[inline]
    pub(crate) fn nearest(&self) -> Option<&Arc<Node>> {
        match self {
            Self::Nowhere => None,
            Self::At(node) | Self::Seat(node) => Some(node),
        }
    }
}

#[inline]
fn swap(place: &mut Place) {
    // While a thread ends its thread-locals are gone: destructors run there as if outside of everything.
    let _ = PLACE.try_with(|current| std::mem::swap(&mut *current.borrow_mut(), place));
}

/// The node at this place; what is created here goes below it.
pub(crate) fn node() -> Option<Arc<Node>> {
    PLACE
        .try_with(|place| place.borrow_mut().node().cloned())
        .ok()
        .flatten()
}

/// Looks at the node at this place without making one.
pub(crate) fn look<R>(f: impl FnOnce(&Arc<Node>) -> R) -> Option<R> {
    PLACE
        .try_with(|place| place.borrow().nearest().map(f))
        .ok()
        .flatten()
}

/// Whether the scope at this place is cancelled as of now; what waits here is going to be dropped.
pub(crate) fn is_cancelled<B: Backend>() -> bool {
    let Some(node) = look(Arc::clone) else {
        return false;
    };
    let has_passed = |limit| find_backend::<B>().is_some_and(|backend| limit <= backend.now());
    let is_cancelled = node.is_surely_cancelled() || node.earliest_limit().is_some_and(has_passed);
    if is_cancelled {
        node.bring_down();
    }
    is_cancelled
}

/// What the run of `node` has in common, if there is one on this kind of backend.
pub(crate) fn run_of<B: Backend>(node: Option<&Arc<Node>>) -> Option<Arc<Shared>> {
    let home = node.and_then(|node| node.home.as_ref());
    home.map(|home| home.shared.clone())
        .filter(|shared| shared.backend::<B>().is_some())
}

/// Whether a future of this crate is being polled or dropped on this thread right now.
pub fn is_inside() -> bool {
    look(|_| ()).is_some()
}

/// The backend at this place: that of the future of this crate which is being polled, else that of
/// the call into a thread which is being run, else whatever runtime the thread is in.
///
/// # Panics
///
/// If there is none; the message says what to do.
///
/// # Examples
///
/// ```
/// use anyrt_core::Backend;
/// use anyrt_sim::Sim;
///
/// let name = anyrt_core::run(&Sim::default(), async { anyrt_core::backend::<Sim>().name() });
/// assert_eq!(name, "sim");
/// ```
#[track_caller]
pub fn backend<B: Backend>() -> B {
    match find_backend() {
        Some(backend) => backend,
        None => panic!("anyrt: there is no runtime at this place; {ADVICE}"),
    }
}

/// What to do where there is no runtime.
pub(crate) const ADVICE: &str =
    "run this inside `anyrt::run`, `anyrt::run_on` or a runtime that you have started";

/// The backend at this place, if there is one; otherwise as [`backend`].
///
/// # Examples
///
/// ```
/// assert!(anyrt_core::find_backend::<anyrt_sim::Sim>().is_none());
/// ```
pub fn find_backend<B: Backend>() -> Option<B> {
    look(|node| node.home.as_ref()?.shared.backend().cloned())
        .flatten()
        .or_else(worker::backend)
        .or_else(B::current)
}
