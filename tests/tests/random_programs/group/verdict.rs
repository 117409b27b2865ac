//! Whether a group has ended as it has to.

use std::sync::Arc;

use anyrt::GroupError;

use super::{End, Group, State};
use crate::errors::Failure;
use crate::world::{PanicIs, Payload};

/// What came out of a group, or out of the run.
type GroupResult = Result<Result<(), GroupError<Failure>>, Payload>;

impl Group {
    /// The group has given its result: a panic before an error before a value, and nothing was left out.
    pub(crate) fn returned(self: &Arc<Self>, result: &GroupResult) {
        self.check_empty();
        let came_out = match result {
            Ok(Ok(())) => Out::Value,
            Ok(Err(error)) => Out::Errors(error.iter().map(Failure::numbers).collect()),
            Err(payload) => Out::Panic(self.world.number_of(&**payload)),
        };
        let (is_right, has_to, late_panics) = {
            let state = self.state();
            let late_panics: Vec<_> = state.panics.iter().skip(1).copied().collect();
            let has_to = match state.panics.first() {
                Some(first) => Some(Out::Panic(*first)),
                None if !state.errors.is_empty() => Some(Out::Errors(state.errors.clone())),
                None => state.may_give_value().then_some(Out::Value),
            };
            (has_to.as_ref() == Some(&came_out), has_to, late_panics)
        };
        if !is_right {
            self.world.violation(format_args!(
                "out of a group came {came_out:?}, not {has_to:?}, group {}",
                self.id
            ));
        }
        for panic in late_panics {
            self.world.panic_is(panic, PanicIs::Outdone);
        }
        self.world.mark("group returns", self.id);
        self.check_time();
        self.end();
    }

    /// The group has ended without a result, since it was cancelled from outside.
    pub(crate) fn cut(self: &Arc<Self>) {
        self.check_empty();
        let (has_failed, has_value) = {
            let state = self.state();
            let has_failed = !state.errors.is_empty() || !state.panics.is_empty();
            let has_value = state.may_give_value() && !state.perhaps_cut_from_outside;
            (has_failed, has_value)
        };
        if has_failed {
            self.world
                .violation("a group was cut although something in it had failed");
        }
        if has_value {
            self.world.violation("a group has kept its value to itself");
        }
        let now = self.world.now();
        match &self.outer {
            Some(outer) if outer.sight(now).is_possible() => {
                if outer.is_alone() {
                    self.check_time();
                }
            }
            _ => self.world.violation("a group was cut without a reason"),
        }
        self.world.mark("group cut", self.id);
        self.end();
    }

    /// Nothing outlives a group.
    fn check_empty(&self) {
        let state = self.state();
        let (others, daemons, values) = (state.others, state.daemons, state.values);
        drop(state);
        if others + daemons + values > 0 {
            self.world.violation(format_args!(
                "a group has ended before {others} children and groups, {daemons} daemons and {values} values"
            ));
        }
    }

    /// A group ends as soon as nothing is left in it.
    fn check_time(&self) {
        let last_change = self.state().last_change;
        if self.world.now() > last_change {
            self.world.violation("a group has slept over its end");
        }
    }
}

/// What can come out of a group.
#[derive(Debug, PartialEq, Eq)]
enum Out {
    Value,
    Errors(Vec<Vec<usize>>),
    Panic(usize),
}

impl State {
    fn may_give_value(&self) -> bool {
        self.body == Some(End::Value) && !self.cut_from_outside
    }
}
