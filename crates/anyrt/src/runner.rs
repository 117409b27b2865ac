//! What the attributes expand to calls of. Nobody else should.

use std::future::Future;
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::process::{ExitCode, Termination};
use std::time::Duration;

use crate::available::available;
use crate::current::Current;
use crate::run::run_on;
use crate::scope::fail_after;
use crate::seeds::{self, Replay};

type Boxed = Pin<Box<dyn Future<Output = ExitCode>>>;

/// A backend by its name, and what an attribute says about it.
#[derive(Debug)]
pub struct Runner {
    backend: &'static str,
    threads: Option<usize>,
    seeds: RangeInclusive<u64>,
    timeout: Option<Duration>,
}

impl Runner {
    /// On the backend of this name, with whatever it does by itself.
    pub fn new(backend: &'static str) -> Self {
        Self {
            backend,
            threads: None,
            seeds: 0..=0,
            timeout: None,
        }
    }

    /// On the only backend that is compiled in.
    pub fn only() -> Self {
        Self::new(available()[0])
    }

    /// Sets the number of worker threads, where that can be chosen.
    #[must_use]
    pub fn threads(self, threads: usize) -> Self {
        Self {
            threads: Some(threads),
            ..self
        }
    }

    /// Sets the seeds of the simulator: one run of a test for each, and of a program for the first.
    #[must_use]
    pub fn seeds(self, first: u64, last: u64) -> Self {
        Self {
            seeds: first..=last,
            ..self
        }
    }

    /// Sets the time limit of a run.
    #[must_use]
    pub fn milliseconds(self, timeout: u64) -> Self {
        Self {
            timeout: Some(Duration::from_millis(timeout)),
            ..self
        }
    }

    /// Runs the body of a program.
    #[track_caller]
    pub fn run_main<F: Future>(self, main: impl FnOnce() -> F) -> F::Output {
        let seed = *self.chosen_seeds().start();
        run_on(self.backend(seed), main())
    }

    /// Runs a test, on the simulator with each of its seeds up to the first with which it fails.
    #[track_caller]
    pub fn run_test<F>(
        self,
        path: &'static str,
        package: Option<&'static str>,
        test: impl Fn() -> F,
    ) -> ExitCode
    where
        F: Future<Output: Termination> + 'static,
    {
        self.run_each(path, package, &|| {
            let run = test();
            Box::pin(async { run.await.report() })
        })
    }

    /// Not generic, so that a thousand tests are not a thousand instances of all the runtimes.
    #[track_caller]
    fn run_each(
        self,
        path: &'static str,
        package: Option<&'static str>,
        test: &dyn Fn() -> Boxed,
    ) -> ExitCode {
        if !self.is_simulated() {
            return self.run_once(0, test());
        }
        for seed in self.chosen_seeds() {
            let replay = Replay {
                seed,
                path,
                package,
            };
            match self.run_once(seed, test()) {
                ExitCode::SUCCESS => replay.say_nothing(),
                failure => return failure,
            }
        }
        ExitCode::SUCCESS
    }

    fn is_simulated(&self) -> bool {
        self.backend == "sim"
    }

    /// One that means nothing where there is no choice.
    #[track_caller]
    fn chosen_seeds(&self) -> RangeInclusive<u64> {
        if self.is_simulated() {
            seeds::chosen(self.seeds.clone())
        } else {
            0..=0
        }
    }

    #[track_caller]
    fn run_once(&self, seed: u64, test: Boxed) -> ExitCode {
        let backend = self.backend(seed);
        let Some(timeout) = self.timeout else {
            return run_on(backend, test);
        };
        match run_on(backend, fail_after(timeout, test)) {
            Ok(code) => code,
            Err(_) => panic!("anyrt: the test has not ended within {timeout:?}"),
        }
    }

    /// The backend, as it is to be started.
    fn backend(&self, seed: u64) -> Current {
        #[cfg(any(feature = "tokio", feature = "smol", feature = "sim"))]
        fn current(backend: impl Into<Current>) -> Current {
            backend.into()
        }
        match (self.backend, self.threads, seed) {
            #[cfg(feature = "tokio")]
            ("tokio", Some(threads), _) => {
                current(anyrt_tokio::Tokio::multi_thread().worker_threads(threads))
            }
            #[cfg(feature = "smol")]
            ("smol", Some(threads), _) => current(anyrt_smol::Smol::with_threads(threads)),
            #[cfg(feature = "sim")]
            ("sim", _, seed) => current(seeds::simulator(seed)),
            (name, _, _) => match name.replace('_', "-").parse() {
                Ok(backend) => backend,
                Err(unknown) => panic!("anyrt: {unknown}"),
            },
        }
    }
}

/// The tests of one `#[anyrt::test]`: a module with a function for each backend that is compiled in.
#[doc(hidden)]
#[macro_export]
macro_rules! __test {
    (
        $module:ident $function:ident $attributes:tt $arrow:tt $end:tt $setters:tt
        $([$backend:ident $if_on:ident $off:tt])*
    ) => {
        mod $module {
            $( $crate::$if_on! {
                { $crate::__test_on! { $backend $function $attributes $arrow $end $setters } }
                $off
            } )*
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __test_on {
    (
        $backend:ident $function:ident
        [$($attributes:tt)*] [$($arrow:tt)*] [$($end:tt)*] [$($setters:tt)*]
    ) => {
        #[::core::prelude::v1::test]
        $($attributes)*
        fn $backend() $($arrow)* {
            $crate::__Runner::new(::core::stringify!($backend))
                $($setters)*
                .run_test(
                    ::core::concat!(::core::module_path!(), "::", ::core::stringify!($backend)),
                    ::core::option_env!("CARGO_PKG_NAME"),
                    super::$function,
                )
                $($end)*
        }
    };
}
