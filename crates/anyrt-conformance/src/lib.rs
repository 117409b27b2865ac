//! The promises of anyrt as tests that any backend can run.
//!
//! Each promise is one generic function with the promise for a name. [`suite!`] makes a test of each of
//! them for one backend:
//!
//! ```no_run
//! # use anyrt_sim::Sim as MyBackend;
//! anyrt_conformance::suite!(crate::MyBackend::default());
//! ```
//!
//! A promise holds on every backend or it is no promise: there are no exceptions here.
#![forbid(unsafe_code)]

mod scoped_options;
mod rt;
mod flavour;
mod probe;
mod everywhere;
mod forms;
mod check;
pub mod cleanups;
pub mod daemons;
pub mod starts;
pub mod moves;
pub mod groups;
pub mod stops;
pub mod tasks;
pub mod errors;
pub mod leaves;
pub mod scopes;
pub mod linked;
pub mod reasons;
pub mod deadlines;
pub mod shields;
pub mod quiet;
pub mod outside;
pub mod threads;
pub mod out_of_threads;
pub mod thread_ends;
pub mod iterators;
pub mod limiters;
pub mod portals;
pub mod portal_calls;
pub mod portal_runs;
pub mod limits;
pub mod supervised;
pub mod context;
pub mod backends;
pub mod runs;
pub mod watched;
pub mod misuse;
pub mod exits;
pub mod group_exits;
pub mod lent;
pub mod adopted;
pub mod scoped_exits;
pub mod fairness;
pub mod futurelock;
pub mod one_task;
pub mod gathers;
pub mod races;
pub mod maps;
pub mod completions;
pub mod scoped_drops;
#[expect(clippy::duplicate_mod, reason = "it is the point")]
pub mod scoped_groups;
mod list;

pub use crate::check::{check, check_run};
pub use crate::rt::{InOneTask, Parallel, Rt};
