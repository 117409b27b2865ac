//! Options of groups whose children run in one task, under the names that those of the others have.

use std::future::Future;
use std::time::Duration;

use anyrt_core::{Backend, GroupError, GroupOptions, ScopedGroup};

/// [`GroupOptions`] whose `run` is `run_scoped`.
#[derive(Debug)]
pub(crate) struct ScopedOptions<B, E>(pub(crate) GroupOptions<B, E>);

impl<B: Backend, E: Send + 'static> ScopedOptions<B, E> {
    pub(crate) fn name(self, name: &str) -> Self {
        Self(self.0.name(name))
    }

    #[track_caller]
    pub(crate) fn limit(self, children: usize) -> Self {
        Self(self.0.limit(children))
    }

    pub(crate) fn supervise(self) -> Self {
        Self(self.0.supervise())
    }

    pub(crate) fn supervise_with(
        self,
        handler: impl Fn(Option<&str>, E) + Send + Sync + 'static,
    ) -> Self {
        Self(self.0.supervise_with(handler))
    }

    pub(crate) fn grace(self, grace: Duration) -> Self {
        Self(self.0.grace(grace))
    }

    #[track_caller]
    pub(crate) fn run<'env, T, F, Fut>(
        self,
        body: F,
    ) -> impl Future<Output = Result<T, GroupError<E>>>
    where
        F: FnOnce(ScopedGroup<'env, B, E>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        self.0.run_scoped(body)
    }
}
