//! With which seeds a test runs on the simulator, and what is said when it fails with one of them.

use std::env;
use std::mem;
use std::ops::RangeInclusive;

/// Those of the attribute; or the one that was asked for in the environment.
#[track_caller]
pub(crate) fn chosen(seeds: RangeInclusive<u64>) -> RangeInclusive<u64> {
    let Ok(asked) = env::var("ANYRT_SEED") else {
        return seeds;
    };
    match asked.parse() {
        Ok(seed) => seed..=seed,
        Err(error) => panic!("anyrt: ANYRT_SEED={asked} is no seed: {error}"),
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
        eprintln!(
            "anyrt: that was with the seed {seed}; to run it alone:\n    \
             ANYRT_SEED={seed} cargo test -p {package} {name} -- --exact"
        );
    }
}
