//! Counting what is alive.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::place;
use crate::tree::{Node, Role};

/// What was alive below one place, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Census {
    /// Children of groups: of the group that the place is in, and of all groups below it.
    pub tasks: usize,
    /// Groups that are waiting for something.
    pub groups: usize,
    /// Scopes, time limits and shields in which something is waiting.
    pub scopes: usize,
    /// Tokens of the run's own limiter for threads.
    pub tokens: usize,
}

/// Counts what is alive below the code that asks.
///
/// For tests that look for what was left behind. Outside of every run and group there is nothing to count. While other
/// threads are at work, it is a snapshot.
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// # anyrt_core::run(&Sim::default(), async {
/// let group = anyrt_core::task_group::<Sim, _, (), _, _>(async |g| {
///     g.spawn(async { Ok(()) });
///     Ok(anyrt_core::census().tasks)
/// });
/// assert_eq!(group.await.unwrap(), 1);
/// assert_eq!(anyrt_core::census(), anyrt_core::Census::default());
/// # });
/// ```
pub fn census() -> Census {
    place::look(Arc::clone).map_or_else(Census::default, |node| Census::below(&node))
}

impl Census {
    fn below(place: &Arc<Node>) -> Self {
        let mut census = Self::default();
        let below = place.all_below();
        for node in &below {
            match node.role {
                Role::Body => census.groups += 1,
                Role::Scope | Role::Shield | Role::Cleanup => census.scopes += 1,
                Role::Children | Role::Root => {}
            }
        }
        let homes = below
            .iter()
            .chain([place])
            .filter_map(|node| node.home.as_ref());
        // Several nodes belong to one group.
        let homes: BTreeMap<_, _> = homes.map(|home| (Arc::as_ptr(home), home)).collect();
        census.tasks = homes.values().map(|home| home.children()).sum();
        if let Some(home) = &place.home {
            census.tokens = home.shared.borrowed();
        }
        census
    }
}
