//! Simulations that are not as usual.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::policy::Policy;
use crate::replay::Replay;
use crate::settings::Settings;
use crate::sim::Sim;
use crate::timeline::Timeline;

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

    /// How many steps a run may take; a step is one poll of one task, or of main, or
    /// one turn of a blocking call. No limit unless it is said.
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

    /// Keeps what happens in a run in `timeline`, to be looked at as a picture; of several runs, the latest.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt_sim::{Sim, Timeline};
    ///
    /// let timeline = Timeline::new();
    /// let sim = Sim::builder().seed(7).timeline(&timeline).build();
    /// anyrt_core::run(&sim, async {});
    /// assert!(timeline.to_svg().starts_with("<svg"));
    /// ```
    pub fn timeline(mut self, timeline: &Timeline) -> Self {
        self.0.timeline = Some(timeline.clone());
        self
    }

    /// Lets a blocking call be at work for so long, in real time, before the run is given up; a minute by default.
    ///
    /// Nothing else goes on meanwhile, and a call that waits for something else by means that the simulator does not see
    /// would wait for ever. `Duration::MAX` is for debuggers.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use anyrt_core::{run, to_thread};
    /// use anyrt_sim::Sim;
    ///
    /// let stuck = std::panic::catch_unwind(|| {
    ///     let (_open, gate) = std::sync::mpsc::channel::<()>();
    ///     let sim = Sim::builder().patience(Duration::from_millis(10)).build();
    ///     run(&sim, to_thread::<Sim, _, _>(move || gate.recv()))
    /// });
    /// let message = stuck.unwrap_err().downcast::<String>().unwrap();
    /// assert!(message.starts_with("stuck"));
    /// ```
    pub fn patience(mut self, patience: Duration) -> Self {
        self.0.patience = patience;
        self
    }

    /// Lets the threads of blocking calls go on whenever they can, side by side, instead of one at a time.
    ///
    /// For programs whose threads wait for each other in ways that the simulator does not see, and cannot be changed. A
    /// seed does not name the order of what they do; virtual time still stands still while one of them is at work.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::{Arc, Barrier};
    ///
    /// use anyrt_core::Backend;
    /// use anyrt_sim::Sim;
    ///
    /// Sim::builder().free_threads().build().run(async {
    ///     let meeting = Arc::new(Barrier::new(2));
    ///     let calls = [(); 2].map(|()| {
    ///         let meeting = Arc::clone(&meeting);
    ///         Sim::current().unwrap().spawn_blocking(move || meeting.wait())
    ///     });
    ///     for call in calls {
    ///         assert!(call.await.is_some());
    ///     }
    /// });
    /// ```
    pub fn free_threads(mut self) -> Self {
        self.0.free_threads = true;
        self
    }

    /// The simulation that was described.
    pub fn build(self) -> Sim {
        Sim::of(self.0)
    }
}
