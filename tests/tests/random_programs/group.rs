//! What is known of a group: who is in it, and what has gone wrong.

mod members;
mod verdict;

use std::sync::{Arc, Mutex, MutexGuard};

pub(crate) use self::members::{Home, Value};
use crate::errors::{Failure, Holder};
use crate::limits::{Limits, Why};
use crate::place::Place;
use crate::world::World;

/// One group.
pub(crate) struct Group {
    pub(crate) id: usize,
    world: Arc<World>,
    /// Where it stands; nowhere, if it is the run's own.
    outer: Option<Arc<Place>>,
    /// The scope of its children.
    pub(crate) limits: Limits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Children that have not ended, and nested groups.
    others: usize,
    daemons: usize,
    /// Values of children that nobody has dropped.
    values: usize,
    /// What has gone wrong, in order. One failure may consist of several errors.
    errors: Vec<Vec<usize>>,
    panics: Vec<usize>,
    /// When all in it was cancelled, the body too, and why.
    cancelled: Option<(u64, Why)>,
    is_dropped: bool,
    /// Since when nothing but daemons is left, or was at a time.
    others_done: Option<u64>,
    body: Option<End>,
    /// Children were interrupted by what lies outside of the group.
    cut_from_outside: bool,
    /// The same, but at that instant something inside of the group happened too.
    perhaps_cut_from_outside: bool,
    last_change: u64,
    ended: bool,
}

/// How a child or a body has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Value,
    Failed,
    Panicked,
    Cut,
    /// The group had ended before.
    Closed,
}

impl Group {
    /// A group that begins here.
    pub(crate) fn new(id: usize, world: &Arc<World>, outer: Option<Arc<Place>>) -> Arc<Self> {
        if let Some(home) = outer.as_ref().and_then(|outer| outer.home()) {
            home.join();
        }
        Arc::new(Self {
            id,
            world: world.clone(),
            outer,
            limits: Limits::default(),
            state: Mutex::default(),
        })
    }

    /// An error of the body or of a child comes in.
    pub(crate) fn fails(self: &Arc<Self>, error: &mut Failure) {
        error.rest_in(&Holder::Group(self.clone()));
        let now = self.world.now();
        let mut state = self.state();
        state.errors.push(error.numbers());
        state.cancelled.get_or_insert((now, Why::Failed));
    }

    /// A panic of the body, of a child, or of a group that was dropped.
    pub(crate) fn panics(&self, number: usize) {
        let now = self.world.now();
        let mut state = self.state();
        state.panics.push(number);
        state.cancelled.get_or_insert((now, Why::Failed));
    }

    pub(crate) fn body_ends(self: &Arc<Self>, end: End) {
        self.state().body = Some(end);
        self.change();
    }

    /// A child was cut, which stood here. Where that came from outside, the group must not give its value.
    pub(crate) fn child_cut(self: &Arc<Self>, place: &Place) {
        let now = self.world.now();
        let outside = self.outer.as_ref().map(|outer| outer.sight(now));
        let Some(outside) = outside.and_then(|outside| outside.first) else {
            return;
        };
        let inside = place.sight_within(self, now);
        let mut state = self.state();
        if !inside.is_possible() {
            state.cut_from_outside = true;
        } else if inside.due.is_none_or(|inside| inside >= outside) {
            state.perhaps_cut_from_outside = true;
        }
    }

    /// The group was dropped by somebody else than anyrt; the enclosing one has to wait for what is left.
    pub(crate) fn dropped(self: &Arc<Self>) {
        self.world.mark("group dropped", self.id);
        let now = self.world.now();
        let mut state = self.state();
        state.is_dropped = true;
        state.cancelled.get_or_insert((now, Why::Dropped));
        drop(state);
        self.change();
    }

    /// Somebody has joined or left.
    fn change(self: &Arc<Self>) {
        let now = self.world.now();
        let mut state = self.state();
        state.last_change = now;
        if state.body.is_some() && state.others == 0 {
            state.others_done.get_or_insert(now);
        }
        let is_over = state.is_dropped && state.others + state.daemons == 0;
        let is_over = is_over && !state.ended;
        drop(state);
        if is_over {
            self.end();
        }
    }

    /// Nothing is left in it. What a dropped group has to say goes to the enclosing one.
    fn end(self: &Arc<Self>) {
        let mut state = self.state();
        state.ended = true;
        let is_dropped = state.is_dropped;
        let panics = state.panics.clone();
        drop(state);
        let Some(home) = self.outer.as_ref().and_then(|outer| outer.home()) else {
            return;
        };
        if is_dropped {
            self.world.mark("dropped group is over", self.id);
            panics
                .into_iter()
                .for_each(|panic| home.group.panics(panic));
        }
        home.leave();
    }

    /// When all in it was cancelled, the body too.
    pub(crate) fn cancelled(&self) -> Option<(u64, Why)> {
        self.state().cancelled
    }

    pub(crate) fn others_done(&self) -> Option<u64> {
        self.state().others_done
    }

    /// Whether it may refuse a child: it has ended, or is about to be cut.
    pub(crate) fn may_be_closed(&self) -> bool {
        let state = self.state();
        state.ended || (state.others + state.daemons == 0 && state.body.is_some())
    }

    /// Whether it must refuse a child.
    pub(crate) fn is_closed(&self) -> bool {
        self.state().ended
    }

    pub(crate) fn may_drop_errors(&self) -> bool {
        let state = self.state();
        state.is_dropped || !state.panics.is_empty()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics under this lock")
    }
}
