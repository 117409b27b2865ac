//! The backend that is not there: a type without values, where a feature is off.

use std::convert::Infallible;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::str::FromStr;
use std::task::{Context, Poll};
use std::time::Instant;

use anyrt_core::{Backend, Join, UnknownBackend};

/// Stands for a backend whose feature is off. There is no value of it, so nothing can run on it.
#[derive(Clone, Copy, Debug)]
pub struct Absent(Infallible);

/// The handle of a task that cannot exist.
#[derive(Debug)]
pub struct AbsentTask<T>(Absent, PhantomData<fn() -> T>);

/// The sleep that cannot exist.
#[derive(Debug)]
pub struct AbsentSleep(Absent);

impl Backend for Absent {
    type Task<T: Send + 'static> = AbsentTask<T>;
    type Sleep = AbsentSleep;

    fn name(&self) -> &'static str {
        match self.0 {}
    }

    fn current() -> Option<Self> {
        None
    }

    fn run<F: Future>(&self, _: F) -> F::Output {
        match self.0 {}
    }

    fn spawn<F>(&self, _: F) -> AbsentTask<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        match self.0 {}
    }

    fn spawn_blocking<T, F>(&self, _: F) -> AbsentTask<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        match self.0 {}
    }

    fn now(&self) -> Instant {
        match self.0 {}
    }

    fn sleep_until(&self, _: Instant) -> AbsentSleep {
        match self.0 {}
    }
}

impl<T: 'static> Join<T> for AbsentTask<T> {
    fn is_finished(&self) -> bool {
        match self.0.0 {}
    }
}

impl<T> Future for AbsentTask<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<T>> {
        match self.0.0 {}
    }
}

impl Future for AbsentSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match self.0.0 {}
    }
}

impl FromStr for Absent {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<Self, UnknownBackend> {
        Err(UnknownBackend::new(name, &[]))
    }
}

impl TryFrom<&str> for Absent {
    type Error = UnknownBackend;

    fn try_from(name: &str) -> Result<Self, UnknownBackend> {
        name.parse()
    }
}
