//! `race`: the first of several results.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::panic::Location;
use std::sync::{Arc, Mutex};

use crate::backend::Backend;
use crate::crew::{Crew, OwnNest, run};
use crate::landing::{Either, Land, Landing, each_of, one_of, with_first};
use crate::lock::lock;
use crate::nest::{Housing, Nest};
use crate::reason::Reason;
use crate::spawn::GroupOf;
use crate::tree::Node;

/// Runs futures side by side and gives the first result, when the others have been cancelled and have ended.
///
/// It takes a `Vec`, an array, or a tuple of up to twelve futures that give the same type. They run in the task of the
/// caller, so they may borrow and need not be `Send`; [`parallel::race`](crate::parallel::race) runs them as tasks of
/// the runtime. Of several that are ready at once the first in order wins.
///
/// A loser is cancelled by the one rule: it is dropped where it is `Pending`, unless it holds. So it may come to its
/// own result after the winner; [`race_with`] hands that out, and here it is dropped at once. Nothing of a loser is
/// left when this returns.
///
/// Unlike `select!`, `futures::future::select_all` and the `race` of `futures-concurrency` it waits for the losers, and
/// does not lose what they have come to without a word. An error is a result like any other; for the first that is no error
/// see `select_ok` of `futures`.
///
/// # Cancel safety
///
/// The futures are cancelled too, and waited for. If one of them had won, the race still gives its value. Code that
/// knows nothing of scopes (`select!`, another crate's timeout) may drop it, and drops the futures in their order.
///
/// # Panics
///
/// If a future panics, also a loser: after all have ended, the first panic is resumed here, and the values are dropped.
/// If there are no futures. And where there is no runtime.
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// # use anyrt_sim::Sim;
/// # use anyrt_core::{race, sleep};
/// # anyrt_core::run(&Sim::default(), async {
/// async fn ask(server: &str, takes: u64) -> String {
///     sleep::<Sim>(Duration::from_secs(takes)).await;
///     format!("{server} has answered")
/// }
///
/// let answer = race::<Sim, _>([ask("near", 1), ask("far", 5)]).await;
/// assert_eq!(answer, "near has answered");
/// # });
/// ```
#[track_caller]
pub fn race<B, R>(futures: R) -> impl Future<Output = R::Output>
where
    B: Backend,
    R: Race<Racer: Future<Output = R::Output>>,
{
    let racers = racers("race", futures);
    let caller = Location::caller();
    let nest: OwnNest<_, _> = Nest::default();
    race_in::<B, _, _, _, _, fn(R::Output)>(nest, racers, None, caller)
}

/// Runs futures as [`race`] does, and hands each value that comes after the winner's to `late`.
///
/// For results that must not just be dropped: a second connection that came to be, or a job that was taken from a
/// queue. The values are handed over in the order of time, when all the futures have ended and before this returns.
///
/// # Cancel safety
///
/// As for [`race`]; if code that knows nothing of scopes drops it, the values are dropped with it.
///
/// # Panics
///
/// As [`race`], and if `late` panics.
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// # use anyrt_core::{checkpoint, race_with, shield};
/// # anyrt_core::run(&Sim::default(), async {
/// let connect = |name, steps| async move {
///     // Once it has begun it is not to be interrupted.
///     shield(async {
///         for _ in 0..steps {
///             checkpoint().await;
///         }
///         name
///     })
///     .await
/// };
/// let mut spare = Vec::new();
/// let first = race_with::<Sim, _, _>([connect("slow", 3), connect("quick", 1)], |late| spare.push(late)).await;
/// assert_eq!(first, "quick");
/// assert_eq!(spare, ["slow"]);
/// # });
/// ```
#[track_caller]
pub fn race_with<B, R, L>(futures: R, late: L) -> impl Future<Output = R::Output>
where
    B: Backend,
    R: Race<Racer: Future<Output = R::Output>>,
    L: FnMut(R::Output),
{
    let racers = racers("race_with", futures);
    let caller = Location::caller();
    let nest: OwnNest<_, _> = Nest::default();
    race_in::<B, _, _, _, _, L>(nest, racers, Some(late), caller)
}

#[track_caller]
pub(crate) fn racers<R: Race>(name: &str, futures: R) -> Vec<R::Racer> {
    let racers = futures.line_up();
    assert!(
        !racers.is_empty(),
        "anyrt: a `{name}` of no futures can have no winner; give it at least one"
    );
    racers
}

