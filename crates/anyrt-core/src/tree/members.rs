//! What is listed in a node: child tasks, and futures that watch it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;

use super::{Member, Node, PICKED, PICKS, Role, State, TOLD};
use crate::lock::lock;

impl Node {
    /// Lists a child task under its number, so that a cancellation wakes it; or changes the waker of its entry.
    #[inline]
    pub(crate) fn seat(&self, entry: Option<u32>, child: u64, waker: &Waker) -> u32 {
        let member = Member::Seat(child, Some(waker.clone()));
        self.list(entry.map(|key| key as usize), member) as u32
    }

    /// Lists a member, or puts it in the place of the one that is listed under this key.
    #[inline]
    fn list(&self, key: Option<usize>, member: Member) -> usize {
        let mut state = lock(&self.state);
        let Some(key) = key else {
            return state.members.insert(member);
        };
        let before = state.members.replace(key, member);
        drop(state);
        drop(before);
        key
    }

    /// Whether the wakers of the child tasks have been taken, so that they have to list themselves again.
    #[inline]
    pub(crate) fn has_told(&self) -> bool {
        self.is(TOLD)
    }

    /// Takes a child task off the list.
    #[inline]
    pub(crate) fn unseat(&self, entry: Option<u32>, child: u64) {
        if entry.is_none() && !self.is(PICKED) {
            return;
        }
        let mut state = lock(&self.state);
        let member = entry.and_then(|key| state.members.remove(key as usize));
        if self.is(PICKED) {
            self.unpick(&mut state, child);
        }
        drop(state);
        drop(member);
    }

    #[cold]
    fn unpick(&self, state: &mut State, child: u64) {
        let picked = &mut state.rare().picked;
        picked.retain(|picked| *picked != child);
        if picked.is_empty() {
            self.flags.fetch_and(!PICKED, Ordering::AcqRel);
        }
    }

    /// Cancels one child task. It may have ended before: then the caller takes this back by
    /// [`unseat`](Self::unseat).
    pub(crate) fn pick(self: &Arc<Self>, child: u64) {
        let mut state = lock(&self.state);
        state.rare().picked.push(child);
        self.set(PICKED);
        let waker = state.members.iter_mut().find_map(|member| match member {
            Member::Seat(number, waker) if *number == child => waker.take(),
            _ => None,
        });
        drop(state);
        self.child_cancelled(child);
        match waker {
            Some(waker) => waker.wake(),
            // It runs in the task of its group, which listens for all of them.
            None => self.call_group(),
        }
    }

    /// Makes the group look for children that were picked; daemons have a children node below the group's.
    fn call_group(self: &Arc<Self>) {
        for node in self
            .way_home()
            .take_while(|node| node.role == Role::Children)
        {
            node.set(PICKS);
        }
        self.wake();
    }

    /// Whether single children have been cancelled since the group last looked.
    pub(crate) fn has_picks(&self) -> bool {
        self.is(PICKS)
    }

    /// Of a group's children node: the numbers of all children and daemons that were cancelled one by one, sorted, if any
    /// have been since the last time.
    pub(crate) fn take_picks(&self) -> Option<Vec<u64>> {
        if !self.has_picks() {
            return None;
        }
        self.flags.fetch_and(!PICKS, Ordering::AcqRel);
        let mut picks = lock(&self.state).rare().picked.clone();
        if let Some(daemons) = self.daemons() {
            picks.extend_from_slice(&lock(&daemons.state).rare().picked);
        }
        picks.sort_unstable();
        Some(picks)
    }

    /// Whether this one child task was cancelled.
    #[inline]
    pub(crate) fn is_picked(&self, child: u64) -> bool {
        self.is(PICKED) && self.is_among_picked(child)
    }

    #[cold]
    fn is_among_picked(&self, child: u64) -> bool {
        lock(&self.state).rare().picked.contains(&child)
    }

    /// Lists a future that is to be woken when this scope is cancelled or its deadline moves.
    pub(crate) fn watch(&self, key: &mut Option<usize>, waker: &Waker) {
        *key = Some(self.list(*key, Member::Watcher(Some(waker.clone()))));
    }

    pub(crate) fn unwatch(&self, key: &mut Option<usize>) {
        if let Some(key) = key.take() {
            let member = lock(&self.state).members.remove(key);
            drop(member);
        }
    }
}

impl State {
    /// The futures that watch the scope; they list themselves again when they are polled.
    pub(super) fn take_watchers(&mut self, wakers: &mut Vec<Waker>) {
        for member in self.members.iter_mut() {
            if let Member::Watcher(waker) = member {
                wakers.extend(waker.take());
            }
        }
    }
}
