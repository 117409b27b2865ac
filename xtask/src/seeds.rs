//! `cargo xtask seeds`: the random programs, with more seeds than the ordinary tests have time for.

use crate::shell::{self, Outcome};

/// As many as the project promises to have tried.
const SEEDS: &str = "10000";

/// Plays `count` seeds, optimised, on the simulator alone.
pub(crate) fn run(count: &[&str]) -> Outcome {
    shell::run(&line(count)?)
}

fn line(count: &[&str]) -> Outcome<String> {
    let count = match count {
        [] => SEEDS,
        [count] if count.parse::<u64>().is_ok() => count,
        _ => return Err(format!("`{}` is not a number of seeds", count.join(" "))),
    };
    Ok(format!(
        "ANYRT_SEEDS={count} cargo test --release --package anyrt-tests --no-default-features \
         --features sim --test random_programs"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_a_number_or_the_usual_one() {
        assert!(line(&[]).unwrap().starts_with("ANYRT_SEEDS=10000 cargo "));
        assert!(line(&["7"]).unwrap().starts_with("ANYRT_SEEDS=7 cargo "));
        assert!(line(&["many"]).is_err());
        assert!(line(&["1", "2"]).is_err());
    }
}
