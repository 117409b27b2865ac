//! The tree of scopes: who is cancelled, which deadline is in sight, and whom to wake.
//!
//! ```text
//!   run ── Body ─┬─ Scope ── Shield ── Body ─ ..        in the task of `main`
//!                └─ Children ─┬─ Root ── Scope ─ ..     each Root a task of its own
//!                             └─ Root ── Body ─┬─ ..
//! ```
//!
//! # Invariants
//!
//! 1. A node is made after its parent. It may be lodged below another node at first, and then moves once to where it
//!    belongs (`tree/moving.rs`). Locks are taken parent before child, at most two at a time, so they cannot deadlock.
//! 2. A node points up by `Arc` and down by `Weak`; it leaves its parent's list when it is dropped, and so
//!    stays reachable from above for as long as anything lives below it.
//! 3. A node is listed in its parent (is *attached*) before its task first waits, ancestors first. Until
//!    then nobody could wake it anyway, and a scope whose body is ready at once touches no lock.
//! 4. What comes from above is pushed down: an attached node knows by itself whether it is cancelled
//!    and what the earliest deadline above it is. Looking costs one load, at any depth.
//! 5. No user code runs under a lock: wakers are cloned before it, and woken or dropped after it.
//! 6. Every walk is a loop, since trees get deep.

mod below;
mod cancel;
mod daemons;
mod deadline;
mod exits;
mod list;
mod members;
mod moving;
mod observed;
mod stop;

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

pub(crate) use self::deadline::earlier;
use self::exits::Exits;
pub(crate) use self::exits::{Exit, Launch};
use self::list::List;
use crate::home::Home;
use crate::lock::lock;
use crate::reason::Reason;
use crate::waker::WakerId;

/// What a node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// One run of a cancel scope, or a scope that has no run yet.
    Scope,
    /// Nothing from outside passes it.
    Shield,
    /// The body of a group and all that it waits for; cancelled when something fails.
    Body,
    /// The children of a group; cancelled on request.
    Children,
    /// The root of a child's task.
    Root,
    /// The cleanups of a scope that has ended: nothing from outside passes it, and what they hold ends here.
    Cleanup,
}

/// The scope itself was cancelled.
const OWN: u32 = 1;
/// A visible scope around it was.
const ABOVE: u32 = 2;
/// It was cancelled itself before anything around it was.
const OWN_FIRST: u32 = 4;
/// It stands in its parent's list.
const ATTACHED: u32 = 8;
/// It holds a waker.
const ARMED: u32 = 16;
/// A deadline has changed since somebody last looked.
const MOVED: u32 = 32;
/// Single children of it have been cancelled.
const PICKED: u32 = 64;
/// It has ended, and has no say any more over what was first polled in it and lives on.
const ENDED: u32 = 128;
/// All below have been told that it was cancelled.
const SPREAD: u32 = 256;
/// It was asked to come to an end in good order.
const STOPPING: u32 = 512;
/// The wakers of its child tasks have been taken; those that go on list themselves again.
const TOLD: u32 = 1024;
/// Cleanups have been registered for its end.
const EXITS: u32 = 2048;
/// It may not move to another parent any more.
const STAYS: u32 = 4096;
/// Of the body node of a group: something has failed, and the grace period has begun.
const DOOMED: u32 = 8192;
/// It is lodged elsewhere than where it belongs.
const AWAY: u32 = 16384;
/// Of a child's root: the child counts as a guest of its group, and not yet as a child.
const ARRIVING: u32 = 32768;
/// Single children of it, which run in the task of their group, have been cancelled since that last looked.
const PICKS: u32 = 1 << 16;
/// Of a children node: there have been daemons.
const DAEMONS: u32 = 1 << 17;
/// It has been given a grace period, which begins when somebody with a clock looks.
const GRACED: u32 = 1 << 18;
/// It has been given a time limit, which begins when it is first entered.
const TIMED: u32 = 1 << 19;
/// Somebody observes the run. The ledger knows it too, but is written to by all who come and go, and this is asked at
/// each poll of a child.
const OBSERVED: u32 = 1 << 20;

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) role: Role,
    /// Where it belongs, and the parent unless it is `AWAY`.
    below: Option<Arc<Node>>,
    /// The parent while it is `AWAY`, if it has one then.
    lodging: Option<Arc<Node>>,
    /// The group that it belongs to; a group's own two nodes belong to that group.
    pub(crate) home: Option<Arc<Home>>,
    /// The scope that it is one run of.
    pub(crate) handle: Option<Arc<Node>>,
    /// How many futures below it, in its own task, must not be dropped now.
    pub(crate) holds: AtomicUsize,
    flags: AtomicU32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The first cause for which this node was effectively cancelled.
    cause: Option<Reason>,
    deadline: Option<Instant>,
    /// The earliest deadline of the visible scopes around it.
    above: Option<Instant>,
    waker: Option<Waker>,
    members: List<Member>,
    key_in_parent: Option<u32>,
    key_in_handle: Option<u32>,
    rare: Option<Box<Rare>>,
}

