//! `cargo xtask features`: the facade compiles without a warning with every subset of its backends, and with each other
//! feature.

use crate::backends::BACKENDS;
use crate::clippy;
use crate::shell::Outcome;

pub(crate) fn run() -> Outcome {
    // With all backends they are a part of the workspace's tests.
    let others = ["tracing", "testing", "sync"].map(|name| vec![name]);
    for subset in subsets(&BACKENDS).into_iter().chain(others) {
        clippy::check(&format!(
            "--quiet --package anyrt --no-default-features --features={}",
            subset.join(",")
        ))?;
    }
    Ok(())
}

/// All subsets, the empty one first.
fn subsets<'a>(names: &[&'a str]) -> Vec<Vec<&'a str>> {
    names.iter().fold(vec![vec![]], |without, name| {
        let with: Vec<_> = without
            .iter()
            .map(|subset| [subset.as_slice(), &[*name]].concat())
            .collect();
        [without, with].concat()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subsets_of_three_names_are_eight() {
        let expected: [&[&str]; 8] = [
            &[],
            &["a"],
            &["b"],
            &["a", "b"],
            &["c"],
            &["a", "c"],
            &["b", "c"],
            &["a", "b", "c"],
        ];
        assert_eq!(subsets(&["a", "b", "c"]), expected);
    }
}
