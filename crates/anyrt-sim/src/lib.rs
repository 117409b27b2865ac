//! The deterministic simulator backend of anyrt: one thread, a seed, and a clock that jumps.
//!
//! [`Sim`] runs a program on the thread that calls [`run`](anyrt_core::Backend::run). Whatever can go on
//! next is chosen by a generator with a seed, so a seed names an interleaving and gives it back as often
//! as it is asked for. Time is virtual: when nothing can go on, the clock jumps to the next timer, so
//! programs that sleep for days take no time. When nothing can *ever* go on, `run` panics and says
//! "deadlock", instead of hanging.
//!
//! Blocking calls run on real threads, but one at a time, and the loop waits meanwhile: whose turn it is is
//! chosen like everything else. A call keeps its turn until it ends or waits, in `from_thread` or by a portal.
//! So a seed names the order of what threads do as well, and the clock stands still while one of them computes.
//!
//! ```
//! use std::time::Duration;
//!
//! use anyrt_core::Backend;
//! use anyrt_sim::Sim;
//!
//! let (answer, time) = Sim::with_seed(7).run(async {
//!     let sim = Sim::current().unwrap();
//!     let start = sim.now();
//!     let task = sim.spawn(async {
//!         let sim = Sim::current().unwrap();
//!         sim.sleep_until(sim.now() + Duration::from_secs(3600)).await;
//!         42
//!     });
//!     (task.await, sim.now() - start)
//! });
//! assert_eq!(answer, Some(42));
//! assert_eq!(time, Duration::from_secs(3600));
//! ```
//!
//! # One run
//!
//! [`Sim::builder`] describes a simulation: its seed, the [`Policy`] by which the one that goes on is chosen, limits for
//! its steps and its time, and whether the clock jumps by itself or is moved by [`Sim::advance`]. A live simulation
//! says how far it has come: [`Sim::elapsed`], [`Sim::steps`], and [`Sim::trace`], a hash of all that has happened.
//!
//! A run that cannot go on says what is left in it. Here two transfers lock two accounts in opposite order:
//!
//! ```no_run
#![doc = include_str!("../examples/two_locks.rs")]
//! ```
//!
//! ```text
#![doc = include_str!("../examples/two_locks.txt")]
//! ```
//!
//! What a run has done can be looked at as a picture, or in Perfetto: [`Timeline`].
//!
//! # Many runs
//!
//! [`explore`] runs a program with one seed after the other, until one fails. Every choice between those that can go on is
//! made in one place and can be written down. What was written down for the failing seed is then made smaller, until few
//! choices are left that differ from first come, first served: `17:3.1,12.2` is first come, first served, but for two
//! steps. [`Replay`] says how to read it. That line runs this order again, in the environment (`ANYRT_SEED`) or in
//! [`SimBuilder::replay`].
//!
//! With [`Explore::pct`] the seeds stand for priorities instead of fair choices, which finds other bugs sooner: those
//! that need one task to lag far behind.
//!
//! What is chosen is which *task* goes on. Children that run in the task of their group, as those of `scoped_group` and
//! `gather` do, are polled in the order in which they were woken; the seed decides when that is.
//!
//! # Many cancellations
//!
//! [`cancel_everywhere`] cancels a program after its first step, after its second, and so on, and looks for what is left
//! behind. [`CancelEverywhere::check`] asks whether what has to hold then does.
//!
//! # The files
//!
//! In reading order: `line`, `policy`, `pct`, `chooser`, `trace`, `hand`, `queue` (what can go on, and which of it does),
//! `clock` (what is due), `settings` and `limit` are plain data. `record` is what an observer of the run hears, and
//! `report` and `timeline` print that. `simulation` puts them behind one lock. `task`, `call`, `sleep` and `advance` are
//! what programs put in, `turn` and `wait` what the threads of calls do, `context` knows which simulation this thread
//! drives, and `run` is the loop and its end. Above that are the searches, which use nothing but whole runs.
#![forbid(unsafe_code)]

mod line;
mod policy;
mod schedule;
mod pct;
mod chooser;
mod trace;
mod hand;
mod queue;
mod clock;
mod limit;
mod replay;
mod quiet;
mod record;
mod report;
mod timeline;
mod settings;

mod simulation;

mod sleep;
mod advance;
mod task;
mod turn;
mod wait;
mod call;

mod context;
mod run;

mod sim;
mod builder;

mod attempt;
mod shrink;
mod failure;
mod explore;
mod disturb;
mod cancel_everywhere;

pub use crate::advance::Advance;
pub use crate::builder::SimBuilder;
pub use crate::cancel_everywhere::{CancelEverywhere, cancel_everywhere};
pub use crate::explore::{Explore, explore};
pub use crate::failure::Failure;
pub use crate::policy::Policy;
pub use crate::replay::{BadReplay, Replay};
pub use crate::sim::Sim;
pub use crate::sleep::Sleep;
pub use crate::timeline::Timeline;
