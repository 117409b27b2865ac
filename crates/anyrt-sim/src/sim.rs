//! The backend itself: a value that describes a simulation, or is one.

use std::fmt;
use std::future::Future;
use std::str::FromStr;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant, SystemTime};

use anyrt_core::observe::Observer;
use anyrt_core::{AsyncTask, Backend, UnknownBackend};

use crate::advance::Advance;
use crate::settings::Settings;
use crate::simulation::Simulation;
use crate::sleep::Sleep;
use crate::{call, context, run, task, turn, wait};

/// The simulator: runs a program on one thread, in an order named by a seed, in virtual time.
///
/// A value made by [`builder`](Sim::builder), [`with_seed`](Sim::with_seed) or `default()` (seed 0) *describes* a simulation;
/// [`run`](Backend::run) may start it any number of times, and each run is the same. A value given by
/// [`current`](Backend::current) *is* a running one and may be sent anywhere. A description that is used
/// like a running one stands for the simulation that the calling thread drives.
///
/// - *Order.* What was woken is chosen at random by the seed, main included, or by another [`Policy`](crate::Policy).
/// - *Time.* It moves only when nothing can go on. Then it jumps to the next
///   timer. A task that keeps waking itself therefore holds the clock.
/// - *Threads.* A blocking call runs on a real thread, when the seed gives it a turn. Nothing else goes on
///   then, until the call ends, or waits or gives way in [`from_thread`](anyrt_core::from_thread) or by a
///   [portal](anyrt_core::Portal). It must not wait for others in ways that the simulator does not see (locks and
///   channels of `std`, other executors), nor keep a lock of `std` where it waits: `run` panics if a turn lasts
///   longer than the [`patience`](crate::SimBuilder::patience). There is
///   [`wait_outside`](anyrt_core::from_thread::wait_outside) for what cannot be helped, and there are
///   [`free_threads`](crate::SimBuilder::free_threads).
/// - *Deadlock.* If there is no timer either, `run` panics and says so, with the tree of groups, scopes and tasks that
///   are left, what each waits for, and where it was spawned. A thread that the simulator did not start is not waited
///   for: let a blocking call stand for it.
/// - *The end.* When main is done or panics, all tasks and timers are dropped before `run` returns, and blocking calls
///   that have not begun; those that have are left to themselves. A destructor that panics there is reported by the
///   panic hook only.
///
/// # Panics
///
/// `run`: on a deadlock, if a blocking call keeps its turn, if the system gives no thread for one, and if the calling
/// thread drives a simulation already. `spawn`, `spawn_blocking`, `now` and `sleep_until`: on a description, if the
/// calling thread does not drive a simulation.
///
/// # Examples
///
/// ```
/// use std::sync::mpsc;
///
/// use anyrt_core::Backend;
/// use anyrt_sim::Sim;
///
/// fn order(seed: u64) -> Vec<u32> {
///     let (tx, rx) = mpsc::channel();
///     Sim::with_seed(seed).run(async move {
///         let sim = Sim::current().unwrap();
///         let tasks: Vec<_> = (0..10)
///             .map(|n| {
///                 let tx = tx.clone();
///                 sim.spawn(async move { tx.send(n).unwrap() })
///             })
///             .collect();
///         for task in tasks {
///             task.await.unwrap();
///         }
///     });
///     rx.into_iter().collect()
/// }
///
/// assert_eq!(order(1), order(1));
/// assert_ne!(order(1), order(2));
/// ```
#[derive(Clone)]
pub struct Sim(Kind);

/// It is cloned wherever something asks for the backend at its place, so it is small.
#[derive(Clone)]
enum Kind {
    Seed(u64),
    Described(Arc<Settings>),
    Live(Arc<Simulation>),
}

impl Sim {
    pub(crate) fn of(settings: Settings) -> Self {
        Self(Kind::Described(Arc::new(settings)))
    }

    /// Describes a simulation whose choices are made from `seed`.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt_core::Backend;
    /// use anyrt_sim::Sim;
    ///
    /// assert_eq!(Sim::with_seed(42).run(async { 1 + 1 }), 2);
    /// ```
    pub const fn with_seed(seed: u64) -> Self {
        Self(Kind::Seed(seed))
    }

    /// From what the choices are made.
    pub fn seed(&self) -> u64 {
        match &self.0 {
            Kind::Seed(seed) => *seed,
            Kind::Described(settings) => settings.seed,
            Kind::Live(simulation) => simulation.settings().seed,
        }
    }

    /// Lets the clock go on by `time`, and waits until it has: timers that become due meanwhile fire at their own
    /// instants, and what they wake goes on before the clock does.
    ///
    /// Where the clock jumps by itself this is a sleep. Where it does not, because of
    /// [`autojump`](crate::SimBuilder::autojump), this is the only thing that moves it.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: dropping the future leaves the clock where it is by then.
    ///
    /// # Panics
    ///
    /// If this only describes a simulation and the calling thread does not drive one, and if the clock cannot go that
    /// far.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use anyrt_core::Backend;
    /// use anyrt_sim::Sim;
    ///
    /// let sim = Sim::builder().autojump(false).build();
    /// anyrt_core::run(&sim, async {
    ///     let sim = Sim::current().unwrap();
    ///     let start = sim.now();
    ///     let sleeper = sim.spawn(sim.sleep_until(start + Duration::from_secs(3)));
    ///     sim.advance(Duration::from_secs(10)).await;
    ///     assert_eq!(sim.now(), start + Duration::from_secs(10));
    ///     assert_eq!(sleeper.await, Some(()));
    /// });
    /// ```
    #[track_caller]
    pub fn advance(&self, time: Duration) -> Advance {
        let simulation = self.simulation();
        match simulation.now().checked_add(time) {
            Some(to) => Advance::new(simulation, to),
            None => panic!("the clock cannot go on by {time:?}"),
        }
    }

