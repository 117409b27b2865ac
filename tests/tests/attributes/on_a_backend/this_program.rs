//! This test program, called as cargo and nextest call it.

use std::env;
use std::process::{Command, Output};

const PLANTED: &str = "ANYRT_TESTS_PLANTED";

/// Whether a planted failure is to happen: only where another test has asked for it.
pub(super) fn is_planted() -> bool {
    env::var_os(PLANTED).is_some()
}

fn command() -> Command {
    let mut command = Command::new(env::current_exe().expect("this program"));
    command.env_remove("ANYRT_SEED");
    command
}

/// The names of the tests with `filter` in them, without the part up to it.
pub(super) fn listed(filter: &str) -> Vec<String> {
    list(filter, &[])
}

/// Of these, only those that are ignored.
pub(super) fn ignored(filter: &str) -> Vec<String> {
    list(filter, &["--ignored"])
}

fn list(filter: &str, more: &[&str]) -> Vec<String> {
    let output = command()
        .args(["--list", "--format=terse", filter])
        .args(more)
        .output()
        .expect("a list");
    let list = String::from_utf8(output.stdout).expect("text");
    let name = |line: &str| {
        let path = line.strip_suffix(": test")?;
        Some(path.split_once(filter)?.1.to_owned())
    };
    list.lines().filter_map(name).collect()
}

/// What a planted test did: whether it passed, and all that it printed.
pub(super) fn run_planted(path: &str, seed: Option<u64>) -> (bool, String) {
    run_planted_in(path, seed.map(|seed| seed.to_string()))
}

/// The same in an order of events that is named by more than a seed.
pub(super) fn run_planted_in(path: &str, order: Option<String>) -> (bool, String) {
    let mut command = command();
    command.env(PLANTED, "1").env("RUST_BACKTRACE", "0");
    if let Some(order) = order {
        command.env("ANYRT_SEED", order);
    }
    let path = format!("on_a_backend::planted::{path}");
    let output = command
        .args([&path, "--exact", "--nocapture"])
        .output()
        .expect("a run of one test");
    let Output {
        status,
        stdout,
        stderr,
    } = output;
    let printed = [stdout, stderr].concat();
    let printed = String::from_utf8(printed).expect("text");
    assert!(printed.contains("running 1 test"), "{path}: {printed}");
    (status.success(), printed)
}
