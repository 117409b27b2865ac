//! Where the running code stands in the tree of scopes: a thread-local stack, changed around every poll.

use std::cell::RefCell;
use std::sync::Arc;
use std::task::Context;
use std::time::Instant;

use crate::home::Home;
use crate::tree::{Node, Role, earlier};
use crate::waker::WakerId;

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
    /// In a scope right below the place around this one, whose node is made when something asks for it.
    Bare(Bare),
}

/// A run of a scope that has no node.
#[derive(Debug)]
pub(crate) enum Bare {
    /// One of which nobody has a handle, and its deadline.
    Limit(Option<Instant>),
    /// One of this handle, whose body has not waited yet.
    Run(Arc<Node>),
}

/// A place where something is being polled or dropped.
struct Level {
    place: Place,
    /// With which it is polled.
    waker: WakerId,
}

thread_local! {
    /// The innermost comes last.
    static LEVELS: RefCell<Vec<Level>> = const { RefCell::new(Vec::new()) };
}

impl Place {
    /// Runs `f` at this place, and goes back to the outer one also if `f` panics.
    pub(crate) fn enter<R>(&mut self, f: impl FnOnce() -> R) -> R {
        self.enter_as(WakerId::default(), f)
    }

    /// Runs `poll` at this place.
    pub(crate) fn poll<R>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> R,
    ) -> R {
        self.enter_as(WakerId::of(cx.waker()), || poll(cx))
    }

    /// The place moves into the thread-local and back, so this touches no reference count.
    #[inline]
    fn enter_as<R>(&mut self, waker: WakerId, f: impl FnOnce() -> R) -> R {
        struct Leave<'a>(&'a mut Place);
        impl Drop for Leave<'_> {
            #[inline]
            fn drop(&mut self) {
                change(|levels| {
                    if let Some(level) = levels.pop() {
                        *self.0 = level.place;
                    }
                });
            }
        }
        change(|levels| {
            let place = std::mem::take(self);
            levels.push(Level { place, waker });
        });
        let _leave = Leave(self);
        f()
    }

    /// The node of a child's place, whose root is made here if need be.
    pub(crate) fn root(&mut self) -> Option<&Arc<Node>> {
        if let Self::Seat(children) = self {
            *self = Self::At(Node::new(Role::Root, Some(children.clone())));
        }
        self.nearest()
    }

    /// The node of this very place, if it has been made.
    #[inline]
    pub(crate) fn made(&self) -> Option<&Arc<Node>> {
        match self {
            Self::At(node) => Some(node),
            Self::Seat(_) | Self::Bare(_) | Self::Nowhere => None,
        }
    }

    /// The node, or for a child without a root the one above it.
    #[inline]
    pub(crate) fn nearest(&self) -> Option<&Arc<Node>> {
        match self {
            Self::Nowhere | Self::Bare(_) => None,
            Self::At(node) | Self::Seat(node) => Some(node),
        }
    }

    /// The node of a scope; that of a bare one is made, below `outer`.
    pub(crate) fn scope(
        &mut self,
        outer: impl FnOnce() -> Option<Arc<Node>>,
    ) -> Option<&Arc<Node>> {
        if self.is_bare() {
            if let Self::Bare(bare) = std::mem::take(self) {
                *self = Self::At(bare.make(outer()));
            }
        }
        self.made()
    }

    fn is_bare(&self) -> bool {
        matches!(self, Self::Bare(_))
    }
}

impl Bare {
    fn make(self, outer: Option<Arc<Node>>) -> Arc<Node> {
        match self {
            Self::Limit(deadline) => Node::limited(outer, deadline),
            Self::Run(handle) => Node::run_of(handle, outer),
        }
    }
}

// While a thread ends its thread-locals are gone: destructors run there as if outside of everything.
#[inline]
fn change<R>(f: impl FnOnce(&mut Vec<Level>) -> R) -> Option<R> {
    LEVELS.try_with(|levels| f(&mut levels.borrow_mut())).ok()
}

