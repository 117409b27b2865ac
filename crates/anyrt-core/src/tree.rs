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
//! 1. A node's parent never changes and is older than the node. Locks are taken older before younger,
//!    at most two at a time, so they cannot deadlock.
//! 2. A node points up by `Arc` and down by `Weak`; it leaves its parent's list when it is dropped, and so
//!    stays reachable from above for as long as anything lives below it.
//! 3. A node is listed in its parent (is *attached*) before its task first waits, ancestors first. Until
//!    then nobody could wake it anyway, and a scope whose body is ready at once touches no lock.
//! 4. What comes from above is pushed down: an attached node knows by itself whether it is cancelled
//!    and what the earliest deadline above it is. Looking costs one load, at any depth.
//! 5. No user code runs under a lock: wakers are cloned before it, and woken or dropped after it.
//! 6. Every walk is a loop, since trees get deep.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

use slab::Slab;

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
}

/// The scope itself was cancelled.
const OWN: u8 = 1;
/// A visible scope around it was.
const ABOVE: u8 = 2;
/// It was cancelled itself before anything around it was.
const OWN_FIRST: u8 = 4;
/// It stands in its parent's list.
const ATTACHED: u8 = 8;
/// It holds a waker.
const ARMED: u8 = 16;
/// A deadline has changed since somebody last looked.
const MOVED: u8 = 32;
/// Single children of it have been cancelled.
const PICKED: u8 = 64;

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) role: Role,
    pub(crate) parent: Option<Arc<Node>>,
    /// The group that it belongs to; a group's own two nodes belong to that group.
    pub(crate) home: Option<Arc<Home>>,
    /// The scope that it is one run of.
    pub(crate) handle: Option<Arc<Node>>,
    /// How many futures below it, in its own task, must not be dropped now.
    pub(crate) holds: AtomicUsize,
    flags: AtomicU8,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The first cause for which this node was effectively cancelled.
    cause: Option<Reason>,
    deadline: Option<Instant>,
    /// A time limit that becomes the deadline when the scope is first entered.
    timeout: Option<Duration>,
    /// The earliest deadline of the visible scopes around it.
    above: Option<Instant>,
    waker: Option<Waker>,
    members: Slab<Member>,
    key_in_parent: Option<usize>,
    key_in_handle: Option<usize>,
    /// Children that were cancelled one by one and have not ended yet.
    picked: Vec<u64>,
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
        let home = parent.as_ref().and_then(|parent| parent.home.clone());
        Self::with(role, parent, home)
    }

    pub(crate) fn with(role: Role, parent: Option<Arc<Node>>, home: Option<Arc<Home>>) -> Arc<Self> {
        Arc::new(Self::blank(role, parent, home))
    }

    /// One run of a scope: of `handle` if there is one, with a deadline of its own or without.
    pub(crate) fn new_run(
        parent: Option<Arc<Node>>,
        handle: Option<Arc<Node>>,
        deadline: Option<Instant>,
    ) -> Arc<Self> {
        let home = parent.as_ref().and_then(|parent| parent.home.clone());
        let mut node = Self::blank(Role::Scope, parent, home);
        node.handle = handle;
        if let (Ok(state), true) = (node.state.get_mut(), deadline.is_some()) {
            state.deadline = deadline;
            *node.flags.get_mut() |= MOVED;
        }
        Arc::new(node)
    }

    fn blank(role: Role, parent: Option<Arc<Node>>, home: Option<Arc<Home>>) -> Self {
        Self {
            role,
            parent,
            home,
            handle: None,
            holds: AtomicUsize::new(0),
            flags: AtomicU8::new(0),
            state: Mutex::default(),
        }
    }

    /// The scope that has the say over this node's cancellation: its handle, or itself.
    pub(crate) fn governor(self: &Arc<Self>) -> &Arc<Self> {
        self.handle.as_ref().unwrap_or(self)
    }

    fn is(&self, flags: u8) -> bool {
        self.flags.load(Ordering::Acquire) & flags != 0
    }

    fn set(&self, flags: u8) -> u8 {
        self.flags.fetch_or(flags, Ordering::AcqRel)
    }

    /// Whether this scope itself was cancelled.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.is(OWN)
    }

    /// Whether this or a visible scope around it was cancelled; exact once the node is attached and
    /// whoever cancels has come this far down.
    pub(crate) fn is_effectively_cancelled(&self) -> bool {
        self.is(OWN | ABOVE)
    }

    /// The same, but never late: looks at every scope around it. For the rare places that must know.
    pub(crate) fn is_surely_cancelled(&self) -> bool {
        self.visible()
            .any(|node| node.is(OWN | ABOVE) || node.handle.as_ref().is_some_and(|h| h.is(OWN)))
    }

    /// Whether it was cancelled itself before anything around it was.
    pub(crate) fn is_cancelled_first(&self) -> bool {
        self.is(OWN_FIRST)
    }

    /// Whether something in its own task must not be dropped now.
    pub(crate) fn is_held(&self) -> bool {
        self.holds.load(Ordering::Acquire) != 0
    }

    /// The first cause for which it was effectively cancelled.
    pub(crate) fn cause(&self) -> Reason {
        lock(&self.state).cause.clone().unwrap_or(Reason::Dropped)
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        lock(&self.state).deadline
    }

    /// The deadline that this scope has to watch: its own, unless one around it comes first.
    pub(crate) fn deadline_to_watch(&self) -> Option<Instant> {
        let state = lock(&self.state);
        let own = state.deadline?;
        state.above.is_none_or(|above| own < above).then_some(own)
    }

    /// Whether a deadline has changed since the last call.
    pub(crate) fn take_moved(&self) -> bool {
        self.is(MOVED) && self.flags.fetch_and(!MOVED, Ordering::AcqRel) & MOVED != 0
    }

    /// Whether a scope around it is the one to report a cancellation, as of `now`.
    pub(crate) fn is_overruled(&self, now: impl FnOnce() -> Instant) -> bool {
        let above = lock(&self.state).above;
        self.is(ABOVE) || above.is_some_and(|above| above <= now())
    }

    /// The node and those around it that it can see, from the inside out.
    fn visible(&self) -> impl Iterator<Item = &Node> {
        std::iter::successors(Some(self), |node| match node.role {
            Role::Shield => None,
            _ => node.parent.as_deref(),
        })
    }

    /// The node and all those around it, from the inside out.
    pub(crate) fn around(self: &Arc<Self>) -> impl Iterator<Item = &Arc<Node>> {
        std::iter::successors(Some(self), |node| node.parent.as_ref())
    }

    /// The body node of the group that this node belongs to.
    pub(crate) fn body(self: &Arc<Self>) -> Option<&Arc<Node>> {
        self.around().find(|node| node.role == Role::Body)
    }

    /// The earliest deadline in sight; `cancelled_at` stands for one that is cancelled already.
    pub(crate) fn effective_deadline(&self, cancelled_at: Instant) -> Option<Instant> {
        let mut earliest = self.is_surely_cancelled().then_some(cancelled_at);
        for node in self.visible() {
            earliest = earlier(earliest, node.deadline());
        }
        earliest
    }

    /// Lists the node, and first those around it that are not listed yet, so that it hears of what
    /// happens above.
    pub(crate) fn attach(self: &Arc<Self>) {
        if self.is(ATTACHED) {
            return;
        }
        let is_unlisted = |node: &Arc<Node>| node.parent.is_some() && !node.is(ATTACHED);
        if self.parent.as_ref().is_some_and(is_unlisted) {
            let unlisted: Vec<_> = self.around().take_while(|node| is_unlisted(node)).collect();
            unlisted.into_iter().rev().for_each(Node::attach_one);
        } else {
            self.attach_one();
        }
    }

    fn attach_one(self: &Arc<Self>) {
        let Some(parent) = &self.parent else { return };
        let mut above = lock(&parent.state);
        let mut state = lock(&self.state);
        if state.key_in_parent.is_some() {
            return;
        }
        let below = Member::Below(Arc::downgrade(self));
        state.key_in_parent = Some(above.members.insert(below));
        if self.role != Role::Shield {
            state.above = earlier(above.deadline, above.above);
            if parent.is_effectively_cancelled() {
                state.cause = state.cause.take().or_else(|| above.cause.clone());
                self.set(ABOVE);
            }
        }
        self.set(ATTACHED | MOVED);
    }

    /// Makes the node a run of its handle: takes over the cancellation and the deadline.
    pub(crate) fn enter_handle(self: &Arc<Self>, now: impl FnOnce() -> Instant) {
        let Some(handle) = &self.handle else { return };
        let mut wakers = Vec::new();
        let mut scope = lock(&handle.state);
        if let Some(timeout) = scope.timeout.take() {
            scope.deadline = now().checked_add(timeout);
            scope.take_watchers(&mut wakers);
        }
        let mut state = lock(&self.state);
        state.key_in_handle = Some(scope.members.insert(Member::Run(Arc::downgrade(self))));
        state.deadline = scope.deadline;
        if handle.is(OWN) {
            state.cause = scope.cause.clone();
            self.set(OWN | OWN_FIRST);
        }
        self.set(MOVED);
        drop((state, scope));
        wakers.into_iter().for_each(Waker::wake);
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

    /// Wakes this node's own future.
    pub(crate) fn wake(&self) {
        let waker = self.take_waker(&mut lock(&self.state));
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn take_waker(&self, state: &mut State) -> Option<Waker> {
        self.flags.fetch_and(!ARMED, Ordering::AcqRel);
        state.waker.take()
    }

    /// Lists a child task under its number, so that a cancellation wakes it; or changes its waker.
    pub(crate) fn seat(&self, seat: &mut Option<usize>, child: u64, waker: &Waker) {
        let waker = waker.clone();
        let mut state = lock(&self.state);
        let before = match *seat {
            Some(key) => std::mem::replace(&mut state.members[key], Member::Seat(child, Some(waker))),
            None => {
                *seat = Some(state.members.insert(Member::Seat(child, Some(waker))));
                return;
            }
        };
        drop(state);
        drop(before);
    }

    /// Takes a child task off the list.
    pub(crate) fn unseat(&self, seat: &mut Option<usize>, child: u64) {
        if let Some(key) = seat.take() {
            let member = lock(&self.state).members.remove(key);
            drop(member);
        }
        if self.is(PICKED) {
            lock(&self.state).picked.retain(|picked| *picked != child);
        }
    }

    /// Cancels one child task. It may have ended before: then the caller takes this back by
    /// [`unseat`](Self::unseat).
    pub(crate) fn pick(&self, child: u64) {
        let mut state = lock(&self.state);
        state.picked.push(child);
        self.set(PICKED);
        let waker = state.members.iter_mut().find_map(|(_, member)| match member {
            Member::Seat(number, waker) if *number == child => waker.take(),
            _ => None,
        });
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Whether this one child task was cancelled.
    pub(crate) fn is_picked(&self, child: u64) -> bool {
        self.is(PICKED) && lock(&self.state).picked.contains(&child)
    }

    /// Lists a future that is to be woken when this scope is cancelled or its deadline moves.
    /// Gives `false` and lists nothing if it is cancelled already.
    pub(crate) fn watch(&self, key: &mut Option<usize>, waker: &Waker) -> bool {
        let watcher = Member::Watcher(Some(waker.clone()));
        let mut state = lock(&self.state);
        if self.is(OWN) {
            return false;
        }
        let before = match *key {
            Some(key) => Some(std::mem::replace(&mut state.members[key], watcher)),
            None => {
                *key = Some(state.members.insert(watcher));
                None
            }
        };
        drop(state);
        drop(before);
        true
    }

    pub(crate) fn unwatch(&self, key: &mut Option<usize>) {
        if let Some(key) = key.take() {
            let member = lock(&self.state).members.remove(key);
            drop(member);
        }
    }

    pub(crate) fn set_timeout(&self, timeout: Duration) {
        lock(&self.state).timeout = Some(timeout);
    }

    /// Moves the deadline, unless the scope is cancelled already, and tells all who can see it.
    pub(crate) fn set_deadline(self: &Arc<Self>, deadline: Option<Instant>) {
        let mut work = VecDeque::from([(self.clone(), true)]);
        let mut untouched = Vec::new();
        let mut wakers = Vec::new();
        while let Some((node, own)) = work.pop_front() {
            let mut state = lock(&node.state);
            if own {
                if node.is(OWN) {
                    continue;
                }
                state.timeout = None;
                state.deadline = deadline;
            }
            let visible = earlier(state.deadline, state.above);
            node.set(MOVED);
            wakers.extend(node.take_waker(&mut state));
            state.take_watchers(&mut wakers);
            for (_, member) in &state.members {
                match member {
                    Member::Run(run) if own => work.extend(run.upgrade().map(|run| (run, true))),
                    Member::Below(below) => {
                        let Some(below) = below.upgrade() else { continue };
                        // Under both locks, or two changes could arrive below in the wrong order.
                        if below.sees_from_above(visible) {
                            work.push_back((below, false));
                        } else {
                            untouched.push(below);
                        }
                    }
                    _ => {}
                }
            }
            drop(state);
            // The last owner of a node leaves its parent's list, so none may go under the lock.
            untouched.clear();
            wakers.drain(..).for_each(Waker::wake);
        }
    }

    /// Whether `deadline` is news to this node as the earliest one above it.
    fn sees_from_above(&self, deadline: Option<Instant>) -> bool {
        self.role != Role::Shield
            && std::mem::replace(&mut lock(&self.state).above, deadline) != deadline
    }

    /// Cancels the scope and with it all that can see it. Gives `false` if it was cancelled before.
    pub(crate) fn cancel(self: &Arc<Self>, reason: &Reason) -> bool {
        let mut work = VecDeque::from([(self.clone(), OWN)]);
        let mut wakers = Vec::new();
        let mut first = None;
        while let Some((node, flag)) = work.pop_front() {
            let marked = node.mark(flag, reason, &mut work, &mut wakers);
            first.get_or_insert(marked);
            wakers.drain(..).for_each(Waker::wake);
        }
        first.unwrap_or(false)
    }

    fn mark(
        &self,
        flag: u8,
        reason: &Reason,
        work: &mut VecDeque<(Arc<Node>, u8)>,
        wakers: &mut Vec<Waker>,
    ) -> bool {
        if self.is(flag) || (flag == ABOVE && self.role == Role::Shield) {
            return false;
        }
        let mut state = lock(&self.state);
        let before = self.set(flag);
        if before & flag != 0 {
            return false;
        }
        if flag == OWN {
            for (_, member) in &state.members {
                if let Member::Run(run) = member {
                    work.extend(run.upgrade().map(|run| (run, OWN)));
                }
            }
            state.take_watchers(wakers);
        }
        if before & (OWN | ABOVE) != 0 {
            return true; // Those below have been told already.
        }
        if flag == OWN {
            self.set(OWN_FIRST);
        }
        state.cause = Some(reason.clone());
        wakers.extend(self.take_waker(&mut state));
        for (_, member) in &mut state.members {
            match member {
                Member::Below(node) => work.extend(node.upgrade().map(|node| (node, ABOVE))),
                Member::Seat(_, waker) => wakers.extend(waker.take()),
                Member::Run(_) | Member::Watcher(_) => {}
            }
        }
        true
    }

    /// Leaves the lists of those above.
    fn detach(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        let listed = [
            (&self.parent, state.key_in_parent.take()),
            (&self.handle, state.key_in_handle.take()),
        ];
        for (list, key) in listed {
            if let (Some(list), Some(key)) = (list, key) {
                let member = lock(&list.state).members.remove(key);
                drop(member);
            }
        }
    }
}

impl State {
    fn take_watchers(&mut self, wakers: &mut Vec<Waker>) {
        for (_, member) in &mut self.members {
            if let Member::Watcher(waker) = member {
                wakers.extend(waker.take());
            }
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.detach();
        let mut next = self.parent.take();
        while let Some(parent) = next {
            // Its last owner takes it apart here, since dropping it in place would recurse to the root.
            next = Arc::into_inner(parent).and_then(|mut parent| {
                parent.detach();
                parent.parent.take()
            });
        }
    }
}

/// The earlier of two deadlines, where none is never.
fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
