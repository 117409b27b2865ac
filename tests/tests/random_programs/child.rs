//! What is known of one child, from its spawn to its end.

use std::sync::{Arc, Mutex, MutexGuard};

use anyrt::Stopped;

use crate::group::{End, Group, Home};
use crate::limits::Why;
use crate::place::Place;
use crate::world::World;

/// One child.
pub(crate) struct Child {
    world: Arc<World>,
    group: Arc<Group>,
    is_daemon: bool,
    /// Whether the group may refuse it, when it is spawned.
    may_be_refused: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_counted: bool,
    has_begun: bool,
    picked: Option<u64>,
    end: Option<(u64, End)>,
    /// Of one that was cut.
    reasons: Vec<Why>,
}

impl Child {
    /// A child that is about to be spawned.
    pub(crate) fn new(world: &Arc<World>, group: &Arc<Group>, is_daemon: bool) -> Arc<Self> {
        let (is_counted, may_be_refused) = (!group.is_closed(), group.may_be_closed());
        if is_counted {
            Home::new(group, is_daemon).join();
        }
        Arc::new(Self {
            world: world.clone(),
            group: group.clone(),
            is_daemon,
            may_be_refused,
            state: Mutex::new(State {
                is_counted,
                ..State::default()
            }),
        })
    }

    pub(crate) fn begins(&self) {
        let mut state = self.state();
        state.has_begun = true;
        if !state.is_counted {
            drop(state);
            self.world
                .violation("a child was taken by a group that has ended");
        }
    }

    /// By `Task::cancel`.
    pub(crate) fn pick(&self) {
        let now = self.world.now();
        let mut state = self.state();
        if state.end.is_none() {
            state.picked.get_or_insert(now);
        }
    }

    pub(crate) fn picked(&self) -> Option<u64> {
        self.state().picked
    }

    pub(crate) fn end(&self) -> Option<End> {
        self.state().end.map(|(_, end)| end)
    }

    /// It has come to an end of its own.
    pub(crate) fn ends(&self, end: End) {
        let now = self.world.now();
        self.state().end = Some((now, end));
    }

    /// Its future was dropped, at this place.
    pub(crate) fn gone(&self, place: &Place) {
        let now = self.world.now();
        let (is_counted, has_begun, has_ended) = {
            let state = self.state();
            (state.is_counted, state.has_begun, state.end.is_some())
        };
        if !has_begun {
            if !self.may_be_refused {
                self.world.violation("a child was never polled");
            }
            self.state().end = Some((now, End::Closed));
        } else if !has_ended {
            let sight = place.sight(now);
            if !sight.is_possible() {
                self.world.violation("a child was cut without a reason");
            }
            if !self.is_daemon {
                self.group.child_cut(place);
            }
            let mut state = self.state();
            state.reasons = sight.reasons;
            state.end = Some((now, End::Cut));
        }
        if is_counted {
            Home::new(&self.group, self.is_daemon).leave();
        }
    }

    /// Whether this is what its handle has to say. It tells so at the time of the end, to one who has waited since
    /// `began`.
    pub(crate) fn check<T>(&self, outcome: &Result<T, Stopped>, began: u64) {
        let state = self.state();
        let is_right = match (outcome, state.end.map(|(_, end)| end)) {
            (Ok(_), Some(End::Value))
            | (Err(Stopped::Failed), Some(End::Failed))
            | (Err(Stopped::Panicked), Some(End::Panicked))
            | (Err(Stopped::Closed), Some(End::Closed)) => true,
            (Err(Stopped::Cancelled(reason)), Some(End::Cut)) => {
                Why::of(reason).is_some_and(|why| state.reasons.contains(&why))
            }
            _ => false,
        };
        let (end, reasons) = (state.end, state.reasons.clone());
        drop(state);
        if !is_right {
            let outcome = outcome.as_ref().map(|_| "a value");
            self.world.violation(format_args!(
                "the handle says {outcome:?}, but the child ended with {end:?} {reasons:?}"
            ));
        }
        self.check_time(began);
    }

    /// The same for `Task::cancel`.
    pub(crate) fn check_cancelled(&self, has_value: bool, began: u64) {
        let end = self.end();
        if has_value != (end == Some(End::Value)) {
            self.world.violation(format_args!(
                "`cancel` gave a value: {has_value}, but the child ended with {end:?}"
            ));
        }
        self.check_time(began);
    }

    fn check_time(&self, began: u64) {
        let now = self.world.now();
        let end = self.state().end;
        if end.is_some_and(|(ended, _)| now > began.max(ended)) {
            self.world.violation("the end of a child was heard of late");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics under this lock")
    }
}