    /// The virtual time since the start of the simulation.
    ///
    /// # Panics
    ///
    /// As [`advance`](Self::advance) on a description; so do the following.
    #[track_caller]
    pub fn elapsed(&self) -> Duration {
        self.simulation().lock().clock.elapsed()
    }

    /// The time of day in the simulation: its start time, and the virtual time since then.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    ///
    /// use anyrt_core::Backend;
    /// use anyrt_sim::Sim;
    ///
    /// let new_year = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    /// Sim::builder().start_time(new_year).build().run(async {
    ///     let sim = Sim::current().unwrap();
    ///     let hour = Duration::from_secs(3600);
    ///     sim.sleep_until(sim.now() + hour).await;
    ///     assert_eq!(sim.system_time(), new_year + hour);
    /// });
    /// ```
    #[track_caller]
    pub fn system_time(&self) -> SystemTime {
        let simulation = self.simulation();
        let elapsed = simulation.lock().clock.elapsed();
        simulation.settings().start_time + elapsed
    }

    /// How many steps the simulation has taken; a step is one poll of one task, or of main.
    #[track_caller]
    pub fn steps(&self) -> u64 {
        self.simulation().lock().queue.steps()
    }

    /// A hash of all that has happened in the simulation: who went on in each step, out of how many, and when.
    ///
    /// Two runs of the same program with the same seed have the same one, on every machine, if the program depends on
    /// nothing but the simulation.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt_core::Backend;
    /// use anyrt_sim::Sim;
    ///
    /// let trace = |seed| {
    ///     let sim = Sim::with_seed(seed).run(async {
    ///         let sim = Sim::current().unwrap();
    ///         let tasks: Vec<_> = (0..10).map(|n| sim.spawn(async move { n })).collect();
    ///         for task in tasks {
    ///             task.await;
    ///         }
    ///         sim
    ///     });
    ///     sim.trace()
    /// };
    /// assert_eq!(trace(1), trace(1));
    /// assert_ne!(trace(1), trace(2));
    /// ```
    #[track_caller]
    pub fn trace(&self) -> u64 {
        self.simulation().lock().queue.trace().value()
    }

    fn settings(&self) -> Settings {
        match &self.0 {
            Kind::Seed(seed) => Settings::with_seed(*seed),
            Kind::Described(settings) => Settings::clone(settings),
            Kind::Live(simulation) => simulation.settings().clone(),
        }
    }

    fn live(&self) -> Option<&Arc<Simulation>> {
        match &self.0 {
            Kind::Seed(_) | Kind::Described(_) => None,
            Kind::Live(simulation) => Some(simulation),
        }
    }

    /// The simulation that this value is, or stands for.
    #[track_caller]
    pub(crate) fn simulation(&self) -> Arc<Simulation> {
        match self.live().cloned().or_else(context::current) {
            Some(simulation) => simulation,
            None => panic!(
                "this `Sim` only describes a simulation, and this thread does not drive one; \
                 call `Sim::current()` inside of `run` and take that value along"
            ),
        }
    }
}

impl Backend for Sim {
    type Task<T: Send + 'static> = AsyncTask<T>;
    type Sleep = Sleep;

    fn name(&self) -> &'static str {
        "sim"
    }

    fn current() -> Option<Self> {
        context::current().map(|simulation| Self(Kind::Live(simulation)))
    }

    #[track_caller]
    fn run<F: Future>(&self, main: F) -> F::Output {
        run::run(&Simulation::new(self.settings()), main)
    }

    #[track_caller]
    fn spawn<F>(&self, future: F) -> AsyncTask<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        task::spawn(&self.simulation(), future)
    }

    #[track_caller]
    fn spawn_blocking<T, F>(&self, call: F) -> AsyncTask<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        call::spawn_blocking(&self.simulation(), call)
    }

    /// A blocking call that waits here lets others have a turn, and lives in virtual time.
    #[track_caller]
    fn block_on<F: Future>(&self, future: F, patience: Option<Duration>) -> Option<F::Output> {
        wait::block_on(&self.simulation(), future, patience)
    }

    fn wait_outside<R>(wait: impl FnOnce() -> R) -> R {
        turn::wait_outside(wait)
    }

    #[track_caller]
    fn now(&self) -> Instant {
        self.simulation().now()
    }

    #[track_caller]
    fn sleep_until(&self, at: Instant) -> Sleep {
        Sleep::new(self.simulation(), at)
    }

    fn observer(&self) -> Option<Arc<dyn Observer>> {
        let live = match &self.0 {
            Kind::Live(simulation) => simulation.clone(),
            _ => context::current()?,
        };
        Some(live)
    }

    fn outside_is_busy(&self, is_busy: bool) {
        if let Some(simulation) = self.live() {
            simulation.count_busy(if is_busy { 1 } else { -1 });
        }
    }

    #[track_caller]
    fn wake_when_idle(&self, waker: Waker) -> bool {
        self.simulation().wake_when_idle(waker);
        true
    }
}

impl Default for Sim {
    fn default() -> Self {
        Self::with_seed(0)
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = self.live().map(|live| live.lock().phase);
        f.debug_struct("Sim")
            .field("seed", &self.seed())
            .field("live", &phase)
            .finish()
    }
}

impl FromStr for Sim {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<Self, UnknownBackend> {
        UnknownBackend::unless(name, &["sim"]).map(|()| Self::default())
    }
}

impl TryFrom<&str> for Sim {
    type Error = UnknownBackend;

    fn try_from(name: &str) -> Result<Self, UnknownBackend> {
        name.parse()
    }
}
