//! The top of the repository stays clean: no scripts, plans or logs.

use std::collections::BTreeSet;

use super::{Tree, Violation};

const ALLOWED: [&str; 17] = [
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "ARCHITECTURE.md",
    "DESIGN.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    ".gitignore",
    "rustfmt.toml",
    ".cargo",
    ".ci",
    "crates",
    "tests",
    "examples",
    "xtask",
];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let names: BTreeSet<_> = tree
        .files
        .iter()
        .filter_map(|file| file.path.split('/').next())
        .collect();
    let violation = |name: &str| {
        Violation {
        path: name.to_owned(),
        line: 1,
        advice: "not a name for the top level; move it, or give its reason in ARCHITECTURE.md and list it in xtask".into(),
    }
    };
    names
        .into_iter()
        .filter(|name| !ALLOWED.contains(name))
        .map(violation)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stray_file_or_directory_is_found_once() {
        let tree = Tree::of(&[
            ("plan.md", ""),
            ("Cargo.toml", ""),
            ("scripts/a.sh", ""),
            ("scripts/b.sh", ""),
        ]);
        let found: Vec<_> = check(&tree)
            .into_iter()
            .map(|violation| violation.path)
            .collect();
        assert_eq!(found, ["plan.md", "scripts"]);
    }
}
