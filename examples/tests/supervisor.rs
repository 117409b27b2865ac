//! What the example `supervisor` promises.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use example::{Said, said};

#[path = "support/example.rs"]
mod example;

static SUPERVISOR: LazyLock<PathBuf> = LazyLock::new(|| example::build("supervisor"));

const BACKENDS: [&str; 4] = ["tokio", "async-std", "smol", "sim"];

fn supervisor(args: &str) -> Said {
    said(Command::new(&*SUPERVISOR).args(args.split_whitespace()))
}

/// What is said about one worker, without when.
fn about<'a>(said: &'a Said, worker: &str) -> Vec<&'a str> {
    let lines = said.out.lines();
    let lines = lines.map(|line| line.split_once(" ms  ").map_or(line, |(_, what)| what));
    lines
        .filter_map(|line| line.strip_prefix(worker)?.strip_prefix(": "))
        .collect()
}

/// The counts at the end: lives, failures, cleanups.
fn counts(said: &Said, worker: &str) -> [u32; 3] {
    let counts = about(said, worker).pop().expect("counts");
    let words: Vec<_> = counts.split(' ').collect();
    [0, 2, 4].map(|at| words[at].parse().expect("a number"))
}

#[test]
fn a_worker_that_fails_cleans_up_and_is_begun_again() {
    let said = supervisor("--backend sim --seed 7");
    let expected = "\
on sim
   0 ms  mail: begins
   0 ms  feed: begins
   0 ms  index: begins
   7 ms  feed: has cleaned up
   7 ms  feed: no answer; again in 5 ms
  12 ms  feed: begins
  19 ms  feed: has cleaned up
  19 ms  feed: no answer; again in 9 ms
  22 ms  mail: has cleaned up
  22 ms  mail: connection reset; again in 4 ms
  26 ms  mail: begins
  28 ms  feed: begins
  35 ms  feed: has cleaned up
  35 ms  feed: no answer; again in 22 ms
  52 ms  index: has cleaned up
  52 ms  index: it hangs; again in 5 ms
  57 ms  index: begins
  58 ms  feed: begins
  58 ms  mail: has cleaned up
  58 ms  mail: done
  65 ms  feed: has cleaned up
  65 ms  feed: done
  69 ms  index: has cleaned up
  69 ms  index: disk full; again in 11 ms
  81 ms  index: begins
 123 ms  index: has cleaned up
 123 ms  index: done
mail: 2 lives, 1 failures, 2 cleanups
index: 3 lives, 2 failures, 3 cleanups
feed: 4 lives, 3 failures, 4 cleanups
";
    assert_eq!((said.out.as_str(), said.err.as_str()), (expected, ""));
    assert_eq!(said.status, Some(0));
}

#[test]
fn on_the_simulator_a_seed_prints_the_same_twice() {
    for seed in 0..20 {
        for limit in [0, 2, 5] {
            let args = format!("--backend sim --seed {seed} --limit {limit}");
            assert_eq!(supervisor(&args), supervisor(&args), "{args}");
        }
    }
}

#[test]
fn on_every_backend_all_are_done_in_the_end() {
    for backend in BACKENDS {
        let said = supervisor(&format!("--backend {backend}"));
        let counts = ["mail", "index", "feed"].map(|worker| counts(&said, worker));
        assert_eq!(counts, [[2, 1, 2], [3, 2, 3], [4, 3, 4]], "{}", said.out);
        assert_eq!((said.err.as_str(), said.status), ("", Some(0)), "{backend}");
    }
}

#[test]
fn a_worker_that_fails_too_often_takes_all_down_and_all_clean_up() {
    for backend in BACKENDS {
        let said = supervisor(&format!("--backend {backend} --limit 0"));
        for worker in ["mail", "index", "feed"] {
            let [lives, failures, cleanups] = counts(&said, worker);
            assert!(failures <= lives && lives == cleanups, "{}", said.out);
            assert!(!about(&said, worker).contains(&"done"), "{}", said.out);
        }
        let error = said.err.lines().next().unwrap_or_default();
        assert!(error.starts_with("supervisor: "), "{}", said.err);
        assert!(
            error.contains(" has failed too often, at last: "),
            "{error}"
        );
        assert_eq!(said.status, Some(1), "{backend}");
    }
}

#[test]
fn a_worker_that_is_given_up_leaves_the_others_going() {
    for backend in BACKENDS {
        let said = supervisor(&format!("--backend {backend} --limit 2 --keep-going"));
        let counts = ["mail", "index", "feed"].map(|worker| counts(&said, worker));
        assert_eq!(counts, [[2, 1, 2], [3, 2, 3], [3, 3, 3]], "{}", said.out);
        let given_up = "given up: feed has failed too often, at last: no answer";
        assert!(
            said.out.lines().any(|line| line == given_up),
            "{}",
            said.out
        );
        assert_eq!((said.err.as_str(), said.status), ("", Some(0)), "{backend}");
    }
}

#[test]
fn a_restart_before_the_window_does_not_count() {
    let said = supervisor("--backend sim --limit 1 --window 10");
    assert_eq!(counts(&said, "feed"), [4, 3, 4]);
    assert_eq!(said.status, Some(0));
}

#[test]
fn bad_arguments_are_refused() {
    for (args, complaint) in [
        ("--backend tokyo", "unknown backend `tokyo`"),
        ("--limit -1", "'-1'"),
        ("--window soon", "invalid digit"),
        ("--seed x", "invalid digit"),
    ] {
        let said = supervisor(args);
        assert!(said.err.contains(complaint), "{args}: {}", said.err);
        assert_eq!((said.out.as_str(), said.status), ("", Some(2)), "{args}");
    }
}
