//! `gather`: all of several results.

use std::future::{Future, ready};
use std::panic::Location;

use crate::backend::Backend;
use crate::crew::{Crew, OwnNest, run};
use crate::error::GroupError;
use crate::landing::{Either, Landing, Seat, Seats, each_of, one_of, with_first};
use crate::nest::{Housing, Nest};
use crate::spawn::GroupOf;

/// Runs futures side by side and gives all their values, in the order of the futures.
///
/// It takes a `Vec`, an array, or a tuple of up to twelve futures that may differ in their values. They run in the task
/// of the caller, so they may borrow and need not be `Send`; [`parallel::gather`](crate::parallel::gather) runs them as
/// tasks of the runtime. The first error cancels the others, and all have ended before it is returned: it is a
/// [`scoped_group`](crate::scoped_group) whose children are these futures.
///
/// Unlike `futures::future::try_join_all` and the `try_join` of `futures-concurrency` it waits for those that it cancels,
/// and keeps their errors. For futures that cannot fail there is `join!`, which leaves nothing to be cancelled.
///
/// # Cancel safety
///
/// The futures are cancelled too, and waited for; the values of those that were done are dropped. Code that knows
/// nothing of scopes (`select!`, another crate's timeout) may drop it, and drops the futures in their order.
///
/// # Errors
///
/// [`GroupError`] with all errors in the order of time, if one of the futures failed.
///
/// # Panics
///
/// If a future panics: after all have ended, the first panic is resumed here. And where there is no runtime.
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// # use anyrt_core::gather;
/// # anyrt_core::run(&Sim::default(), async {
/// async fn parse<T: std::str::FromStr>(text: &str) -> Result<T, T::Err> {
///     anyrt_core::checkpoint().await;
///     text.parse()
/// }
///
/// let texts = ["20", "22"].map(String::from);
/// let numbers = gather::<Sim, _>(texts.each_ref().map(|text| parse(text))).await;
/// assert_eq!(numbers, Ok([20, 22]));
/// let (small, large) = gather::<Sim, _>((parse::<u8>("1"), parse::<u64>("2"))).await.unwrap();
/// assert_eq!((small, large), (1_u8, 2_u64));
/// # });
/// ```
#[track_caller]
pub fn gather<B, G>(futures: G) -> impl Future<Output = Result<G::Output, GroupError<G::Error>>>
where
    B: Backend,
    G: Gather<Child: Future<Output = Result<(), G::Error>>>,
    G::Error: Send + 'static,
{
    let nest: OwnNest<G::Child, G::Error> = Nest::default();
    gather_in::<B, _, _, G>(nest, futures, Location::caller())
}

pub(crate) async fn gather_in<B, N, S, G>(
    nest: N,
    futures: G,
    caller: &'static Location<'static>,
) -> Result<G::Output, GroupError<G::Error>>
where
    B: Backend,
    N: Housing<Spawner = S>,
    G: Gather<Child: Future<Output = Result<(), G::Error>>>,
    G::Error: Send + 'static,
    GroupOf<B, G::Error, S>: Crew<G::Child>,
{
    let (children, seats) = futures.sit_down();
    let body = |group: GroupOf<B, G::Error, S>| {
        group.take_in_all(children);
        ready(Ok(()))
    };
    run(nest, body, || false, caller).await?;
    Ok(G::collect(seats))
}

