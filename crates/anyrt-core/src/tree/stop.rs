//! Graceful stops: all below are told, and have some time left.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::deadline::earlier;
use super::{DOOMED, ENDED, GRACED, Member, Node, STOPPING};
use crate::lock::lock;
use crate::reason::Reason;

impl Node {
    /// Asks all below to come to an end, and cancels the scope at `end`; of two ends the earlier one counts.
    pub(crate) fn stop(self: &Arc<Self>, end: Option<Instant>) {
        self.adjust(|state| state.rare().stop_end = earlier(state.stop_end(), end));
        self.begin_stop();
    }

    /// The same where no clock is at hand: the time begins when a run of the scope is polled next.
    pub(crate) fn stop_without_clock(self: &Arc<Self>, grace: Duration) {
        // Before its runs hear of it.
        self.set(GRACED);
        self.adjust(|state| {
            let known = &mut state.rare().grace;
            *known = Some(known.map_or(grace, |before| before.min(grace)));
        });
        self.begin_stop();
    }

    /// Of a body node: the group has failed, and `grace` is left to what is in it.
    pub(crate) fn doom(self: &Arc<Self>, reason: &Reason, grace: Duration) {
        lock(&self.state)
            .rare()
            .stop_reason
            .get_or_insert_with(|| reason.clone());
        self.set(DOOMED);
        self.stop_without_clock(grace);
    }

    /// Whether a group around this place has failed, so that all that it can see is going to be cancelled.
    pub(crate) fn is_doomed(self: &Arc<Self>) -> bool {
        self.visible()
            .any(|node| node.is(DOOMED) && !node.is(ENDED))
    }

    /// Begins the time of a stop that was asked for without a clock.
    pub(crate) fn begin_grace(self: &Arc<Self>, now: impl FnOnce() -> Instant) {
        if !self.is(GRACED) {
            return;
        }
        let grace = lock(&self.state).rare().grace.take();
        if let Some(grace) = grace {
            self.stop(now().checked_add(grace));
        }
    }

    /// Whether this scope or one around it is to come to an end. Shields do not hide a stop; a visible
    /// cancellation counts as one.
    pub(crate) fn is_stopping(self: &Arc<Self>) -> bool {
        let stops = |node: &Arc<Node>| node.is(STOPPING) && !node.is(ENDED);
        self.around().any(stops) || self.is_surely_cancelled()
    }

    fn begin_stop(self: &Arc<Self>) {
        self.set(STOPPING);
        let mut runs = Vec::new();
        for member in lock(&self.state).members.iter() {
            if let Member::Run(run) = member {
                runs.extend(run.upgrade());
            }
        }
        for run in &runs {
            run.set(STOPPING);
        }
        self.tell_of_stop();
    }

    /// Wakes everybody at and below this place who waits for a stop.
    pub(super) fn tell_of_stop(self: &Arc<Self>) {
        let mut work = VecDeque::from([self.clone()]);
        let mut wakers: Vec<Waker> = Vec::new();
        while let Some(node) = work.pop_front() {
            let mut state = lock(&node.state);
            state.take_watchers(&mut wakers);
            for member in state.members.iter() {
                if let Member::Below(node) | Member::Run(node) = member {
                    work.extend(node.upgrade());
                }
            }
            drop(state);
            wakers.drain(..).for_each(Waker::wake);
        }
    }
}
