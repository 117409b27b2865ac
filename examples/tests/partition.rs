//! What the example `partition` promises.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use example::said;

#[path = "support/example.rs"]
mod example;

static PARTITION: LazyLock<PathBuf> = LazyLock::new(|| example::build("partition"));

fn partition(args: &str) -> String {
    let said = said(Command::new(&*PARTITION).args(args.split_whitespace()));
    assert_eq!((said.err.as_str(), said.status), ("", Some(0)), "{args}");
    said.out
}

/// The second at which each line with this end was printed.
fn seconds(out: &str, end: &str) -> Vec<f64> {
    let lines = out.lines().filter(|line| line.ends_with(end));
    lines
        .map(|line| line.split_whitespace().next()?.parse().ok())
        .map(|second| second.expect("a line begins with the time"))
        .collect()
}

#[test]
fn all_requests_are_answered_when_the_wire_is_mended() {
    for seed in 0..20 {
        let out = partition(&format!("--seed {seed}"));
        assert_eq!(seconds(&out, "the wire is cut"), [0.45]);
        assert_eq!(seconds(&out, "the wire is mended"), [600.45]);
        let answered = seconds(&out, "is answered");
        assert_eq!(answered.len(), 8);
        // None while the wire is cut, and the client is there soon after.
        let (before, after) = answered.split_at(answered.partition_point(|at| *at < 600.45));
        assert!(
            before.iter().all(|at| *at < 0.45) && before.len() > 1,
            "{out}"
        );
        assert!(after[0] < 661.0, "{out}");
    }
}

#[test]
fn a_request_whose_answer_was_lost_is_done_twice() {
    let out = partition("--seed 7");
    let end = "8 requests done, 1 of them more than once";
    assert!(out.lines().last().expect("a line").ends_with(end), "{out}");
}

#[test]
fn a_seed_prints_the_same_twice() {
    let all: Vec<_> = (0..10)
        .map(|seed| partition(&format!("--seed {seed} --cut 86400")))
        .collect();
    for (seed, out) in all.iter().enumerate() {
        assert_eq!(out, &partition(&format!("--seed {seed} --cut 86400")));
    }
    assert!(all.windows(2).all(|two| two[0] != two[1]));
}

#[test]
#[ignore = "slow: three of four backends take real time"]
fn it_runs_on_every_backend() {
    let out = partition("--backend all --cut 1");
    for backend in ["tokio", "async-std", "smol", "sim"] {
        assert!(out.contains(&format!("on {backend}\n")), "{out}");
    }
    assert_eq!(out.matches("; 8 requests done").count(), 4, "{out}");
}

#[test]
fn bad_arguments_are_refused() {
    for (args, complaint) in [
        ("--backend tokyo", "unknown backend `tokyo`"),
        ("--cut soon", "invalid digit"),
    ] {
        let said = said(Command::new(&*PARTITION).args(args.split_whitespace()));
        assert!(said.err.contains(complaint), "{args}: {}", said.err);
        assert_eq!((said.out.as_str(), said.status), ("", Some(2)), "{args}");
    }
}
