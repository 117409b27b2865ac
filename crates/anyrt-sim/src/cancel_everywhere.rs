//! Cancelling a program wherever it can be cancelled, and looking for what it leaves behind.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use anyrt_core::{Backend, Census, census, task_group};

use crate::attempt::{MAX_STEPS, Payload, assert_outside, attempt, text_of};
use crate::context;
use crate::disturb::{How, disturb};
use crate::settings::Settings;
use crate::sim::Sim;

/// Runs a program again and again, and cancels it at each place where that is possible.
///
/// A step of the simulation polls one task once; after it, all of the program is `Pending`. In the first round the
/// program is cancelled after its first step, then after its second, and so on until it ends before that: once by a
/// scope around it, and once by a drop from outside. Steps of tasks that the program has started count as its own.
///
/// After each round everything has to have ended. It is a failure if a task is still alive, or a scope or group; if
/// a token of the run's own limiter for threads is still out; if the program comes to a deadlock or takes more than a
/// million steps; and if it panics. [`CancelEverywhere`] has more to say, and can check what else has to hold. A program
/// that takes `n` steps takes about `n * n` of them here.
///
/// Gives the number of places.
///
/// # Panics
///
/// At the first failure, and says where and how the program was cancelled then; and inside a run.
///
/// # Examples
///
/// A whole test:
///
/// ```
/// use std::time::Duration;
///
/// use anyrt_core::{sleep, task_group};
/// use anyrt_sim::{Sim, cancel_everywhere};
///
/// cancel_everywhere::<Sim, _, _>(|| async {
///     let group = task_group::<Sim, _, (), _, _>(async |g| {
///         g.spawn(async { Ok(sleep::<Sim>(Duration::from_secs(1)).await) });
///         Ok(())
///     });
///     group.await.unwrap();
/// });
/// ```
#[track_caller]
pub fn cancel_everywhere<B, F, Fut>(program: F) -> u64
where
    B: Backend + From<Sim>,
    F: FnMut() -> Fut,
    Fut: Future<Output = ()>,
{
    CancelEverywhere::<B>::new().run(program)
}

/// [`cancel_everywhere`], with something to say about it.
///
/// # Examples
///
/// Money that is neither here nor there:
///
/// ```should_panic
/// use std::sync::atomic::{AtomicI32, Ordering::Relaxed};
///
/// use anyrt_core::checkpoint;
/// use anyrt_sim::{CancelEverywhere, Sim};
///
/// let accounts = [AtomicI32::new(100), AtomicI32::new(0)];
/// CancelEverywhere::<Sim>::new()
///     .check(|| assert_eq!(accounts.iter().map(|it| it.load(Relaxed)).sum::<i32>(), 100))
///     .run(|| async {
///         accounts[0].fetch_sub(10, Relaxed);
///         checkpoint().await; // not in a `shield`
///         accounts[1].fetch_add(10, Relaxed);
///     });
/// ```
#[must_use = "it does nothing before `run` is called"]
pub struct CancelEverywhere<'a, B> {
    settings: Settings,
    checks: Vec<Box<dyn FnMut() + 'a>>,
    backend: PhantomData<fn() -> B>,
}

impl<'a, B: Backend + From<Sim>> CancelEverywhere<'a, B> {
    /// With seed 0, and a limit of a million steps.
    pub fn new() -> Self {
        let mut settings = Settings::with_seed(0);
        settings.max_steps = Some(MAX_STEPS);
        Self {
            settings,
            checks: Vec::new(),
            backend: PhantomData,
        }
    }

    /// The seed of every round.
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// How many steps a round may take.
    pub fn max_steps(mut self, limit: u64) -> Self {
        self.settings.max_steps = Some(limit);
        self
    }

    /// Calls `check` after every round; if it panics, that is a failure.
    pub fn check(mut self, check: impl FnMut() + 'a) -> Self {
        self.checks.push(Box::new(check));
        self
    }

