//! What a group waits for: children, nested groups, and the values of children.

use std::sync::Arc;

use super::{Group, State};
use crate::place::{Link, Place};

/// A place in a group to be counted in: among the daemons, or among the others.
#[derive(Clone)]
pub(crate) struct Home {
    pub(super) group: Arc<Group>,
    is_daemon: bool,
}

/// The value of a child. It lives until somebody drops it, and the group waits for that.
///
/// It does not wait for one whose handle is held by somebody outside of the group.
pub(crate) struct Value(Option<Arc<Group>>);

impl Home {
    pub(crate) fn new(group: &Arc<Group>, is_daemon: bool) -> Self {
        Self {
            group: group.clone(),
            is_daemon,
        }
    }

    pub(crate) fn join(&self) {
        *self.count(&mut self.group.state()) += 1;
    }

    pub(crate) fn leave(&self) {
        *self.count(&mut self.group.state()) -= 1;
        self.group.change();
    }

    fn count<'a>(&self, state: &'a mut State) -> &'a mut usize {
        match self.is_daemon {
            true => &mut state.daemons,
            false => &mut state.others,
        }
    }
}

impl Value {
    pub(crate) fn new(group: &Arc<Group>, is_waited_for: bool) -> Self {
        let group = is_waited_for.then(|| group.clone());
        if let Some(group) = &group {
            group.state().values += 1;
        }
        Self(group)
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        if let Some(group) = &self.0 {
            group.state().values -= 1;
        }
    }
}

impl Place {
    /// Where a group that is made here has to be counted.
    pub(super) fn home(&self) -> Option<Home> {
        self.around().find_map(|place| match &place.link {
            Link::Body(group) | Link::Children(group) => Some(Home::new(group, false)),
            Link::Daemons(group) => Some(Home::new(group, true)),
            _ => None,
        })
    }
}
