//! Simulations that are not as usual.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::policy::Policy;
use crate::replay::Replay;
use crate::settings::Settings;
use crate::sim::Sim;

/// Describes a simulation, piece by piece; it comes from [`Sim::builder`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use anyrt_core::Backend;
/// use anyrt_sim::{Policy, Sim};
///
/// let sim = Sim::builder()
///     .seed(7)
///     .policy(Policy::Fifo)
///     .max_steps(1_000)
///     .max_time(Duration::from_secs(3600))
///     .build();
/// assert_eq!(sim.run(async { 1 + 1 }), 2);
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing unless it is built"]
pub struct SimBuilder(Settings);

impl Sim {
    /// Describes a simulation, piece by piece; [`SimBuilder`] has the pieces.
    pub const fn builder() -> SimBuilder {
        SimBuilder(Settings::with_seed(0))
    }
}

impl SimBuilder {
    /// From what the choices are made; 0 unless it is said.
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }

    /// By which rule the one that goes on is chosen; [`Policy::Random`] unless it is said.
    ///
    /// # Panics
    ///
    /// If the depth or the number of steps of a [`Policy::Pct`] is 0.
    #[track_caller]
    pub fn policy(mut self, policy: Policy) -> Self {
        if let Policy::Pct { depth, steps } = policy {
            assert!(
                depth > 0 && steps > 0,
                "`Policy::Pct` needs a depth and a number of steps of at least 1"
            );
        }
        self.0.policy = policy;
        self
    }

    /// Takes the seed and the order of events from a run that was before, instead of a policy.
    pub fn replay(mut self, replay: &Replay) -> Self {
        self.0.seed = replay.seed;
        self.0.schedule = replay.schedule.clone().map(Arc::new);
        self
    }

    /// How many steps a run may take; a step is one poll of one task, or of main. No limit unless it is said.
    ///
    /// A run that is not done by then panics, also one that would go on for ever.
    ///
    /// # Examples
    ///
    /// ```should_panic
    /// # use std::{future, task::Poll};
    /// # use anyrt_core::Backend;
    /// # use anyrt_sim::Sim;
    /// Sim::builder().max_steps(1_000).build().run(future::poll_fn(|cx| {
    ///     cx.waker().wake_by_ref();
    ///     Poll::<()>::Pending // for ever
    /// }));
    /// ```
    pub fn max_steps(mut self, limit: u64) -> Self {
        self.0.max_steps = Some(limit);
        self
    }

    /// How far the clock may go from the start; no limit unless it is said.
    ///
    /// A run that would have to wait for longer panics instead.
    pub fn max_time(mut self, limit: Duration) -> Self {
        self.0.max_time = Some(limit);
        self
    }

    /// Whether the clock jumps to the next timer when nothing else can go on; it does unless it is said.
    ///
    /// If it does not, it moves while somebody awaits [`Sim::advance`], and not otherwise.
    pub fn autojump(mut self, autojump: bool) -> Self {
        self.0.autojump = autojump;
        self
    }

    /// What [`Sim::system_time`] gives at the start; the Unix epoch unless it is said.
    pub fn start_time(mut self, time: SystemTime) -> Self {
        self.0.start_time = time;
        self
    }

    /// The simulation that was described.
    pub fn build(self) -> Sim {
        Sim::of(self.0)
    }
}
