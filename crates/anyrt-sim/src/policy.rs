//! By which rule the one that goes on is chosen.

/// How a simulation chooses between those that can go on.
///
/// # Examples
///
/// ```
/// use anyrt_core::Backend;
/// use anyrt_sim::{Policy, Sim};
///
/// let sim = Sim::builder().policy(Policy::Fifo).build();
/// assert_eq!(sim.run(async { 7 }), 7);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Policy {
    /// All are equally likely at every step.
    #[default]
    Random,
    /// First come, first served: whoever was woken first goes on first, whatever the seed.
    Fifo,
    /// Probabilistic concurrency testing: priorities that seldom change.
    ///
    /// Every task has a random priority, and the highest of those that can go on does, until a change point is
    /// reached, where it falls below all that have not fallen. One that goes on too often in a row gives way as well. Bugs that
    /// need one task to lag far behind the others are found sooner this way; and one that needs `depth` events in a
    /// certain order, in a program of `n` tasks and `steps` steps, is found by a seed with a probability of at least
    /// `1 / (n * steps^(depth - 1))`. This is from Burckhardt, Kothari, Musuvathi and Nagarakatte, "A Randomized
    /// Scheduler with Probabilistic Guarantees of Finding Bugs" (ASPLOS 2010).
    Pct {
        /// There are `depth - 1` change points; not 0.
        depth: u32,
        /// Over how many steps the change points are spread: about as many as the program takes; not 0.
        steps: u64,
    },
}
