//! The documentation of every public item has the same headings, in the same order.

use super::{File, Tree, Violation};

/// In the order in which they stand.
const HEADINGS: [&str; 5] = [
    "# Cancel safety",
    "# Errors",
    "# Panics",
    "# Backends",
    "# Examples",
];

/// The files that tell a story, under headings of their own.
const STORIES: [&str; 4] = [
    "/src/lib.rs",
    "/src/guide.rs",
    "/src/costs.rs",
    "/src/primitives.rs",
];

/// What a file that holds state may have at its head, besides.
const INVARIANTS: &str = "# Invariants";

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let of_a_crate = |file: &&File| file.path.starts_with("crates/") && file.path.contains("/src/");
    tree.rust_files()
        .filter(of_a_crate)
        .flat_map(check_file)
        .collect()
}

fn check_file(file: &File) -> Vec<Violation> {
    let tells_a_story = STORIES.iter().any(|end| file.path.ends_with(end));
    let mut found = Vec::new();
    let mut fenced = false;
    let mut last = None;
    for (index, line) in file.text.lines().map(str::trim_start).enumerate() {
        let Some(doc) = line
            .strip_prefix("///")
            .or_else(|| line.strip_prefix("//!"))
        else {
            (fenced, last) = (false, None);
            continue;
        };
        let doc = doc.trim();
        // What starts with `# ` in a code block is a hidden line of the example.
        fenced ^= doc.starts_with("```");
        let of_the_file = line.starts_with("//!") && (tells_a_story || doc == INVARIANTS);
        if fenced || !is_heading(doc) || of_the_file {
            continue;
        }
        let rank = HEADINGS.iter().position(|heading| *heading == doc);
        // An unknown heading has the rank `None`, which is the lowest.
        if rank <= last {
            let headings = HEADINGS.join("`, `");
            let advice = format!("heading `{doc}`; let there be only `{headings}`, in this order");
            found.push(Violation::new(file, index + 1, advice));
        }
        last = last.max(rank);
    }
    found
}

fn is_heading(doc: &str) -> bool {
    let title = doc.trim_start_matches('#');
    title.len() < doc.len() && title.starts_with(' ')
}

#[cfg(test)]
mod tests {
    use super::super::said;
    use super::*;

    const FILE: &str = "crates/c/src/a.rs";

    #[test]
    fn other_spellings_and_levels_are_found() {
        for heading in [
            "# Example",
            "## Examples",
            "# Cancellation safety",
            "# Panic",
            "# errors",
            "# Notes",
        ] {
            let text = format!("//! A.\n/// F.\n///\n    /// {heading}\npub fn f() {{}}\n");
            assert_eq!(said(check, FILE, &text).len(), 1, "{heading}");
            assert!(said(check, FILE, &text)[0].starts_with("4: "), "{heading}");
        }
        assert_eq!(said(check, FILE, "//! # Notes\n").len(), 1);
    }

    #[test]
    fn the_order_is_fixed_within_one_item() {
        assert_eq!(
            said(check, FILE, "/// # Panics\n/// # Errors\nfn f() {}\n").len(),
            1
        );
        assert_eq!(
            said(check, FILE, "/// # Panics\n/// # Panics\nfn f() {}\n").len(),
            1
        );
        assert!(
            said(
                check,
                FILE,
                "/// # Panics\nfn f() {}\n/// # Errors\nfn g() {}\n"
            )
            .is_empty()
        );
    }

    #[test]
    fn the_headings_of_the_house_and_hidden_lines_are_fine() {
        let text: String = HEADINGS
            .iter()
            .map(|heading| format!("/// {heading}\n"))
            .collect();
        assert!(said(check, FILE, &text).is_empty());
        assert!(
            said(
                check,
                FILE,
                "/// # Examples\n/// ```\n/// # run(async {\n/// ```\n/// #[x]\n"
            )
            .is_empty()
        );
        assert_eq!(
            said(check, FILE, "/// ```\n/// # hidden\n/// ```\n/// # Shown\n").len(),
            1
        );
    }

    #[test]
    fn invariants_stand_at_the_head_of_a_file_only() {
        assert!(said(check, FILE, "//! Tree.\n//!\n//! # Invariants\n").is_empty());
        assert_eq!(said(check, FILE, "/// # Invariants\n").len(), 1);
    }

    #[test]
    fn only_a_story_has_headings_of_its_own() {
        for story in ["crates/c/src/lib.rs", "crates/c/src/guide.rs"] {
            assert!(said(check, story, "//! # How it works\n").is_empty());
        }
        assert_eq!(
            said(check, "crates/c/src/lib.rs", "/// # How it works\n").len(),
            1
        );
        assert!(said(check, "xtask/src/a.rs", "//! # How it works\n").is_empty());
    }
}
