//! What few children have, so that the others have no room for it: a turn to wait for, and a name.

use std::sync::Arc;
use std::task::Context;

use crate::turn::Turn;

/// `None` for a child that has neither.
#[derive(Default)]
pub(crate) struct Extras(Option<Box<Both>>);

struct Both {
    /// In a group that bounds how many run at once.
    turn: Option<Turn>,
    name: Option<Arc<str>>,
}

impl Extras {
    pub(crate) fn new(turn: Option<Turn>, name: Option<Arc<str>>) -> Self {
        let is_any = turn.is_some() || name.is_some();
        Self(is_any.then(|| Box::new(Both { turn, name })))
    }

    #[inline]
    pub(crate) fn name(&self) -> &Option<Arc<str>> {
        self.0.as_ref().map_or(&None, |both| &both.name)
    }

    /// Whether the child has still to wait for its turn.
    #[inline]
    pub(crate) fn is_waiting(&self) -> bool {
        let turn = self.0.as_ref().and_then(|both| both.turn.as_ref());
        turn.is_some_and(Turn::is_waiting)
    }

    /// Whether the child may run; otherwise it is woken when it may.
    #[inline]
    pub(crate) fn may_run(&mut self, cx: &mut Context<'_>) -> bool {
        let turn = self.0.as_mut().and_then(|both| both.turn.as_mut());
        turn.is_none_or(|turn| turn.has_come(cx))
    }

    /// Others may run now.
    #[inline]
    pub(crate) fn end_turn(&mut self) {
        if let Some(both) = &mut self.0 {
            both.turn = None;
        }
    }
}
