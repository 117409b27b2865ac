//! What the example `taskgroup` promises.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use example::{Said, said};

#[path = "support/example.rs"]
mod example;

static TASKGROUP: LazyLock<PathBuf> = LazyLock::new(|| example::build("taskgroup"));

/// The shortest that any task sleeps.
const NAP: Duration = Duration::from_millis(500);

fn taskgroup(args: &str) -> Said {
    said(Command::new(&*TASKGROUP).args(args.split_whitespace()))
}

fn sorted_lines(said: &Said) -> Vec<&str> {
    let mut lines: Vec<_> = said.out.lines().collect();
    lines.sort();
    lines
}

#[test]
fn on_the_simulator_a_seed_prints_the_same_twice() {
    for seed in 0..20 {
        let args = format!("--backend sim --seed {seed}");
        assert_eq!(taskgroup(&args), taskgroup(&args));
    }
}

#[test]
fn on_the_simulator_sleeping_takes_no_real_seconds() {
    // So many runs that even a starved machine could not sleep through them in the time allowed.
    const RUNS: u32 = 40;
    LazyLock::force(&TASKGROUP);
    let start = Instant::now();
    for _ in 0..RUNS {
        let said = taskgroup("--backend sim --seed 7 --fail 0");
        assert_eq!((said.out.lines().count(), said.status), (10, Some(0)));
    }
    assert!(start.elapsed() < RUNS * NAP, "{:?}", start.elapsed());
}

#[test]
fn without_an_error_the_results_are_printed_in_order() {
    let said = taskgroup("--backend sim --seed 1 --fail 0");
    for (number, line) in (1..).zip(said.out.lines()) {
        let nap = line
            .strip_prefix(&format!("task {number} slept for "))
            .and_then(|rest| rest.strip_suffix(" s"));
        let nap: f64 = nap.expect(line).parse().expect(line);
        assert!((0.5..=1.5).contains(&nap), "{line}");
    }
}

#[test]
fn every_error_that_did_happen_is_handled() {
    for backend in ["tokio", "async-std", "smol", "sim"] {
        let said = taskgroup(&format!("--backend {backend} --fail 1"));
        let mut expected: Vec<_> = (1..=10)
            .map(|number| format!("handled: task {number} failed"))
            .collect();
        expected.sort();
        assert_eq!(sorted_lines(&said), expected, "{backend}");
        assert_eq!(said.status, Some(0), "{backend}");
    }
}

#[test]
fn the_same_errors_happen_on_every_backend() {
    let on_sim = taskgroup("--backend sim --seed 8");
    assert_eq!(on_sim.out.lines().count(), 2, "a seed with two errors");
    for backend in ["tokio", "async-std", "smol"] {
        let said = taskgroup(&format!("--backend {backend} --seed 8"));
        assert_eq!(sorted_lines(&said), sorted_lines(&on_sim), "{backend}");
    }
}

#[test]
fn bad_arguments_are_refused() {
    for (args, complaint) in [
        (
            "--backend tokyo",
            "unknown backend `tokyo`; compiled in: tokio, async-std, smol, sim",
        ),
        ("--fail 1.5", "not a number from 0 to 1"),
        ("--fail nan", "not a number from 0 to 1"),
        ("--seed x", "invalid digit"),
    ] {
        let said = taskgroup(args);
        assert!(said.err.contains(complaint), "{args}: {}", said.err);
        assert_eq!((said.out.as_str(), said.status), ("", Some(2)), "{args}");
    }
}
