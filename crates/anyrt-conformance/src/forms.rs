//! The combinators with the backend filled in, in both of their forms: futures that borrow, and tasks of the runtime.

/// Checks the borrowing form, and then the parallel one.
macro_rules! both {
    ($($name:ident),+; $check:block) => {
        {
            use crate::forms::borrowing::{$($name),+};
            $check
        }
        {
            use crate::forms::parallel::{$($name),+};
            $check
        }
    };
}

pub(crate) use both;

macro_rules! form {
    ([$($path:tt)+] $($bound:tt)*) => {
        use std::future::Future;

        use anyrt_core::{Backend, Completed, Gather, GroupError, Race, Source};

        use crate::rt::Rt;

        #[track_caller]
        pub(crate) fn gather<B, G>(
            _: Rt<B>,
            futures: G,
        ) -> impl Future<Output = Result<G::Output, GroupError<G::Error>>>
        where
            B: Backend,
            G: Gather<Child: Future<Output = Result<(), G::Error>> $($bound)*>,
            G::Error: Send + 'static,
        {
            $($path)+::gather::<B, G>(futures)
        }

        #[track_caller]
        pub(crate) fn race<B, R>(_: Rt<B>, futures: R) -> impl Future<Output = R::Output>
        where
            B: Backend,
            R: Race<Output: Sized $($bound)*, Racer: Future<Output = R::Output> $($bound)*>,
        {
            $($path)+::race::<B, R>(futures)
        }

        #[track_caller]
        pub(crate) fn race_with<B, R>(
            _: Rt<B>,
            futures: R,
            late: impl FnMut(R::Output),
        ) -> impl Future<Output = R::Output>
        where
            B: Backend,
            R: Race<Output: Sized $($bound)*, Racer: Future<Output = R::Output> $($bound)*>,
        {
            $($path)+::race_with::<B, R, _>(futures, late)
        }

        #[track_caller]
        pub(crate) fn map_concurrent<B, M, S, T, E, F, Fut>(
            _: Rt<B>,
            source: S,
            limit: impl Into<Option<usize>>,
            f: F,
        ) -> impl Future<Output = Result<Vec<T>, GroupError<E>>>
        where
            B: Backend,
            S: Source<M>,
            T: Sized $($bound)*,
            E: Send + 'static,
            F: FnMut(S::Item) -> Fut,
            Fut: Future<Output = Result<T, E>> $($bound)*,
        {
            $($path)+::map_concurrent::<B, M, S, T, E, F, Fut>(source, limit, f)
        }

        #[track_caller]
        pub(crate) fn for_each_concurrent<B, M, S, E, F, Fut>(
            _: Rt<B>,
            source: S,
            limit: impl Into<Option<usize>>,
            f: F,
        ) -> impl Future<Output = Result<(), GroupError<E>>>
        where
            B: Backend,
            S: Source<M>,
            E: Send + 'static,
            F: FnMut(S::Item) -> Fut,
            Fut: Future<Output = Result<(), E>> $($bound)*,
        {
            $($path)+::for_each_concurrent::<B, M, S, E, F, Fut>(source, limit, f)
        }

        #[track_caller]
        pub(crate) fn as_completed<B, M, S, T, E, R, F, Fut>(
            _: Rt<B>,
            source: S,
            limit: impl Into<Option<usize>>,
            body: F,
        ) -> impl Future<Output = Result<R, GroupError<E>>>
        where
            B: Backend,
            S: Source<M>,
            S::Item: Future<Output = Result<T, E>> $($bound)*,
            T: Sized $($bound)*,
            E: Send + 'static,
            F: FnOnce(Completed<T>) -> Fut,
            Fut: Future<Output = Result<R, E>>,
        {
            $($path)+::as_completed::<B, M, S, T, E, R, F, Fut>(source, limit, body)
        }
    };
}

pub(crate) mod borrowing {
    form!([anyrt_core]);
}

pub(crate) mod parallel {
    form!([anyrt_core::parallel] + Send + 'static);
}
