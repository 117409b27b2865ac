//! What it costs: this crate and its peers, measured side by side.
//!
//! # How it was measured
//!
//! Each case does the same work with this crate and with its peers, in one process, on the same runtime, in turns: many
//! short rounds, in each of which nobody always comes after the same one. The *ratio* is ours to the peer's, in each
//! round, so that what disturbs a round disturbs both; below 1 we are faster. The column shows the median, and the
//! *middle half* lies around it.
//!
//! *Must* and *aim* are the ratios that were set as goals before anything was measured, and *reached* says which of
//! them has been. Where there is no goal the ratio is there for scale. The last columns are for one piece of the work,
//! ours and the peer's: the time, and how often and how much is allocated, which is counted in a round of its own and
//! on one thread only. Times belong to the machine, ratios less so.
//!
//! Limits and the facade's calls are measured below a group, where the runtime is known; whatever wakes them polls that
//! group, too. *Outside of a run* they ask tokio each time.
//!
//! Peers do less. A `JoinSet` does not wait for its tasks when it is dropped, a `TaskTracker` knows no errors, a token
//! has no reasons and no deadlines, `FuturesUnordered` has no handles, and `timeout` drops its body in the middle. What
//! is compared is what one would write with each of them for the same purpose.
//!
//! # How to repeat it
//!
//! - `cargo xtask bench` measures all of it, in some ten minutes; `cargo xtask bench --quick` takes a minute or two.
//! - `cargo xtask bench to_thread` measures the cases with these words in their names.
//! - `cargo xtask bench --instructions` counts instructions with valgrind instead, which is the same on a busy machine.
//! - `cargo xtask bench --json FILE` writes the figures for programs as well.
//! - `cargo xtask bench --doc` writes the tables below.
//!
//! The cases are in the package `anyrt-bench` of the repository.
//!
//! # The figures
//!
#![doc = include_str!("costs.md")]
//!
//! # What was not reached, and why
//!
//! - *Groups of tasks*: a child is a task of the runtime with more in it: where it stands in the tree of scopes, its
//!   way out when it is cancelled, and what it has taken along. So its allocation is larger, and takes longer to fill
//!   and to free. Each child that waits is listed once with its group, or nobody could wake it to cancel it. A peer
//!   that only counts its tasks, or only keeps their handles, needs none of this.
//! - *A group of three*: the group itself is a handful of allocations: two nodes of the scope tree, and what its members
//!   share. The outermost one also makes what a run has in common. Spread over a thousand children nobody sees that;
//!   over three one does.
//! - *Groups in one task*: a child is an allocation, and so are its waker and the place for its value. One allocation
//!   for all of it needs `unsafe`, which this crate does without.
//! - *Time limits*: a limit has no node in the tree until something below it asks for one, and costs no allocation then.
//!   What it costs beside `timeout` is that the body is polled with its place known and its panics caught, and that the
//!   clock is asked again where the body waits: the clock decides, and not the timer.
//! - *Nested limits*: only the earliest arms a timer. Each asks the clock when it begins.
//! - *Scopes at once*: one whose body waits has a node beside its handle, listed there and with the scope around it, or a
//!   cancellation from either would not find it.
//! - *The facade*: where the backend is asked for at each call, that is a look into a thread-local, and outside of all groups
//!   a clone of the runtime's handle. To make a timer, tokio has to be asked which runtime the thread is in, which costs such a
//!   clone as well.
//!
//! Not measured yet: requests over HTTP, as there is no socket layer.
