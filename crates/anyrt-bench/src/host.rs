//! The runtimes on which the work is done; there is one of each, for all cases.

use std::pin::Pin;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// Which runtime.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    OneThread,
    TwoWorkers,
    Smol,
    AsyncStd,
}

impl On {
    pub(crate) const TOKIO: [Self; 2] = [Self::OneThread, Self::TwoWorkers];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OneThread => "one thread",
            Self::TwoWorkers => "two workers",
            Self::Smol => "smol",
            Self::AsyncStd => "async-std",
        }
    }
}

/// A piece of work, which gives the time it has taken.
pub(crate) enum Work {
    Send(Pin<Box<dyn Future<Output = Duration> + Send>>),
    /// Only for one thread.
    Local(Pin<Box<dyn Future<Output = Duration>>>),
}

pub(crate) struct Hosts {
    one_thread: Runtime,
    two_workers: Runtime,
}

impl Hosts {
    pub(crate) fn start() -> Result<Self, String> {
        let start = |mut builder: Builder| {
            let runtime = builder.enable_all().worker_threads(2).build();
            runtime.map_err(|why| format!("cannot start a runtime: {why}"))
        };
        Ok(Self {
            one_thread: start(Builder::new_current_thread())?,
            two_workers: start(Builder::new_multi_thread())?,
        })
    }

    /// Drives the work on a worker, as the tasks of a program are, and not from outside.
    pub(crate) fn run(&self, on: On, work: Work) -> Duration {
        match (on, work) {
            (On::OneThread, Work::Send(work)) => self.one_thread.block_on(work),
            (On::OneThread, Work::Local(work)) => self.one_thread.block_on(work),
            (On::TwoWorkers, Work::Send(work)) => {
                let task = self.two_workers.spawn(work);
                self.two_workers.block_on(task).unwrap_or_else(|end| {
                    std::panic::resume_unwind(end.into_panic());
                })
            }
            (On::Smol, Work::Send(work)) => smol::block_on(smol::spawn(work)),
            (On::AsyncStd, Work::Send(work)) => {
                async_std::task::block_on(async_std::task::spawn(work))
            }
            (on, Work::Local(_)) => panic!("local work cannot be done on {}", on.name()),
        }
    }
}
