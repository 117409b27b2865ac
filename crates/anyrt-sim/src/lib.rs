//! The deterministic simulator backend of anyrt: one thread, a seed, and a clock that jumps.
//!
//! [`Sim`] runs a program on the thread that calls [`run`](anyrt_core::Backend::run). Whatever can go on
//! next is chosen by a generator with a seed, so a seed names an interleaving and gives it back as often
//! as it is asked for. Time is virtual: when nothing can go on, the clock jumps to the next timer, so
//! programs that sleep for days take no time. When nothing can *ever* go on, `run` panics and says
//! "deadlock", instead of hanging.
//!
//! Blocking calls run on real threads, one each. The clock stands still while one of them runs, but the
//! moment at which it ends is up to the machine: a program that uses threads is not yet replayed exactly
//! by its seed.
//!
//! The files, in reading order: `clock` and `queue` are plain data (what is due, what can go on),
//! `simulation` puts both behind one lock, `task`, `call` and `sleep` are what programs put in, `context`
//! knows which simulation this thread drives, and `run` is the loop and its end.
//!
//! # Examples
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
#![forbid(unsafe_code)]

mod line;
mod policy;
mod schedule;
mod pct;
mod chooser;
mod trace;
mod queue;
mod clock;
mod limit;
mod replay;
mod settings;

mod simulation;

mod sleep;
mod advance;
mod task;
mod wait;
mod call;

mod context;
mod run;

mod builder;
mod sim;

mod quiet;
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
