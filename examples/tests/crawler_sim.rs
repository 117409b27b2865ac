//! What the example `crawler_sim` promises.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use example::{Said, said};

#[path = "support/example.rs"]
mod example;

static CRAWLER: LazyLock<PathBuf> = LazyLock::new(|| example::build("crawler_sim"));

const BACKENDS: [&str; 4] = ["tokio", "async-std", "smol", "sim"];

fn crawl(args: &str) -> Said {
    let said = said(Command::new(&*CRAWLER).args(args.split_whitespace()));
    assert_eq!((said.err.as_str(), said.status), ("", Some(0)), "{args}");
    said
}

/// The numbers in the one line that has all of these words.
fn numbers(said: &Said, words: &str) -> Vec<u32> {
    let is_it = |line: &&str| words.split(' ').all(|word| line.contains(word));
    let line = said.out.lines().find(is_it).expect("such a line");
    let parts = line.split(|c: char| !c.is_ascii_digit());
    parts.filter_map(|part| part.parse().ok()).collect()
}

/// Without what depends on time: which were first, and how long it took.
fn findings(said: &Said) -> Vec<&str> {
    let of_time = ["on ", "visited first", "at most", "all was seen"];
    let lines = said.out.lines();
    lines
        .filter(|line| !of_time.iter().any(|start| line.starts_with(start)))
        .collect()
}

#[test]
fn on_the_simulator_a_seed_says_it_all() {
    let expected = "\
on sim
visited first: 0, 8, 5, 29, 23, 9, 26, 13, 28, 6
page 10: not found
page 19: not found
page 25: not found
page 32: not found
page 35: not found
page 45: no answer
page 56: not found
of 60 pages: 45 visited, 7 broken, 0 left
at most 8 at once, now 0
all was seen after 210 ms
";
    assert_eq!(crawl("--backend sim --seed 7").out, expected);
}

#[test]
fn on_the_simulator_a_seed_prints_the_same_twice() {
    for seed in 0..20 {
        for timeout in [100, 60_000] {
            let args = format!("--backend sim --seed {seed} --timeout {timeout}");
            assert_eq!(crawl(&args), crawl(&args), "{args}");
        }
    }
}

#[test]
fn every_backend_finds_the_same() {
    let sim = crawl("--backend sim --seed 3");
    for backend in BACKENDS {
        let other = crawl(&format!("--backend {backend} --seed 3 --limit 20"));
        assert_eq!(findings(&other), findings(&sim), "{backend}");
    }
}

#[test]
fn no_more_than_the_limit_are_fetched_at_once() {
    for limit in [1, 2, 5] {
        let said = crawl(&format!(
            "--backend sim --seed 7 --pages 500 --limit {limit}"
        ));
        assert_eq!(numbers(&said, "at most once"), [limit, 0]);
    }
}

#[test]
fn more_at_once_are_faster() {
    let time = |limit| {
        let said = crawl(&format!(
            "--backend sim --seed 7 --pages 500 --limit {limit}"
        ));
        numbers(&said, "all seen after")[0]
    };
    assert!(time(1) > 5 * time(10), "{} {}", time(1), time(10));
}

#[test]
fn when_the_time_is_up_nothing_goes_on_and_the_findings_are_kept() {
    for backend in BACKENDS {
        let said = crawl(&format!(
            "--backend {backend} --seed 7 --pages 5000 --timeout 200"
        ));
        let [_, visited, _, left] = numbers(&said, "visited broken left")[..] else {
            panic!("{}", said.out);
        };
        // A busy machine may come to nothing in that time.
        assert!(visited > 0 || backend != "sim", "{}", said.out);
        assert!(left > 0, "{}", said.out);
        assert_eq!(numbers(&said, "at most once now")[1], 0);
        assert!(said.out.contains("the time was up after "), "{}", said.out);
    }
}

#[test]
fn without_any_time_nothing_is_visited() {
    let said = crawl("--backend sim --seed 7 --timeout 0");
    assert_eq!(numbers(&said, "visited broken left"), [60, 0, 0, 1]);
}

#[test]
fn one_page_is_enough() {
    let said = crawl("--backend sim --pages 1");
    assert_eq!(numbers(&said, "visited broken left"), [1, 1, 0, 0]);
}

#[test]
fn bad_arguments_are_refused() {
    for (args, complaint) in [
        ("--backend tokyo", "unknown backend `tokyo`"),
        ("--limit 0", "non-zero"),
        ("--pages 0", "non-zero"),
        ("--seed x", "invalid digit"),
    ] {
        let said = said(Command::new(&*CRAWLER).args(args.split_whitespace()));
        assert!(said.err.contains(complaint), "{args}: {}", said.err);
        assert_eq!((said.out.as_str(), said.status), ("", Some(2)), "{args}");
    }
}