pub(crate) async fn race_in<B, N, S, F, T, L>(
    nest: N,
    racers: Vec<F>,
    late: Option<L>,
    caller: &'static Location<'static>,
) -> T
where
    B: Backend,
    N: Housing<Spawner = S>,
    F: Future<Output = T>,
    L: FnMut(T),
    GroupOf<B, Infallible, S>: Crew<Landing<F, Finish<T>>>,
{
    let track = Arc::new(Mutex::new(Track {
        winner: None,
        late: late.is_some().then(Vec::new),
    }));
    let body = |group: GroupOf<B, Infallible, S>| {
        let children = racers.into_iter().map(|racer| {
            let finish = Finish {
                track: track.clone(),
                children: group.scope().node().clone(),
            };
            Landing::new(racer, finish)
        });
        group.take_in_all(children.collect());
        ready(Ok(()))
    };
    match run(nest, body, || lock(&track).winner.is_some(), caller).await {
        Ok(()) => {}
        Err(error) => match error.first {},
    }
    let (winner, others) = {
        let mut track = lock(&track);
        (track.winner.take(), track.late.take())
    };
    if let Some(late) = late {
        others.into_iter().flatten().for_each(late);
    }
    match winner {
        Some(winner) => winner,
        None => unreachable!("a race that was not cut has a winner"),
    }
}

/// What has come in.
struct Track<T> {
    winner: Option<T>,
    /// `None` if nobody wants them.
    late: Option<Vec<T>>,
}

/// Where the result of a racer goes.
pub(crate) struct Finish<T> {
    track: Arc<Mutex<Track<T>>>,
    children: Arc<Node>,
}

impl<T> Land<T> for Finish<T> {
    type Error = Infallible;

    fn land(self, value: T) -> Result<(), Infallible> {
        let mut track = lock(&self.track);
        if track.winner.is_none() {
            track.winner = Some(value);
            drop(track);
            let reason = "another future has won the race";
            self.children.cancel(&Reason::Explicit(Some(reason.into())));
        } else if let Some(late) = &mut track.late {
            late.push(value);
        } else {
            drop(track);
            drop(value);
        }
        Ok(())
    }
}

/// What [`race`] takes: a `Vec`, an array or a tuple of futures that all give the same type.
#[diagnostic::on_unimplemented(
    message = "`race` cannot take `{Self}`",
    note = "it takes a `Vec`, an array or a tuple of up to twelve futures that all give the same type",
    note = "for an iterator of futures, `collect` them into a `Vec`"
)]
pub trait Race: sealed::Sealed {
    /// What each of the futures gives.
    type Output;
    /// What runs for each of the futures.
    ///
    /// It is a future if all give the same type. That is asked for by the functions and not here, as for
    /// [`Gather`](crate::Gather).
    type Racer;

    #[doc(hidden)]
    fn line_up(self) -> Vec<Self::Racer>;
}

mod sealed {
    #[expect(
        unnameable_types,
        reason = "nobody else can implement what cannot be named"
    )]
    pub trait Sealed {}

    impl<F> Sealed for Vec<F> {}
    impl<F, const N: usize> Sealed for [F; N] {}
}

impl<F: Future> Race for Vec<F> {
    type Output = F::Output;
    type Racer = F;

    fn line_up(self) -> Self {
        self
    }
}

impl<F: Future, const N: usize> Race for [F; N] {
    type Output = F::Output;
    type Racer = F;

    fn line_up(self) -> Vec<F> {
        self.into()
    }
}

macro_rules! race_tuple {
    ($(($future:ident $name:ident))+) => {
        impl<$($future),+> sealed::Sealed for ($($future,)+) {}

        impl<$($future: Future),+> Race for ($($future,)+) {
            type Output = F1::Output;
            type Racer = one_of!($($future),+);

            fn line_up(self) -> Vec<Self::Racer> {
                let ($($name,)+) = self;
                each_of!($($name),+)
            }
        }
    };
}

with_first! {
    race_tuple:
    (F1 f1) (F2 f2) (F3 f3) (F4 f4) (F5 f5) (F6 f6) (F7 f7) (F8 f8) (F9 f9) (F10 f10) (F11 f11) (F12 f12)
}
