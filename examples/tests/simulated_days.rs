//! What the example `simulated_days` promises.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use example::{Said, said};

#[path = "support/example.rs"]
mod example;

static SIMULATED_DAYS: LazyLock<PathBuf> = LazyLock::new(|| example::build("simulated_days"));

fn simulated_days(args: &str) -> Said {
    let said = said(Command::new(&*SIMULATED_DAYS).args(args.split_whitespace()));
    assert_eq!((said.err.as_str(), said.status), ("", Some(0)), "{args}");
    said
}

#[test]
fn a_month_has_thirty_nights() {
    let said = simulated_days("");
    let lines: Vec<_> = said.out.lines().collect();
    assert_eq!(lines.len(), 31, "{}", said.out);
    assert!(lines[0].starts_with("day 1: "), "{}", lines[0]);
    assert!(lines[30].starts_with("30 nights, "), "{}", lines[30]);
    // Most go well, and in some something has to be done about it.
    let at_once = lines
        .iter()
        .filter(|line| line.ends_with("done at 02:01, tries: 1"));
    assert!((15..30).contains(&at_once.count()), "{}", said.out);
}

#[test]
fn a_seed_prints_the_same_twice() {
    for seed in 0..5 {
        let args = format!("--seed {seed}");
        assert_eq!(simulated_days(&args), simulated_days(&args));
    }
}

#[test]
fn ten_years_are_not_long() {
    let said = simulated_days("--days 3650");
    assert!(said.out.contains("3650 nights, "), "{}", said.out);
}

#[test]
fn many_months_are_as_they_should_be() {
    let said = simulated_days("--months 100");
    assert_eq!(said.out, "100 months are as they should be\n");
}