/// What [`gather`] takes: a `Vec`, an array or a tuple of futures that give a `Result`.
///
/// # Examples
///
/// All have one type of errors, as the children of a group have.
///
/// ```compile_fail,E0271
/// # use anyrt_core::gather;
/// # use anyrt_sim::Sim;
/// # use std::future::ready;
/// let all = gather::<Sim, _>((ready(Err::<(), _>("text")), ready(Err::<(), _>(7))));
/// ```
///
/// An iterator has no end that is known, so it is for [`map_concurrent`](crate::map_concurrent) and its limit.
///
/// ```compile_fail,E0277
/// # use anyrt_core::gather;
/// # use anyrt_sim::Sim;
/// # use std::future::ready;
/// let all = gather::<Sim, _>((0..10).map(|n| ready(Ok::<_, ()>(n))));
/// ```
#[diagnostic::on_unimplemented(
    message = "`gather` cannot take `{Self}`",
    note = "it takes a `Vec`, an array or a tuple of up to twelve futures, each of which gives a `Result` with the \
            same type of errors",
    note = "for an iterator of futures, `collect` them into a `Vec`, or use `map_concurrent`"
)]
pub trait Gather: sealed::Sealed {
    /// All the values.
    type Output;
    /// What each of the futures may fail with.
    type Error;
    /// What runs for each of the futures.
    ///
    /// It is a future if all errors are of the same type. That is asked for by the functions and not here: with `&str` as
    /// the type of errors it would keep rustc from seeing that a tuple with `async` blocks is `Send`.
    type Child;
    #[doc(hidden)]
    type Seats;

    #[doc(hidden)]
    fn sit_down(self) -> (Vec<Self::Child>, Self::Seats);

    #[doc(hidden)]
    fn collect(seats: Self::Seats) -> Self::Output;
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

impl<F, T, E> Gather for Vec<F>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Vec<T>;
    type Error = E;
    type Child = Landing<F, Seat<T>>;
    type Seats = Seats<T>;

    fn sit_down(self) -> (Vec<Self::Child>, Seats<T>) {
        let seats = Seats::new(self.len());
        let children = self.into_iter().enumerate();
        let children = children.map(|(index, future)| Landing::new(future, seats.seat(index)));
        (children.collect(), seats)
    }

    fn collect(seats: Seats<T>) -> Vec<T> {
        seats.take()
    }
}

impl<F, T, E, const N: usize> Gather for [F; N]
where
    F: Future<Output = Result<T, E>>,
{
    type Output = [T; N];
    type Error = E;
    type Child = Landing<F, Seat<T>>;
    type Seats = Seats<T>;

    fn sit_down(self) -> (Vec<Self::Child>, Seats<T>) {
        Vec::from(self).sit_down()
    }

    fn collect(seats: Seats<T>) -> [T; N] {
        match seats.take().try_into() {
            Ok(values) => values,
            Err(_) => unreachable!("there is a seat for each future"),
        }
    }
}

macro_rules! gather_tuple {
    ($(($future:ident $value:ident $error:ident $name:ident $seat:ident))+) => {
        impl<$($future),+> sealed::Sealed for ($($future,)+) {}

        impl<$($future, $value, $error),+> Gather for ($($future,)+)
        where
            $($future: Future<Output = Result<$value, $error>>),+
        {
            type Output = ($($value,)+);
            type Error = E1;
            type Child = one_of!($(Landing<$future, Seat<$value>>),+);
            type Seats = ($(Seats<$value>,)+);

            fn sit_down(self) -> (Vec<Self::Child>, Self::Seats) {
                let ($($name,)+) = self;
                let seats = ($(Seats::<$value>::new(1),)+);
                let children = {
                    let ($($seat,)+) = &seats;
                    each_of!($(Landing::new($name, $seat.seat(0))),+)
                };
                (children, seats)
            }

            fn collect(seats: Self::Seats) -> Self::Output {
                let ($($seat,)+) = seats;
                ($($seat.take_one(),)+)
            }
        }
    };
}

with_first! {
    gather_tuple:
    (F1 T1 E1 f1 s1)
    (F2 T2 E2 f2 s2)
    (F3 T3 E3 f3 s3)
    (F4 T4 E4 f4 s4)
    (F5 T5 E5 f5 s5)
    (F6 T6 E6 f6 s6)
    (F7 T7 E7 f7 s7)
    (F8 T8 E8 f8 s8)
    (F9 T9 E9 f9 s9)
    (F10 T10 E10 f10 s10)
    (F11 T11 E11 f11 s11)
    (F12 T12 E12 f12 s12)
}
