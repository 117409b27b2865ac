//! The promises about groups, from the same files, for groups whose children run in one task.

/// What a promise about groups calls a group, where the children borrow and run in the task of their group.
mod flavour {
    /// Children that promises hand around own what they need.
    pub(crate) type TaskGroup<B, E> = anyrt_core::ScopedGroup<'static, B, E>;

    pub(crate) type Task<B, T> = anyrt_core::ScopedTask<B, T>;

    pub(crate) type Rt<B> = crate::rt::Rt<B, crate::rt::InOneTask>;
}

#[path = "everywhere.rs"]
mod everywhere;
#[path = "daemons.rs"]
pub mod daemons;
#[path = "starts.rs"]
pub mod starts;
#[path = "moves.rs"]
pub mod moves;
#[path = "groups.rs"]
pub mod groups;
#[path = "stops.rs"]
pub mod stops;
#[path = "tasks.rs"]
pub mod tasks;
#[path = "errors.rs"]
pub mod errors;
#[path = "leaves.rs"]
pub mod leaves;
#[path = "reasons.rs"]
pub mod reasons;
#[path = "quiet.rs"]
pub mod quiet;
#[path = "outside.rs"]
pub mod outside;
#[path = "limits.rs"]
pub mod limits;
#[path = "supervised.rs"]
pub mod supervised;
#[path = "group_exits.rs"]
pub mod group_exits;
#[path = "adopted.rs"]
pub mod adopted;