    /// Runs `program`, as [`cancel_everywhere`] does.
    ///
    /// # Panics
    ///
    /// At the first failure, and inside a run.
    #[track_caller]
    pub fn run<F, Fut>(mut self, mut program: F) -> u64
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = ()>,
    {
        assert_outside("cancel_everywhere");
        // Undisturbed first: a program that fails by itself should not be said to fail because of a cancellation.
        self.round(&mut program, None);
        for place in 1.. {
            let cancelled = self.round(&mut program, Some((place, How::Cancel)));
            let dropped = self.round(&mut program, Some((place, How::Drop)));
            if !cancelled && !dropped {
                return place - 1;
            }
        }
        unreachable!("it ends by itself within its limit of steps")
    }

    /// Gives whether the program was disturbed.
    #[track_caller]
    fn round<F, Fut>(&mut self, program: &mut F, when: Option<(u64, How)>) -> bool
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = ()>,
    {
        let what = Round {
            seed: self.settings.seed,
            when,
        };
        let main = round::<B, _, _>(program, when);
        let (is_disturbed, left) = match attempt::<B, _>(self.settings.clone(), main).result {
            Ok(end) => end,
            Err(payload) => what.failed(payload),
        };
        if let Some(left) = left {
            panic!("{what}: this was left behind: {left}");
        }
        for check in &mut self.checks {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(check)) {
                what.failed(payload);
            }
        }
        is_disturbed
    }
}

/// One round, inside of its run: whether the program was disturbed, and what it has left behind.
async fn round<B, F, Fut>(program: &mut F, when: Option<(u64, How)>) -> (bool, Option<Left>)
where
    B: Backend,
    F: FnMut() -> Fut,
    Fut: Future<Output = ()>,
{
    let simulation = context::current().expect("this is a run of the simulator");
    let (at, how) = when.map_or((None, How::Cancel), |(at, how)| (Some(at), how));
    let body = async { program().await };
    // What is dropped from outside is waited for by the group around it.
    let group = task_group::<B, _, Infallible, _, _>(|_| async {
        Ok(disturb::<B, _>(&simulation, at, how, body).await)
    });
    let is_disturbed = match group.await {
        Ok(is_disturbed) => is_disturbed,
        Err(error) => match error.first {},
    };
    let (tasks, census) = (simulation.lock().tasks.len(), census());
    let left = (tasks > 0 || census != Census::default()).then(|| Left {
        tasks,
        census,
        report: simulation.record().report(),
    });
    (is_disturbed, left)
}

/// What a program has left behind.
#[derive(Debug)]
struct Left {
    /// Tasks of the simulation, whoever started them.
    tasks: usize,
    census: Census,
    /// The tree of groups, scopes and tasks.
    report: String,
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Census {
            groups,
            scopes,
            tokens,
            tasks,
            ..
        } = self.census;
        let all = [
            (self.tasks.max(tasks), "tasks that are alive"),
            (groups, "groups that wait"),
            (scopes, "scopes that wait"),
            (tokens, "tokens of the limiter for threads"),
        ];
        let mut comma = "";
        for (count, what) in all {
            if count > 0 {
                write!(f, "{comma}{what}: {count}")?;
                comma = ", ";
            }
        }
        f.write_str(&self.report)
    }
}

/// Which round it is.
struct Round {
    seed: u64,
    when: Option<(u64, How)>,
}

impl Round {
    /// Goes on with a panic, once it was said in which round it came.
    fn failed(&self, payload: Payload) -> ! {
        let text = text_of(&payload);
        // The panic hook has printed the rest.
        eprintln!("{self}: {}", text.lines().next().unwrap_or_default());
        resume_unwind(payload)
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.when {
            None => f.write_str("cancel_everywhere: undisturbed")?,
            Some((place, How::Cancel)) => write!(
                f,
                "cancel_everywhere: cancelled by its scope at `Pending` number {place}"
            )?,
            Some((place, How::Drop)) => write!(
                f,
                "cancel_everywhere: dropped from outside at `Pending` number {place}"
            )?,
        }
        write!(f, " (seed {})", self.seed)
    }
}

impl<B: Backend + From<Sim>> Default for CancelEverywhere<'_, B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B> fmt::Debug for CancelEverywhere<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelEverywhere").finish_non_exhaustive()
    }
}
