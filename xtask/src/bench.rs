//! `cargo xtask bench`: the benchmarks, optimised.

use crate::shell::{self, Outcome};

pub(crate) fn run(args: &[&str]) -> Outcome {
    let line = "cargo run --release --package anyrt-bench --";
    shell::run(&[&[line], args].concat().join(" "))
}
