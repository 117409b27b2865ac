//! `cargo xtask tidy`: the rules of this house that rustc, clippy and rustfmt do not know.
//!
//! A rule is a function from the tree to its violations, in a file of its own. It reads nothing but the tree, so that
//! its tests can show it a made-up one.

use std::fmt;

use crate::shell::Outcome;
use crate::tree::{File, Tree};

mod tokens;

mod banned;
mod first_line;
mod forbid_unsafe;
mod headings;
mod layers;
mod manifests;
mod top_level;
mod whitespace;

const RULES: [fn(&Tree) -> Vec<Violation>; 8] = [
    banned::check,
    first_line::check,
    forbid_unsafe::check,
    headings::check,
    layers::check,
    manifests::check,
    top_level::check,
    whitespace::check,
];

pub(crate) fn run() -> Outcome {
    let tree = Tree::read()?;
    let violations = violations(&tree);
    for violation in &violations {
        eprintln!("{violation}");
    }
    match violations.len() {
        0 => Ok(()),
        count => Err(format!(
            "{count} untidy places in {} files",
            tree.files.len()
        )),
    }
}

fn violations(tree: &Tree) -> Vec<Violation> {
    let mut all: Vec<_> = RULES.iter().flat_map(|rule| rule(tree)).collect();
    all.sort();
    all
}

/// A place that breaks a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    path: String,
    line: usize,
    /// What is wrong, and how to mend it.
    advice: String,
}

impl Violation {
    fn new(file: &File, line: usize, advice: impl Into<String>) -> Self {
        Self {
            path: file.path.clone(),
            line,
            advice: advice.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.advice)
    }
}

/// What `rule` says about one planted file, each as `line: advice`.
#[cfg(test)]
fn said(rule: fn(&Tree) -> Vec<Violation>, path: &str, text: &str) -> Vec<String> {
    let found = rule(&Tree::of(&[(path, text)]));
    found
        .iter()
        .map(|violation| format!("{}: {}", violation.line, violation.advice))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        if let Err(failure) = run() {
            panic!("{failure}");
        }
    }

    #[test]
    fn every_rule_is_applied() {
        let lib = "mod low;\nmod high;\n/// # Safety \nunsafe fn f() {}\n";
        let manifest = "[dependencies]\na = \"1\"\n";
        let tree = Tree::of(&[
            ("notes.txt", ""),
            ("crates/c/Cargo.toml", manifest),
            ("crates/c/src/lib.rs", lib),
            ("crates/c/src/low.rs", "//! Low.\nuse crate::high::f;\n"),
        ]);
        for rule in RULES {
            assert!(!rule(&tree).is_empty());
        }
        let places: Vec<_> = violations(&tree)
            .into_iter()
            .map(|found| (found.path, found.line))
            .collect();
        let lib = |line| ("crates/c/src/lib.rs".to_owned(), line);
        assert_eq!(
            places,
            [
                ("crates/c/Cargo.toml".to_owned(), 2),
                lib(1),
                lib(1),
                lib(3),
                lib(3),
                lib(4),
                ("crates/c/src/low.rs".to_owned(), 2),
                ("notes.txt".to_owned(), 1),
            ]
        );
    }
}
