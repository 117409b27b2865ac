//! Several backends are compiled in: one enum that dispatches to them.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use anyrt_core::observe::Observer;
use anyrt_core::{Backend, Join, UnknownBackend};
use pin_project_lite::pin_project;

use crate::available::available;

// A variant whose feature is off holds a type without values, so the code below needs no cfg.
#[cfg(not(feature = "async-std"))]
use crate::absent::Absent as AsyncStd;
#[cfg(not(feature = "sim"))]
use crate::absent::Absent as Sim;
#[cfg(not(feature = "smol"))]
use crate::absent::Absent as Smol;
#[cfg(not(feature = "tokio"))]
use crate::absent::Absent as Tokio;
#[cfg(feature = "async-std")]
use anyrt_async_std::AsyncStd;
#[cfg(feature = "sim")]
use anyrt_sim::Sim;
#[cfg(feature = "smol")]
use anyrt_smol::Smol;
#[cfg(feature = "tokio")]
use anyrt_tokio::Tokio;

/// One of the backends that are compiled in.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), anyrt::UnknownBackend> {
/// for name in anyrt::available() {
///     let backend: anyrt::Current = name.parse()?;
///     assert_eq!(anyrt::run_on(backend, async { 7 }), 7);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Current {
    /// tokio.
    Tokio(Tokio),
    /// async-std.
    AsyncStd(AsyncStd),
    /// smol.
    Smol(Smol),
    /// The simulator.
    Sim(Sim),
}

macro_rules! dispatch {
    ($self:expr, $enum:ident, $backend:ident => $body:expr) => {
        match $self {
            $enum::Tokio($backend) => $body,
            $enum::AsyncStd($backend) => $body,
            $enum::Smol($backend) => $body,
            $enum::Sim($backend) => $body,
        }
    };
}

/// Maps a value per backend to the enum, variant by variant.
macro_rules! wrap {
    ($self:expr, $enum:ident, $backend:ident => $body:expr) => {
        match $self {
            Current::Tokio($backend) => $enum::Tokio($body),
            Current::AsyncStd($backend) => $enum::AsyncStd($body),
            Current::Smol($backend) => $enum::Smol($body),
            Current::Sim($backend) => $enum::Sim($body),
        }
    };
}

/// Which variant; of a run that was started by `run_on`, where the choice was explicit.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Tokio,
    AsyncStd,
    Smol,
    Sim,
}

thread_local! {
    static CHOSEN: Cell<Option<Kind>> = const { Cell::new(None) };
}

impl Current {
    fn kind(&self) -> Kind {
        match self {
            Self::Tokio(_) => Kind::Tokio,
            Self::AsyncStd(_) => Kind::AsyncStd,
            Self::Smol(_) => Kind::Smol,
            Self::Sim(_) => Kind::Sim,
        }
    }
}

impl Kind {
    fn current(self) -> Option<Current> {
        match self {
            Self::Tokio => Tokio::current().map(Current::Tokio),
            Self::AsyncStd => AsyncStd::current().map(Current::AsyncStd),
            Self::Smol => Smol::current().map(Current::Smol),
            Self::Sim => Sim::current().map(Current::Sim),
        }
    }
}

impl Backend for Current {
    type Task<T: Send + 'static> = CurrentTask<T>;
    type Sleep = CurrentSleep;

    fn name(&self) -> &'static str {
        dispatch!(self, Self, backend => backend.name())
    }

    /// The one whose run this is; else the only one in sight. With two in sight it is no guess but none.
    fn current() -> Option<Self> {
        if let Some(chosen) = CHOSEN.with(Cell::get) {
            return chosen.current();
        }
        let (tokio, async_std) = (Tokio::in_sight(), AsyncStd::in_sight());
        match (tokio, async_std, Smol::in_sight(), Sim::in_sight()) {
            (Some(tokio), None, None, None) => Some(Self::Tokio(tokio)),
            (None, Some(async_std), None, None) => Some(Self::AsyncStd(async_std)),
            (None, None, Some(smol), None) => Some(Self::Smol(smol)),
            (None, None, None, Some(sim)) => Some(Self::Sim(sim)),
            _ => None,
        }
    }

    fn run<F: Future>(&self, main: F) -> F::Output {
        let main = Chosen {
            kind: self.kind(),
            main,
        };
        dispatch!(self, Self, backend => backend.run(main))
    }

    fn spawn<F>(&self, future: F) -> CurrentTask<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        wrap!(self, CurrentTask, backend => backend.spawn(future))
    }

    fn spawn_blocking<T, F>(&self, call: F) -> CurrentTask<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        wrap!(self, CurrentTask, backend => backend.spawn_blocking(call))
    }

    fn block_on<F: Future>(&self, future: F, patience: Option<Duration>) -> Option<F::Output> {
        match self {
            Self::Sim(backend) => backend.block_on(future, patience),
            // It may be a call of the simulator's that waits for another runtime.
            _ => Self::wait_outside(
                || dispatch!(self, Self, backend => backend.block_on(future, patience)),
            ),
        }
    }

    /// Only the simulator has to know.
    fn wait_outside<R>(wait: impl FnOnce() -> R) -> R {
        Sim::wait_outside(wait)
    }

    fn now(&self) -> Instant {
        dispatch!(self, Self, backend => backend.now())
    }

    fn sleep_until(&self, at: Instant) -> CurrentSleep {
        let timer = match self {
            Self::Tokio(backend) => Timer::Tokio {
                sleep: backend.sleep_until(at),
            },
            Self::AsyncStd(backend) => Timer::AsyncStd {
                sleep: backend.sleep_until(at),
            },
            Self::Smol(backend) => Timer::Smol {
                sleep: backend.sleep_until(at),
            },
            Self::Sim(backend) => Timer::Sim {
                sleep: backend.sleep_until(at),
            },
        };
        CurrentSleep { timer }
    }

    fn outside_is_busy(&self, is_busy: bool) {
        dispatch!(self, Self, backend => backend.outside_is_busy(is_busy));
    }

    fn wake_when_idle(&self, waker: Waker) -> bool {
        dispatch!(self, Self, backend => backend.wake_when_idle(waker))
    }

    fn has_budget(&self) -> bool {
        dispatch!(self, Self, backend => backend.has_budget())
    }

    fn observer(&self) -> Option<Arc<dyn Observer>> {
        dispatch!(self, Self, backend => backend.observer())
    }
}

