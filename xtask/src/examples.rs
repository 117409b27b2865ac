//! `cargo xtask examples`: what the head of an example tells people to type is typed here, and must succeed.

use crate::shell::{self, Outcome};
use crate::tree::{File, Tree};

/// What only a shell understands, and a test on another system would not.
const SHELL: [char; 11] = ['|', '&', ';', '<', '>', '$', '*', '`', '"', '\'', '\\'];

pub(crate) fn run() -> Outcome {
    for line in lines(&Tree::read()?)? {
        shell::run(&line)?;
    }
    Ok(())
}

/// The command lines of all examples, or why there are none to run.
fn lines(tree: &Tree) -> Outcome<Vec<String>> {
    let mut lines = Vec::new();
    for file in tree
        .rust_files()
        .filter(|file| file.path.starts_with("examples/"))
    {
        let before = lines.len();
        for line in in_header(file) {
            if line.contains(SHELL) {
                return Err(format!(
                    "{}: `{line}` needs a shell; write a line that does not",
                    file.path
                ));
            }
            lines.push(line.replacen("cargo run", "cargo run --quiet", 1));
        }
        if is_example(file) && lines.len() == before {
            return Err(format!(
                "{}: its `//!` lines show no `cargo run --example ..`; add one",
                file.path
            ));
        }
    }
    if lines.is_empty() {
        return Err("there are no examples to run".into());
    }
    Ok(lines)
}

/// The lines of the file's own documentation that are cargo calls.
fn in_header(file: &File) -> impl Iterator<Item = &str> {
    file.text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(str::trim)
        .filter(|line| line.starts_with("cargo run "))
}

/// A file that cargo takes for an example, not a part of one.
fn is_example(file: &File) -> bool {
    matches!(
        file.path.split('/').collect::<Vec<_>>()[..],
        ["examples", _] | ["examples", "examples", _]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "examples/examples/a.rs";

    #[test]
    fn the_lines_of_the_header_are_run_and_no_others() {
        let text = "//! A.\n//!\n//! ```text\n//! cargo run --example a -- --seed 7\n//! ```\n\n//! cargo run --example b\n";
        let part = ("examples/examples/a/part.rs", "//! Part.\n");
        assert_eq!(
            lines(&Tree::of(&[(PATH, text), part])).unwrap(),
            ["cargo run --quiet --example a -- --seed 7"]
        );
    }

    #[test]
    fn an_example_that_nobody_can_run_is_an_error() {
        assert!(
            lines(&Tree::of(&[(PATH, "//! A.\n")]))
                .unwrap_err()
                .starts_with(PATH)
        );
        assert!(
            lines(&Tree::of(&[(PATH, "//! cargo run --example a | cat\n")]))
                .unwrap_err()
                .contains("shell")
        );
        assert!(lines(&Tree::of(&[])).is_err());
    }
}
