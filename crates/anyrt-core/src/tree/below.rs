//! Who is listed below a node.

use std::sync::Arc;

use super::{ENDED, Member, Node};
use crate::lock::lock;

impl Node {
    /// All nodes that are listed below this one, at any depth, and have not ended.
    pub(crate) fn all_below(self: &Arc<Self>) -> Vec<Arc<Node>> {
        let mut all = self.listed();
        let mut next = 0;
        while let Some(node) = all.get(next) {
            let listed = node.listed();
            all.extend(listed);
            next += 1;
        }
        // They are listed for as long as anything lives below them.
        all.retain(|node| !node.is(ENDED));
        all
    }

    fn listed(&self) -> Vec<Arc<Node>> {
        let state = lock(&self.state);
        let below = |member: &Member| match member {
            Member::Below(node) => node.upgrade(),
            _ => None,
        };
        state.members.iter().filter_map(below).collect()
    }
}