impl FromStr for Current {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<Self, UnknownBackend> {
        let tokio = || name.parse().map(Self::Tokio);
        let async_std = || name.parse().map(Self::AsyncStd);
        let smol = || name.parse().map(Self::Smol);
        let sim = || name.parse().map(Self::Sim);
        let unknown = |_: UnknownBackend| UnknownBackend::new(name, available());
        tokio()
            .or_else(|_| async_std())
            .or_else(|_| smol())
            .or_else(|_| sim())
            .map_err(unknown)
    }
}

impl TryFrom<&str> for Current {
    type Error = UnknownBackend;

    fn try_from(name: &str) -> Result<Self, UnknownBackend> {
        name.parse()
    }
}

#[cfg(feature = "tokio")]
impl From<Tokio> for Current {
    fn from(backend: Tokio) -> Self {
        Self::Tokio(backend)
    }
}

#[cfg(feature = "async-std")]
impl From<AsyncStd> for Current {
    fn from(backend: AsyncStd) -> Self {
        Self::AsyncStd(backend)
    }
}

#[cfg(feature = "smol")]
impl From<Smol> for Current {
    fn from(backend: Smol) -> Self {
        Self::Smol(backend)
    }
}

#[cfg(feature = "sim")]
impl From<Sim> for Current {
    fn from(backend: Sim) -> Self {
        Self::Sim(backend)
    }
}

/// The handle of a task on one of the backends.
#[derive(Debug)]
pub enum CurrentTask<T: Send + 'static> {
    /// A task on tokio.
    Tokio(<Tokio as Backend>::Task<T>),
    /// A task on async-std.
    AsyncStd(<AsyncStd as Backend>::Task<T>),
    /// A task on smol.
    Smol(<Smol as Backend>::Task<T>),
    /// A task in the simulator.
    Sim(<Sim as Backend>::Task<T>),
}

impl<T: Send + 'static> Future for CurrentTask<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        dispatch!(&mut *self, CurrentTask, task => Pin::new(task).poll(cx))
    }
}

impl<T: Send + 'static> Join<T> for CurrentTask<T> {
    fn is_finished(&self) -> bool {
        dispatch!(self, Self, task => task.is_finished())
    }
}

pin_project! {
    /// The timer of one of the backends.
    pub struct CurrentSleep {
        #[pin]
        timer: Timer,
    }
}

pin_project! {
    #[project = TimerProjection]
    enum Timer {
        Tokio { #[pin] sleep: <Tokio as Backend>::Sleep },
        AsyncStd { #[pin] sleep: <AsyncStd as Backend>::Sleep },
        Smol { #[pin] sleep: <Smol as Backend>::Sleep },
        Sim { #[pin] sleep: <Sim as Backend>::Sleep },
    }
}

impl Future for CurrentSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.project().timer.project() {
            TimerProjection::Tokio { sleep } => sleep.poll(cx),
            TimerProjection::AsyncStd { sleep } => sleep.poll(cx),
            TimerProjection::Smol { sleep } => sleep.poll(cx),
            TimerProjection::Sim { sleep } => sleep.poll(cx),
        }
    }
}

impl std::fmt::Debug for CurrentSleep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CurrentSleep").finish_non_exhaustive()
    }
}

pin_project! {
    /// The main future of a run, which knows on what it runs whatever else is in sight.
    struct Chosen<F> {
        kind: Kind,
        #[pin]
        main: F,
    }
}

impl<F: Future> Future for Chosen<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        struct Restore(Option<Kind>);
        impl Drop for Restore {
            fn drop(&mut self) {
                CHOSEN.with(|chosen| chosen.set(self.0));
            }
        }
        let this = self.project();
        let _restore = Restore(CHOSEN.with(|chosen| chosen.replace(Some(*this.kind))));
        this.main.poll(cx)
    }
}
