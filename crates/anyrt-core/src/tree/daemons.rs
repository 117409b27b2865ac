//! The node of a group's daemons, which is made with the first of them.

use std::sync::Arc;

use super::{DAEMONS, Daemons, Node, Role};
use crate::home::Home;
use crate::lock::lock;

impl Node {
    /// Of a children node: the one of the daemons. Where there are to be no more it is the children node itself:
    /// what is spawned while a group is being given up is cancelled in any case.
    ///
    /// Daemons have a ledger of their own, since the group has to know when all but the daemons have ended.
    pub(crate) fn daemons_or_self(self: &Arc<Self>) -> Arc<Node> {
        let home = self
            .home
            .as_ref()
            .map(|home| Home::new(home.shared.clone(), false, None));
        let fresh = Node::with(Role::Children, Some(self.clone()), home);
        let mut state = lock(&self.state);
        let known = &mut state.rare().daemons;
        let daemons = match known {
            Daemons::None => {
                *known = Daemons::At(fresh.clone());
                self.set(DAEMONS);
                fresh.clone()
            }
            Daemons::At(daemons) => daemons.clone(),
            Daemons::NoMore => self.clone(),
        };
        // A node that is not needed leaves its parent's list, so it must not go under the lock.
        drop(state);
        drop(fresh);
        daemons
    }

    /// Of a children node: the one of the daemons, if there have been any.
    pub(crate) fn daemons(&self) -> Option<Arc<Node>> {
        if !self.is(DAEMONS) {
            return None;
        }
        match &lock(&self.state).rare().daemons {
            Daemons::At(daemons) => Some(daemons.clone()),
            Daemons::None | Daemons::NoMore => None,
        }
    }

    /// Of a children node: ends its tie to the daemons' node, which points back.
    pub(crate) fn take_daemons(&self) -> Option<Arc<Node>> {
        match std::mem::replace(&mut lock(&self.state).rare().daemons, Daemons::NoMore) {
            Daemons::At(daemons) => Some(daemons),
            Daemons::None | Daemons::NoMore => None,
        }
    }
}