/// What few nodes have.
#[derive(Debug, Default)]
struct Rare {
    /// A time limit that becomes the deadline when the scope is first entered.
    timeout: Option<Duration>,
    /// When a graceful stop is over.
    stop_end: Option<Instant>,
    /// Why it was asked to stop, unless it is a shutdown.
    stop_reason: Option<Reason>,
    /// A graceful stop whose time begins where there is a clock.
    grace: Option<Duration>,
    /// Children that were cancelled one by one and have not ended yet.
    picked: Vec<u64>,
    /// Of a children node: the node of the daemons.
    daemons: Daemons,
    exits: Option<Exits>,
}

impl State {
    /// What is rare, to be changed.
    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    fn stop_end(&self) -> Option<Instant> {
        self.rare.as_ref()?.stop_end
    }
}

#[derive(Debug, Default)]
enum Daemons {
    #[default]
    None,
    At(Arc<Node>),
    /// The group was dropped or has ended; there are to be no more.
    NoMore,
}

#[derive(Debug)]
enum Member {
    /// A node whose parent this is.
    Below(Weak<Node>),
    /// A run of this scope.
    Run(Weak<Node>),
    /// A child task, by its number.
    Seat(u64, Option<Waker>),
    /// A future that waits for this scope to be cancelled.
    Watcher(Option<Waker>),
}

impl Node {
    pub(crate) fn new(role: Role, parent: Option<Arc<Node>>) -> Arc<Self> {
        Arc::new(Self::of_group_above(role, parent))
    }

    pub(crate) fn with(
        role: Role,
        parent: Option<Arc<Node>>,
        home: Option<Arc<Home>>,
    ) -> Arc<Self> {
        Arc::new(Self::blank(role, parent, home))
    }

    /// A run of a scope of which nobody has a handle.
    pub(crate) fn limited(parent: Option<Arc<Node>>, deadline: Option<Instant>) -> Arc<Self> {
        let mut node = Self::of_group_above(Role::Scope, parent);
        if let (Ok(state), true) = (node.state.get_mut(), deadline.is_some()) {
            state.deadline = deadline;
            *node.flags.get_mut() |= MOVED;
        }
        Arc::new(node)
    }

    /// A run of the scope `handle`.
    pub(crate) fn run_of(handle: Arc<Node>, parent: Option<Arc<Node>>) -> Arc<Self> {
        let mut node = Self::of_group_above(Role::Scope, parent);
        node.handle = Some(handle);
        let node = Arc::new(node);
        node.enter_handle();
        node
    }

    /// One that belongs to the group of its parent.
    fn of_group_above(role: Role, parent: Option<Arc<Node>>) -> Self {
        let home = parent.as_ref().and_then(|parent| parent.home.clone());
        Self::blank(role, parent, home)
    }

    fn blank(role: Role, parent: Option<Arc<Node>>, home: Option<Arc<Home>>) -> Self {
        let is_observed = home.as_ref().is_some_and(|home| home.observer().is_some());
        Self {
            role,
            below: parent,
            lodging: None,
            home,
            handle: None,
            holds: AtomicUsize::new(0),
            flags: AtomicU32::new(if is_observed { OBSERVED } else { 0 }),
            state: Mutex::default(),
        }
    }

    /// The node right above: what happens there concerns this one.
    pub(crate) fn parent(&self) -> Option<&Arc<Node>> {
        if self.is(AWAY) {
            self.lodging.as_ref()
        } else {
            self.below.as_ref()
        }
    }

    /// The parent, locked, so that the node cannot move away meanwhile.
    fn lock_parent(&self) -> Option<(&Arc<Node>, MutexGuard<'_, State>)> {
        loop {
            let parent = self.parent()?;
            let locked = lock(&parent.state);
            if self.parent().is_some_and(|now| Arc::ptr_eq(now, parent)) {
                return Some((parent, locked));
            }
        }
    }

    /// Whether what happens around it does not concern it.
    fn is_shielded(&self) -> bool {
        matches!(self.role, Role::Shield | Role::Cleanup)
    }

    /// The scope that has the say over this node's cancellation: its handle, or itself.
    pub(crate) fn governor(self: &Arc<Self>) -> &Arc<Self> {
        self.handle.as_ref().unwrap_or(self)
    }

    #[inline]
    fn is(&self, flags: u32) -> bool {
        self.flags.load(Ordering::Acquire) & flags != 0
    }

    fn set(&self, flags: u32) -> u32 {
        self.flags.fetch_or(flags, Ordering::AcqRel)
    }

    /// Whether something in its own task must not be dropped now.
    #[inline]
    pub(crate) fn is_held(&self) -> bool {
        // Writes nothing, but is ordered with a hold that is given back while somebody cancels.
        self.holds.fetch_or(0, Ordering::AcqRel) != 0
    }

