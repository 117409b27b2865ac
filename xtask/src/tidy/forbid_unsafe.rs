//! Every target that cargo builds forbids unsafe code.
//!
//! A library says so itself, so that nobody has to look further. Any other target may leave it to the lints of the
//! workspace.

use super::manifests::entries;
use super::tokens::tokens;
use super::{Tree, Violation};

const FORBID: [&str; 6] = ["#", "!", "[", "forbid", "(", "unsafe_code"];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let workspace_forbids = tree
        .file("Cargo.toml")
        .is_some_and(|root| forbids(&root.text));
    let mut found = Vec::new();
    for file in tree.rust_files() {
        let Some((directory, target)) = package(tree, &file.path) else {
            continue;
        };
        let says_so = tokens(&file.text)
            .windows(FORBID.len())
            .any(|words| words.iter().map(|word| word.text).eq(FORBID));
        if says_so || !is_target(target) {
            continue;
        }
        if directory.starts_with("crates/") && target == "src/lib.rs" {
            found.push(Violation::new(
                file,
                1,
                "no `#![forbid(unsafe_code)]`; add it below the `//!` lines",
            ));
        } else if !workspace_forbids || !inherits(tree, directory) {
            let advice = "may hold unsafe code; give its package `[lints] workspace = true`";
            found.push(Violation::new(file, 1, advice));
        }
    }
    found
}

/// The directory of the package that `path` belongs to, and the way from there.
fn package<'a>(tree: &Tree, path: &'a str) -> Option<(&'a str, &'a str)> {
    let slashes = path.rmatch_indices('/').map(|(slash, _)| slash);
    let mut splits = slashes.map(|slash| (&path[..slash], &path[slash + 1..]));
    splits.find(|(directory, _)| tree.file(&format!("{directory}/Cargo.toml")).is_some())
}

/// Whether cargo makes a target of this file without being told to.
fn is_target(path: &str) -> bool {
    match path.split('/').collect::<Vec<_>>()[..] {
        [file] => file.ends_with(".rs"),
        ["src", file] => matches!(file, "lib.rs" | "main.rs"),
        ["src", "bin", _] | ["src", "bin", _, "main.rs"] => true,
        ["examples" | "tests" | "benches", _]
        | ["examples" | "tests" | "benches", _, "main.rs"] => true,
        _ => false,
    }
}

fn forbids(manifest: &str) -> bool {
    entries(manifest).iter().any(|entry| {
        (entry.table, entry.key) == ("workspace.lints.rust", "unsafe_code")
            && entry.value.contains("\"forbid\"")
    })
}

fn inherits(tree: &Tree, directory: &str) -> bool {
    let manifest = tree.file(&format!("{directory}/Cargo.toml"));
    manifest.is_some_and(|manifest| {
        entries(&manifest.text).iter().any(|entry| {
            matches!(
                (entry.table, entry.key),
                ("lints", "workspace") | ("", "lints.workspace")
            ) && entry.value == "true"
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "[workspace.lints.rust]\nunsafe_code = \"forbid\"\n";
    const INHERITS: &str = "[lints]\nworkspace = true\n";

    fn found(root: &str, member: &str, path: &str, text: &str) -> usize {
        check(&Tree::of(&[
            ("Cargo.toml", root),
            ("crates/c/Cargo.toml", member),
            (path, text),
        ]))
        .len()
    }

    #[test]
    fn a_library_must_say_it_itself() {
        let lib = "crates/c/src/lib.rs";
        assert_eq!(found(ROOT, INHERITS, lib, "//! C.\n"), 1);
        assert_eq!(
            found(ROOT, INHERITS, lib, "//! C.\n// #![forbid(unsafe_code)]\n"),
            1
        );
        assert_eq!(
            found(ROOT, INHERITS, lib, "//! C.\n#![forbid(unsafe_code)]\n"),
            0
        );
    }

    #[test]
    fn another_target_says_it_or_inherits_it() {
        for target in [
            "src/main.rs",
            "src/bin/b.rs",
            "examples/e.rs",
            "tests/t.rs",
            "tests/t/main.rs",
            "build.rs",
        ] {
            let path = format!("crates/c/{target}");
            assert_eq!(found(ROOT, "", &path, "//! C.\n"), 1, "{target}");
            assert_eq!(found("", INHERITS, &path, "//! C.\n"), 1, "{target}");
            assert_eq!(found(ROOT, INHERITS, &path, "//! C.\n"), 0, "{target}");
            assert_eq!(
                found("", "", &path, "//! C.\n#![forbid(unsafe_code)]\n"),
                0,
                "{target}"
            );
        }
    }

    #[test]
    fn a_module_is_no_target() {
        assert_eq!(found("", "", "crates/c/src/group.rs", "//! C.\n"), 0);
        assert_eq!(
            found("", "", "crates/c/tests/reject/unsound.rs", "//! C.\n"),
            0
        );
    }
}