#[inline]
fn see<R>(f: impl FnOnce(&[Level]) -> R) -> Option<R> {
    LEVELS.try_with(|levels| f(&levels.borrow())).ok()
}

/// Where the bare scopes begin that are innermost; right before them is their ground, which is more than a bare scope.
#[inline]
fn first_bare(levels: &[Level]) -> usize {
    let ground = levels.iter().rposition(|level| !level.place.is_bare());
    ground.map_or(0, |ground| ground + 1)
}

/// Makes the nodes of this place, and of those around it, that have not been made.
fn make(levels: &mut [Level]) -> Option<&Arc<Node>> {
    let first_bare = first_bare(levels);
    let (solid, bare) = levels.split_at_mut(first_bare);
    let ground = solid.last_mut();
    let mut outer = ground.and_then(|ground| ground.place.root().cloned());
    for level in bare {
        outer = level.place.scope(|| outer).cloned();
    }
    levels.last()?.place.nearest()
}

/// The node at this place; what is created here goes below it.
pub(crate) fn node() -> Option<Arc<Node>> {
    change(|levels| make(levels).cloned()).flatten()
}

/// Looks at the node at this place, for a child without a root at the one above it.
pub(crate) fn look<R>(f: impl FnOnce(&Arc<Node>) -> R) -> Option<R> {
    let look = |levels: &mut Vec<Level>| {
        let node = match &levels.last()?.place {
            Place::Bare(_) => make(levels)?,
            place => place.nearest()?,
        };
        Some(f(node))
    };
    change(look).flatten()
}

/// Looks at the ledger of the group at this place.
pub(crate) fn look_at_home<R>(f: impl FnOnce(&Home) -> R) -> Option<R> {
    let look = |levels: &[Level]| {
        let ground = levels[..first_bare(levels)].last()?;
        let node = ground.place.nearest()?;
        node.home.as_deref().map(f)
    };
    see(look).flatten()
}

/// What a limit that is polled here has to know.
pub(crate) struct Surroundings {
    /// The earliest of the limits around it that have no nodes either; they end by themselves.
    pub(crate) limit: Option<Instant>,
    /// It is polled again when what is around it is cancelled, but cannot end yet.
    pub(crate) hears: bool,
}

/// Looks around from a limit that is polled with `cx`.
pub(crate) fn surroundings(cx: &Context<'_>) -> Surroundings {
    let waker = WakerId::of(cx.waker());
    let look = |levels: &[Level]| {
        let mut limit = None;
        for level in levels.iter().rev() {
            match &level.place {
                Place::Bare(Bare::Limit(deadline)) => limit = earlier(limit, *deadline),
                place => {
                    let is_cut_off = place
                        .made()
                        .is_some_and(|node| node.is_cancelled_but_held());
                    let hears = level.waker == waker && !is_cut_off;
                    return Surroundings { limit, hears };
                }
            }
        }
        Surroundings { limit, hears: true }
    };
    let nothing = Surroundings {
        limit: None,
        hears: true,
    };
    see(look).unwrap_or(nothing)
}

/// Whether this place is in a run of this scope.
pub(crate) fn is_in_run_of(handle: &Arc<Node>) -> bool {
    let is_run = |node: &Arc<Node>| {
        node.handle
            .as_ref()
            .is_some_and(|scope| Arc::ptr_eq(scope, handle))
    };
    let look = |levels: &[Level]| {
        let (solid, bare) = levels.split_at(first_bare(levels));
        let is_bare_run = |level: &Level| matches!(&level.place, Place::Bare(Bare::Run(scope)) if Arc::ptr_eq(scope, handle));
        let node = solid.last().and_then(|ground| ground.place.nearest());
        bare.iter().any(is_bare_run) || node.is_some_and(|node| node.around().any(is_run))
    };
    see(look) == Some(true)
}

/// Whether a future of this crate is being polled or dropped on this thread right now.
pub fn is_inside() -> bool {
    let is_somewhere = |level: &Level| !matches!(level.place, Place::Nowhere);
    see(|levels| levels.last().is_some_and(is_somewhere)) == Some(true)
}
