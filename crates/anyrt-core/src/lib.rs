//! Task groups, cancel scopes, time limits and threads, written once over a small backend trait.
//!
//! Applications and libraries use the facade crate `anyrt`, which re-exports all of this with the
//! backend filled in. This crate is for those who write a backend ([`Backend`] has the contract and a
//! worked example) and for those who read how it works: the modules below stand in reading order, a
//! file uses only files above it, and `group.rs` is the heart.
#![forbid(unsafe_code)]

mod park;
mod backend;
#[cfg(feature = "async-task")]
mod async_task;
mod name;
mod lock;
mod throw_away;
mod waker;
mod signal;
mod reason;
mod borrower;
mod limiter;
mod policy;
mod tally;
mod home;
mod tree;
mod worker;
mod span;
mod context;
mod access;
mod own_local;
mod task_local;
mod place;
mod census;
mod inside;
mod leaving;
mod hold;
mod guest;
mod followed;
mod visit;
mod time;
mod alarm;
mod scoped;
mod scope;
mod timeout;
mod shield;
mod stopping;
mod cleanup;
mod on_exit;
mod error;
mod delivery;
mod slot;
mod kind;
mod task;
mod turn;
mod extras;
mod child;
mod nested;
mod ready;
mod nest;
mod spawn;
mod started;
mod attempt;
mod start;
mod verbs;
mod group;
mod scoped_group;
mod options;
mod landing;
mod crew;
mod gather;
mod race;
mod source;
mod feed;
mod map;
mod completed;
pub mod parallel;
mod default_limiter;
mod thread;
pub mod from_thread;
mod iterate;
mod run;
mod abroad;
mod parcel;
mod door;
mod portal_task;
mod portal_call;
mod keeper;
mod portal;
mod portal_start;
mod own_portal;

pub use crate::access::AccessError;
#[cfg(feature = "async-task")]
pub use crate::async_task::AsyncTask;
pub use crate::backend::{Backend, Join};
pub use crate::borrower::{AlreadyBorrowing, Borrower};
pub use crate::census::{Census, census};
pub use crate::cleanup::{Finally, finally};
pub use crate::completed::{Completed, as_completed};
pub use crate::default_limiter::default_thread_limiter;
pub use crate::delivery::{Deliver, Delivery, Spawned};
pub use crate::door::PortalClosed;
pub use crate::error::{DynGroupError, FirstError, GroupError};
pub use crate::gather::{Gather, gather};
pub use crate::group::task_group;
pub use crate::iterate::{Iterate, NextItem, iterate_in_thread};
pub use crate::kind::{Kind, Nested, Parallel};
pub use crate::landing::{Either, Land, Landing, Seat, Seats};
pub use crate::limiter::{Acquire, AcquireFor, Limiter, Permit, Statistics};
pub use crate::map::{for_each_concurrent, map_concurrent};
pub use crate::name::UnknownBackend;
pub use crate::nest::{LocalChild, Nesting, SendChild};
pub use crate::on_exit::on_exit;
pub use crate::options::GroupOptions;
pub use crate::own_local::{OwnLocal, OwnSlot, WithOwn};
pub use crate::own_portal::{PortalProvider, start_portal};
pub use crate::place::{backend, find_backend, is_inside};
pub use crate::portal::{Portal, portal};
pub use crate::portal_task::{PortalOutcome, PortalTask};
pub use crate::race::{Race, race, race_with};
pub use crate::reason::{Cancelled, Reason, Stopped};
pub use crate::run::run;
pub use crate::scope::{CancelScope, Cancellation};
pub use crate::scoped::Run;
pub use crate::scoped_group::{local_group, scoped_group};
pub use crate::shield::{Shield, shield};
pub use crate::slot::Slot;
pub use crate::source::{AlwaysReady, ByIterator, ByStream, Source};
pub use crate::spawn::{GroupOf, LocalGroup, ScopedGroup, TaskGroup};
pub use crate::start::StartError;
pub use crate::started::Started;
pub use crate::stopping::{Stopping, is_stopping, stopping};
pub use crate::task::{Outcome, OutcomeOf, ScopedTask, Task, TaskOf};
pub use crate::task_local::{TaskLocal, WithLocal};
pub use crate::thread::{ToThread, to_thread};
pub use crate::time::{
    Checkpoint, Sleep, checkpoint, current_effective_deadline, now, sleep, sleep_until,
};
pub use crate::timeout::{Elapsed, FailAt, MoveOn, fail_after, fail_at, move_on_after, move_on_at};