    /// The node and those around it that it can see, from the inside out.
    fn visible(self: &Arc<Self>) -> impl Iterator<Item = &Arc<Node>> {
        std::iter::successors(Some(self), |node| {
            node.parent().filter(|_| !node.is_shielded())
        })
    }

    /// The node and all those around it, from the inside out.
    pub(crate) fn around(self: &Arc<Self>) -> impl Iterator<Item = &Arc<Node>> {
        std::iter::successors(Some(self), |node| node.parent())
    }

    /// The node and all those that it belongs below, from the inside out; the ledgers on this way are those that it
    /// counts in, wherever it is lodged.
    pub(crate) fn way_home(self: &Arc<Self>) -> impl Iterator<Item = &Arc<Node>> {
        std::iter::successors(Some(self), |node| node.below.as_ref())
    }

    /// The body node of the group that this node belongs to.
    pub(crate) fn body(self: &Arc<Self>) -> Option<&Arc<Node>> {
        self.way_home().find(|node| node.role == Role::Body)
    }

    /// Lists the node, and first those around it that are not listed yet, so that it hears of what
    /// happens above.
    #[inline]
    pub(crate) fn attach(self: &Arc<Self>) {
        if !self.is(ATTACHED) {
            self.attach_all();
        }
    }

    fn attach_all(self: &Arc<Self>) {
        let is_unlisted = |node: &Arc<Node>| !node.is(ATTACHED) && node.parent().is_some();
        // A loop, because the node may move while this looks at those around it.
        while is_unlisted(self) {
            if self.parent().is_some_and(is_unlisted) {
                let unlisted: Vec<_> = self.around().take_while(|node| is_unlisted(node)).collect();
                unlisted.into_iter().rev().for_each(Node::attach_one);
            } else {
                self.attach_one();
            }
        }
    }

    fn attach_one(self: &Arc<Self>) {
        let Some((parent, mut above)) = self.lock_parent() else {
            return;
        };
        // Ancestors first, or a cancellation would pass by.
        if !parent.is(ATTACHED) && parent.parent().is_some() {
            return;
        }
        let mut state = lock(&self.state);
        if state.key_in_parent.is_some() {
            return;
        }
        let below = Member::Below(Arc::downgrade(self));
        state.key_in_parent = Some(above.members.insert(below) as u32);
        if !self.is_shielded() {
            state.above = earlier(parent.limit_of(&above), above.above);
            if parent.is_effectively_cancelled() {
                state.cause = state.cause.take().or_else(|| above.cause.clone());
                self.set(ABOVE);
            }
        }
        let moved = if state.above.is_some() { MOVED } else { 0 };
        self.set(ATTACHED | moved);
    }

    /// Sees to it that a cancellation, from wherever it comes, wakes this node's own future.
    pub(crate) fn listen(self: &Arc<Self>, waker: &Waker, armed: &mut WakerId) {
        let is_first = *armed == WakerId::default();
        self.attach();
        self.arm(waker, armed);
        if is_first && self.is_cancelled_but_held() {
            // Limits in the body that have no nodes were polled before this was known.
            waker.wake_by_ref();
        }
    }

    /// Sets the waker that wakes this node's own future.
    pub(crate) fn arm(&self, waker: &Waker, armed: &mut WakerId) {
        let id = WakerId::of(waker);
        if *armed == id && self.is(ARMED) {
            return;
        }
        let waker = waker.clone();
        let mut state = lock(&self.state);
        let before = state.waker.replace(waker);
        self.set(ARMED);
        drop(state);
        drop(before);
        *armed = id;
    }

    /// Wakes this node's own future; that of a children node is its group, which listens at the body node.
    pub(crate) fn wake(self: &Arc<Self>) {
        let Some(node) = self.way_home().find(|node| node.role != Role::Children) else {
            return;
        };
        let waker = node.take_waker(&mut lock(&node.state));
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn take_waker(&self, state: &mut State) -> Option<Waker> {
        self.flags.fetch_and(!ARMED, Ordering::AcqRel);
        state.waker.take()
    }

    /// Leaves the lists of those above, and gives where it belonged, and in `lodgings` where it was lodged.
    fn leave(&mut self, lodgings: &mut Vec<Arc<Node>>) -> Option<Arc<Node>> {
        self.detach();
        lodgings.extend(self.lodging.take());
        self.below.take()
    }

    fn detach(&mut self) {
        let state = self
            .state
            .get_mut()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let keys = (state.key_in_parent.take(), state.key_in_handle.take());
        let listed = [(self.parent(), keys.0), (self.handle.as_ref(), keys.1)];
        for (list, key) in listed {
            if let (Some(list), Some(key)) = (list, key) {
                let member = lock(&list.state).members.remove(key as usize);
                drop(member);
            }
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Its last owner takes a parent apart here, since dropping it in place would recurse to the root.
        let mut above = Vec::new();
        let mut next = self.leave(&mut above);
        while let Some(node) = next.or_else(|| above.pop()) {
            next = Arc::into_inner(node).and_then(|mut node| node.leave(&mut above));
        }
    }
}
