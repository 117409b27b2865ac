//! Running a program with many seeds, until one of them fails.

use std::env;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use anyrt_core::Backend;

use crate::attempt::{Attempt, MAX_STEPS, assert_outside, attempt, text_of};
use crate::failure::{Failure, Way};
use crate::policy::Policy;
use crate::quiet::quietly;
use crate::replay::Replay;
use crate::settings::Settings;
use crate::shrink::shrink;
use crate::sim::Sim;

/// The variable that names the one order of events to run.
const VARIABLE: &str = "ANYRT_SEED";

/// A longer schedule is not printed; the seed alone names it as well.
const LONGEST: usize = 2_000;

/// Runs a program with one seed after the other, each of them another order of events, until one fails.
///
/// The program is given as what makes its future; it is called for every run. It fails if it panics, if it comes to a
/// deadlock, and if it goes on for more than a million steps. [`Explore::seeds`] begins.
///
/// # Examples
///
/// A whole test:
///
/// ```
/// use anyrt_sim::{Sim, explore};
///
/// explore::<Sim, _, _>(|| async {
///     let three = [0, 1, 2].map(|n| async move { Ok::<_, ()>(n) });
///     let all = anyrt_core::parallel::gather::<Sim, _>(three).await;
///     assert_eq!(all.unwrap(), [0, 1, 2]);
/// })
/// .seeds(0..100);
/// ```
pub fn explore<B, F, Fut>(program: F) -> Explore<B, F>
where
    B: Backend + From<Sim>,
    F: FnMut() -> Fut,
    Fut: Future<Output = ()>,
{
    let mut settings = Settings::with_seed(0);
    settings.max_steps = Some(MAX_STEPS);
    Explore {
        program,
        settings,
        depth: None,
        backend: PhantomData,
    }
}

/// A search that is about to begin; it comes from [`explore`].
#[must_use = "it does nothing before `seeds` is called"]
pub struct Explore<B, F> {
    program: F,
    settings: Settings,
    /// Of the priorities, if there are to be any.
    depth: Option<u32>,
    backend: PhantomData<fn() -> B>,
}

