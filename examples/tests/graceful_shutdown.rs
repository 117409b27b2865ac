//! What the example `graceful_shutdown` promises.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use example::{Said, said};

#[path = "support/example.rs"]
mod example;

static GRACEFUL_SHUTDOWN: LazyLock<PathBuf> = LazyLock::new(|| example::build("graceful_shutdown"));

fn graceful_shutdown(args: &str) -> Said {
    said(Command::new(&*GRACEFUL_SHUTDOWN).args(args.split_whitespace()))
}

/// What is said after the stop, without the ticks.
fn after_the_stop(said: &Said) -> Vec<&str> {
    let lines = said.out.lines().filter(|line| *line != "tick");
    lines.skip_while(|line| *line != "stop, please").collect()
}

#[test]
fn within_the_grace_workers_finish_the_job_at_hand() {
    let said = graceful_shutdown("--backend sim --grace 0.1");
    let expected = "tick\ntick\n\
        stop, please\n\
        late worker: one moment, please\n\
        worker 1: stopped after 7 jobs\n\
        worker 2: stopped after 4 jobs\n\
        tick\n\
        late worker: cut, but the connection is closed\n\
        all workers have ended\n";
    assert_eq!((said.out.as_str(), said.status), (expected, Some(0)));
}

#[test]
fn when_the_grace_is_over_workers_are_cut_and_clean_up() {
    let said = graceful_shutdown("--backend sim --grace 0");
    let expected = [
        "stop, please",
        "late worker: one moment, please",
        "late worker: cut, but the connection is closed",
        "all workers have ended",
    ];
    assert_eq!(after_the_stop(&said), expected);
}

// In real time, and with so much grace that a job of a few milliseconds ends within it on a starved machine, too.
fn all_say_goodbye_on(backend: &str) {
    let said = graceful_shutdown(&format!("--backend {backend} --grace 0.8"));
    let lines = after_the_stop(&said);
    for goodbye in ["worker 1: stopped after ", "worker 2: stopped after "] {
        let count = lines
            .iter()
            .filter(|line| line.starts_with(goodbye))
            .count();
        assert_eq!(count, 1, "{lines:?}");
    }
    let expected = [
        "late worker: cut, but the connection is closed",
        "all workers have ended",
    ];
    assert_eq!(lines[lines.len() - 2..], expected);
    assert_eq!((said.err.as_str(), said.status), ("", Some(0)));
}

#[test]
fn all_say_goodbye_on_tokio() {
    all_say_goodbye_on("tokio");
}

#[test]
fn all_say_goodbye_on_async_std() {
    all_say_goodbye_on("async-std");
}

#[test]
fn all_say_goodbye_on_smol() {
    all_say_goodbye_on("smol");
}

#[test]
fn bad_arguments_are_refused() {
    for (args, complaint) in [
        ("--backend tokyo", "unknown backend `tokyo`"),
        ("--grace soon", "not a number"),
        ("--grace -1", "negative"),
    ] {
        let said = graceful_shutdown(args);
        assert!(said.err.contains(complaint), "{args}: {}", said.err);
        assert_eq!((said.out.as_str(), said.status), ("", Some(2)), "{args}");
    }
}
