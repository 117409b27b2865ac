//! What a promise about groups calls a group, where children are tasks of their own; `scoped_groups` has the other one.

pub(crate) use anyrt_core::{Task, TaskGroup};

pub(crate) type Rt<B> = crate::rt::Rt<B, crate::rt::Parallel>;
