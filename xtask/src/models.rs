//! `cargo xtask models`: the models of the whole core, in more interleavings than the ordinary tests have time for.

use crate::shell::{self, Outcome};

/// Some minutes' worth.
const RUNS: &str = "100000";

/// Runs each model `count` times, optimised.
pub(crate) fn run(count: &[&str]) -> Outcome {
    shell::run(&line(count)?)
}

fn line(count: &[&str]) -> Outcome<String> {
    let count = match count {
        [] => RUNS,
        [count] if count.parse::<u64>().is_ok() => count,
        _ => return Err(format!("`{}` is not a number of runs", count.join(" "))),
    };
    Ok(format!(
        "ANYRT_MODEL_RUNS={count} cargo test --release --package anyrt-models --tests"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_a_number_or_the_usual_one() {
        assert!(
            line(&[])
                .unwrap()
                .starts_with("ANYRT_MODEL_RUNS=100000 cargo ")
        );
        assert!(
            line(&["7"])
                .unwrap()
                .starts_with("ANYRT_MODEL_RUNS=7 cargo ")
        );
        assert!(line(&["many"]).is_err());
        assert!(line(&["1", "2"]).is_err());
    }
}
