//! `cargo xtask bench`: the benchmarks, optimised, and the page of documentation with what they have found.

use std::fs;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use crate::shell::{self, Outcome};
use crate::weight;

/// The tables of the page `anyrt::costs`.
const PAGE: &str = "crates/anyrt/src/costs.md";

pub(crate) fn run(args: &[&str]) -> Outcome {
    let (doc, args): (Vec<&str>, Vec<&str>) = args.iter().partition(|arg| **arg == "--doc");
    let mut line = vec!["cargo run --profile bench --package anyrt-bench --"];
    line.extend(args);
    if doc.is_empty() {
        return shell::run(&line.join(" "));
    }
    line.extend(["--markdown", PAGE]);
    shell::run(&line.join(" "))?;
    let weight = weight::table()?;
    let rustc = shell::output("rustc --version")?;
    let cores = available_parallelism().map_or(1, NonZeroUsize::get);
    let effort = if line.contains(&"--quick") {
        "quick"
    } else {
        "full"
    };
    let machine = format!("A {effort} run on {cores} cores, with {}.", rustc.trim());
    let page = shell::root().join(PAGE);
    let failed = |why| format!("cannot complete {PAGE}: {why}");
    let tables = fs::read_to_string(&page).map_err(failed)?;
    fs::write(&page, format!("{machine}\n\n{tables}\n{weight}")).map_err(failed)
}
