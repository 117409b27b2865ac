//! Ten thousand random programs on the simulator: whatever is put into what, the promises hold.
//!
//! A seed names a program (`generate`) and the order in which the simulator runs it. While it runs (`interpret`), each
//! part of it tells what becomes of it, and that is compared with an account of our own (`place`, `group`, `limits`)
//! of what has to become of it. A seed that fails is made smaller (`shrink`), and `ANYRT_SEED` replays it.
//!
//! `cargo xtask seeds` plays all of them, `cargo test` some. A new step is a variant in `program`, a line in `generate`,
//! and an arm in `interpret`.
#![cfg(feature = "sim")]

mod program;
mod generate;

mod world;
mod limits;
mod cleanup;
mod errors;
mod group;
mod child;
mod place;

mod leaf;
mod interpret;

mod play;
mod shrink;
mod campaign;

use std::collections::BTreeSet;

use crate::campaign::play_seed;

/// How many seeds there are unless `ANYRT_SEEDS` says it.
const SOME: u64 = 300;

#[test]
fn every_seed_keeps_the_promises() {
    match number("ANYRT_SEED") {
        Some(seed) => campaign::replay(seed),
        None => campaign::run(number("ANYRT_SEEDS").unwrap_or(SOME)),
    }
}

#[test]
fn a_seed_gives_the_same_run_again() {
    for seed in 0..50 {
        let (once, again) = (play_seed(seed), play_seed(seed));
        assert_eq!(once.marks, again.marks, "seed {seed}");
        assert_eq!(once.trace, again.trace, "seed {seed}");
    }
}

#[test]
#[ignore = "slow"]
fn a_thousand_seeds_give_the_same_traces_again() {
    let traces = || -> Vec<_> { (0..1_000).map(|seed| play_seed(seed).trace).collect() };
    let (once, again) = (traces(), traces());
    assert!(once == again);
    // Those of small programs are alike; most are not.
    let different: BTreeSet<_> = once.into_iter().collect();
    assert!(different.len() > 900, "{}", different.len());
}

#[test]
fn some_seeds_are_enough_to_meet_everything() {
    let marks = (0..SOME).flat_map(|seed| play_seed(seed).marks);
    let met: BTreeSet<_> = marks.map(|mark| mark.what).collect();
    let all = [
        "acts on scope",
        "awaits in vain",
        "child begins",
        "cleans up",
        "cut",
        "dropped from outside",
        "dropped group is over",
        "fails",
        "goes on",
        "group cut",
        "group dropped",
        "group returns",
        "hears of",
        "panic caught",
        "panics",
        "reported",
        "scope catches",
    ];
    assert_eq!(met, BTreeSet::from(all));
}

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    match text.parse() {
        Ok(number) => Some(number),
        Err(error) => panic!("{name}={text}: {error}"),
    }
}
