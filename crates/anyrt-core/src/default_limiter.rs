//! The limiter of those who bring none of their own.

use std::sync::{Arc, LazyLock};

use crate::home::DEFAULT_THREADS;
use crate::limiter::Limiter;
use crate::place;
use crate::tree::Node;
use crate::worker;

/// The limiter of those `to_thread` calls that bring none of their own: 40 tokens for each run.
///
/// Outside of every run and group of ours it is one for the whole process. Changing its total changes how many
/// threads run at once from now on.
///
/// # Examples
///
/// ```
/// # anyrt_core::run(&anyrt_sim::Sim::default(), async {
/// let threads = anyrt_core::default_thread_limiter();
/// assert_eq!(threads.total(), 40);
/// threads.set_total(100);
/// assert_eq!(anyrt_core::default_thread_limiter().available(), 100);
/// # });
/// ```
pub fn default_thread_limiter() -> Limiter {
    let of_run = |node: &Arc<Node>| Some(node.home.as_ref()?.shared.limiter().clone());
    let of_worker = || of_run(worker::current()?.host()?);
    place::look(of_run)
        .unwrap_or_else(of_worker)
        .unwrap_or_else(|| OUTSIDE.clone())
}

/// For calls outside of every run and group of ours.
static OUTSIDE: LazyLock<Limiter> = LazyLock::new(|| Limiter::new(DEFAULT_THREADS));
