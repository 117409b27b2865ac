//! With which seeds a test runs on the simulator, and what is said when it fails with one of them.

use std::env;
use std::mem;
use std::ops::RangeInclusive;

#[cfg(feature = "sim")]
use anyrt_sim::Sim;

/// Names the one order of events to run.
const VARIABLE: &str = "ANYRT_SEED";

/// Those of the attribute; or the one that was asked for in the environment.
#[track_caller]
pub(crate) fn chosen(seeds: RangeInclusive<u64>) -> RangeInclusive<u64> {
    let Ok(asked) = env::var(VARIABLE) else {
        return seeds;
    };
    // A schedule may follow.
    match asked.split(':').next().map(str::parse) {
        Some(Ok(seed)) => seed..=seed,
        _ => panic!("anyrt: {VARIABLE}={asked} is no seed"),
    }
}

/// The simulator with this seed, and with the schedule that was asked for in the environment, if any was.
#[cfg(feature = "sim")]
#[track_caller]
pub(crate) fn simulator(seed: u64) -> Sim {
    let Ok(asked) = env::var(VARIABLE) else {
        return Sim::with_seed(seed);
    };
    match asked.parse() {
        Ok(asked) => Sim::builder().replay(&asked).build(),
        Err(error) => panic!("anyrt: {VARIABLE}: {error}"),
    }
}

/// Says how to run a test again with this seed, unless it is told that nobody needs that.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) seed: u64,
    /// Of the test, with its crate in front.
    pub(crate) path: &'static str,
    pub(crate) package: Option<&'static str>,
}

impl Replay {
    pub(crate) fn say_nothing(self) {
        mem::forget(self);
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        let Self { seed, path, .. } = *self;
        let (of, name) = path.split_once("::").unwrap_or((path, path));
        let package = self.package.unwrap_or(of);
        let order = env::var(VARIABLE).unwrap_or_else(|_| seed.to_string());
        eprintln!(
            "anyrt: that was with the seed {seed}; to run it alone:\n    \
             {VARIABLE}={order} cargo test -p {package} {name} -- --exact"
        );
    }
}