impl<B, F, Fut> Explore<B, F>
where
    B: Backend + From<Sim>,
    F: FnMut() -> Fut,
    Fut: Future<Output = ()>,
{
    /// Orders events by priorities instead of fair choices: [`Policy::Pct`] with this depth.
    ///
    /// The program is run once more at first, to see how many steps it takes.
    ///
    /// # Panics
    ///
    /// If `depth` is 0.
    #[track_caller]
    pub fn pct(mut self, depth: u32) -> Self {
        assert!(depth > 0, "`pct` needs a depth of at least 1");
        self.depth = Some(depth);
        self
    }

    /// How many steps a run may take; it fails if it takes more. A million unless it is said.
    pub fn max_steps(mut self, limit: u64) -> Self {
        self.settings.max_steps = Some(limit);
        self
    }

    /// How much virtual time a run may take; it fails if it takes more. Any amount unless it is said.
    pub fn max_time(mut self, limit: Duration) -> Self {
        self.settings.max_time = Some(limit);
        self
    }

    /// Runs the program with these seeds, and panics as the program does with the first of them that fails.
    ///
    /// Before that, it looks for the shortest schedule with which the program still fails in this way, and prints a
    /// report with a line that replays it, such as
    ///
    /// ```text
    /// replay: ANYRT_SEED=17:3.1,12.2 cargo test cache::race
    /// ```
    ///
    /// If the environment has `ANYRT_SEED`, the program is run with that and nothing else.
    ///
    /// # Panics
    ///
    /// If the program fails; if there is no seed at all, since then nothing was tested; if `ANYRT_SEED` is not as
    /// described at [`Replay`]; and inside a run.
    ///
    /// # Examples
    ///
    /// ```should_panic
    /// use std::cell::Cell;
    ///
    /// use anyrt_core::{checkpoint, gather};
    /// use anyrt_sim::{Sim, explore};
    ///
    /// explore::<Sim, _, _>(|| async {
    ///     let count = Cell::new(0);
    ///     let add = async || {
    ///         let before = count.get();
    ///         checkpoint().await; // somebody else may add here
    ///         count.set(before + 1);
    ///         Ok::<_, ()>(())
    ///     };
    ///     gather::<Sim, _>([add(), add()]).await.unwrap();
    ///     assert_eq!(count.get(), 2);
    /// })
    /// .seeds(0..100);
    /// ```
    #[track_caller]
    pub fn seeds(mut self, seeds: impl IntoIterator<Item = u64>) {
        let failure = match env::var(VARIABLE) {
            Ok(text) => match text.parse() {
                Ok(replay) => self.try_one(replay),
                Err(error) => panic!("{VARIABLE}: {error}"),
            },
            Err(_) => self.search(seeds),
        };
        let Some(failure) = failure else { return };
        eprintln!("{failure}");
        // Once more, so that its panic is heard of as usual, and with whatever it carries.
        match self.run(self.replaying(&failure.replay)).result {
            Err(payload) => resume_unwind(payload),
            Ok(()) => panic!("it did not fail again; the report is above"),
        }
    }

    /// Runs the program with these seeds, and gives the first one that fails, with a schedule as short as was found.
    ///
    /// The environment has no say here.
    ///
    /// # Panics
    ///
    /// If there is no seed at all, and inside a run.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt_core::Backend;
    /// use anyrt_sim::{Sim, explore};
    ///
    /// let program = || async {
    ///     let sim = Sim::current().unwrap();
    ///     assert!(sim.seed() != 3, "it is three");
    /// };
    /// let failure = explore::<Sim, _, _>(program).first_failure(0..10).unwrap();
    /// assert_eq!((failure.seed(), failure.tried(), failure.message()), (3, 4, "it is three"));
    /// ```
    #[track_caller]
    pub fn first_failure(mut self, seeds: impl IntoIterator<Item = u64>) -> Option<Failure> {
        self.search(seeds)
    }

    #[track_caller]
    fn search(&mut self, seeds: impl IntoIterator<Item = u64>) -> Option<Failure> {
        assert_outside("explore");
        self.measure();
        let mut tried = 0;
        for seed in seeds {
            tried += 1;
            let found = quietly(|| self.run(self.with_seed(seed)));
            if let Err(payload) = found.result {
                return Some(quietly(|| self.look_closer(seed, tried, text_of(&payload))));
            }
        }
        assert!(tried > 0, "there are no seeds, so nothing was explored");
        None
    }

    fn try_one(&mut self, replay: Replay) -> Option<Failure> {
        assert_outside("explore");
        self.measure();
        match quietly(|| self.run(self.replaying(&replay))).result {
            Ok(()) => {
                eprintln!(
                    "anyrt: {replay} does not fail; no other seed is run while {VARIABLE} is set"
                );
                None
            }
            Err(payload) => Some(Failure {
                replay,
                tried: 1,
                message: text_of(&payload),
                way: Way::Replayed,
            }),
        }
    }

    /// Finds out how many steps the program takes, if that matters. It has to be the same for every seed, or a seed
    /// alone would not say it all.
    fn measure(&mut self) {
        if let Some(depth) = self.depth {
            let mut settings = self.settings.clone();
            settings.policy = Policy::Fifo;
            let steps = quietly(|| self.run(settings)).recording.steps.max(1);
            self.settings.policy = Policy::Pct { depth, steps };
        }
    }

    fn run(&mut self, settings: Settings) -> Attempt<()> {
        // What makes the future is called inside of the run as well.
        attempt::<B, _>(settings, async { (self.program)().await })
    }

    fn with_seed(&self, seed: u64) -> Settings {
        let mut settings = self.settings.clone();
        settings.seed = seed;
        settings
    }

    fn replaying(&self, replay: &Replay) -> Settings {
        let mut settings = self.with_seed(replay.seed);
        settings.schedule = replay.schedule.clone().map(Arc::new);
        settings
    }

    /// Makes a report of a seed that has failed.
    fn look_closer(&mut self, seed: u64, tried: u64, message: String) -> Failure {
        let again = self.run(self.with_seed(seed));
        let kind = kind_of(&message);
        let fails_alike = |attempt: &Attempt<()>| {
            let payload = attempt.result.as_ref().err();
            payload.is_some_and(|payload| kind_of(&text_of(payload)) == kind)
        };
        let mut failure = Failure {
            replay: Replay {
                seed,
                schedule: None,
            },
            tried,
            way: Way::Vanished,
            message,
        };
        if fails_alike(&again) {
            let detours = again.recording.schedule.0.len();
            let shrunk = shrink(again.recording.schedule, &mut |schedule| {
                let mut settings = self.with_seed(seed);
                settings.schedule = Some(Arc::new(schedule));
                let attempt = self.run(settings);
                (fails_alike(&attempt), attempt.recording)
            });
            failure.way = Way::Shrunk {
                detours,
                runs: shrunk.runs,
            };
            if shrunk.schedule.0.len() <= LONGEST {
                failure.replay.schedule = Some(shrunk.schedule);
                // What is reported is what happens with what is reported.
                let last = self.run(self.replaying(&failure.replay)).result;
                failure.message = last.err().map_or(failure.message, |last| text_of(&last));
            }
        }
        failure
    }
}

/// What is alike about two failures: the first line of the text, numbers aside.
fn kind_of(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_ascii_digit()).collect()
}

impl<B, F> fmt::Debug for Explore<B, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explore").finish_non_exhaustive()
    }
}
