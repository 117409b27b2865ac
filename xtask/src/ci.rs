//! `cargo xtask ci`: all that must hold of every commit, the quick checks first.

use std::time::Instant;

use crate::shell::{self, Outcome};
use crate::{clippy, examples, features, test, tidy};

type Step = fn() -> Outcome;

const STEPS: [(&str, Step); 7] = [
    ("fmt", || shell::run("cargo fmt --all --check")),
    ("clippy", || clippy::check("--workspace --all-targets")),
    ("tidy", tidy::run),
    ("features", features::run),
    ("test", || test::run(&[])),
    ("doc", || {
        shell::run("RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps")
    }),
    ("examples", examples::run),
];

pub(crate) fn run() -> Outcome {
    for (name, step) in STEPS {
        eprintln!("== {name}");
        let start = Instant::now();
        let outcome = step();
        eprintln!("== {name}: {:.1} s", start.elapsed().as_secs_f64());
        outcome.map_err(|failure| format!("{name}: {failure}"))?;
    }
    Ok(())
}
