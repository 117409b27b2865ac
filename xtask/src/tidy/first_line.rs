//! Every Rust file says in its first line what it is for.

use super::{Tree, Violation};

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let advice = "no `//!` in the first line; say in one sentence what the file is for";
    tree.rust_files()
        .filter(|file| !has_purpose(&file.text))
        .map(|file| Violation::new(file, 1, advice))
        .collect()
}

fn has_purpose(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    first
        .strip_prefix("//! ")
        .is_some_and(|purpose| !purpose.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::said;
    use super::*;

    #[test]
    fn a_file_without_a_purpose_is_found() {
        for text in [
            "",
            "use std::fmt;\n",
            "#![forbid(unsafe_code)]\n//! Late.\n",
            "//!\n",
            "//! \n",
            "// Plain.\n",
        ] {
            assert_eq!(said(check, "a.rs", text).len(), 1, "{text:?}");
        }
    }

    #[test]
    fn a_file_with_one_is_not() {
        assert!(said(check, "a.rs", "//! Sleeping.\n").is_empty());
        assert!(said(check, "a.md", "# Sleeping\n").is_empty());
    }
}
