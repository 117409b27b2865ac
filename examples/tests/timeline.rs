//! What the example `timeline` promises.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::{env, fs};

use example::said;

#[path = "support/example.rs"]
mod example;

static TIMELINE: LazyLock<PathBuf> = LazyLock::new(|| example::build("timeline"));

fn print(args: &str) -> String {
    let said = said(Command::new(&*TIMELINE).args(args.split_whitespace()));
    assert_eq!((said.err.as_str(), said.status), ("", Some(0)), "{args}");
    said.out
}

/// Without the lines and columns of the example, which are in the hints on bars.
fn without_numbers(svg: &str) -> String {
    let lines = svg.lines().map(|line| match line.split_once(".rs:") {
        Some((before, after)) => {
            let after = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
            format!("{before}.rs{after}")
        }
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_picture_of_the_readme_is_what_it_prints() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/anyrt-sim/timeline.svg");
    let printed = print("--seed 7");
    if env::var_os("ANYRT_BLESS").is_some() {
        fs::write(&path, &printed).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    assert!(
        without_numbers(&committed) == without_numbers(&printed),
        "{} is out of date; with ANYRT_BLESS=1 this test writes it anew",
        path.display()
    );
}

#[test]
fn a_seed_prints_the_same_twice() {
    for seed in 0..5 {
        for format in ["svg", "perfetto"] {
            let args = format!("--seed {seed} --format {format}");
            assert_eq!(print(&args), print(&args), "{args}");
        }
    }
}

#[test]
fn a_trace_tells_of_all_that_the_picture_shows() {
    let trace = print("--format perfetto");
    for name in ["page", "mirror 2", "time limit of 150ms", "cleanup"] {
        assert!(trace.contains(&format!("\"name\":\"{name}\"")), "{name}");
    }
}
