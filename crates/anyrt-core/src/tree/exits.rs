//! The cleanups that are to run when a scope ends.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::{ENDED, EXITS, Node, Role};
use crate::lock::lock;

pub(crate) type Exit = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Starts a task that nobody waits for; for cleanups whose scope was dropped from outside.
pub(crate) type Launch = Arc<dyn Fn(Exit) + Send + Sync>;

pub(crate) struct Exits {
    list: Vec<Exit>,
    launch: Launch,
}

impl Node {
    /// Registers a cleanup for the end of the scope at this place, the nearest one that has not ended; gives it back if
    /// there is none.
    pub(crate) fn push_exit(self: &Arc<Self>, exit: Exit, launch: &Launch) -> Result<(), Exit> {
        let takes_exits = |node: &&Arc<Node>| !matches!(node.role, Role::Shield | Role::Children);
        for host in self.around().filter(takes_exits) {
            let mut state = lock(&host.state);
            if host.is(ENDED) {
                continue;
            }
            let exits = state.rare().exits.get_or_insert_with(|| Exits {
                list: Vec::new(),
                launch: launch.clone(),
            });
            exits.list.push(exit);
            host.set(EXITS);
            return Ok(());
        }
        Err(exit)
    }

    #[inline]
    pub(crate) fn has_exits(&self) -> bool {
        self.is(EXITS)
    }

    /// Takes the cleanup that was registered last.
    pub(crate) fn pop_exit(&self) -> Option<Exit> {
        if !self.has_exits() {
            return None;
        }
        lock(&self.state).rare().exits.as_mut()?.list.pop()
    }

    /// How to go on with the cleanups in a task of their own.
    pub(crate) fn launch(&self) -> Option<Launch> {
        let state = lock(&self.state);
        let exits = state.rare.as_ref()?.exits.as_ref()?;
        Some(exits.launch.clone())
    }
}

impl fmt::Debug for Exits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exits")
            .field("len", &self.list.len())
            .finish_non_exhaustive()
    }
}
