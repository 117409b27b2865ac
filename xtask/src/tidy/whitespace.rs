//! No blanks at the end of a line, and one newline at the end of a file.

use super::{Tree, Violation};

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in &tree.files {
        for (index, line) in file.text.split('\n').enumerate() {
            if line.ends_with(char::is_whitespace) {
                found.push(Violation::new(
                    file,
                    index + 1,
                    "blanks at the end of the line; delete them",
                ));
            }
        }
        let newlines = file.text.len() - file.text.trim_end_matches('\n').len();
        if newlines != 1 && !file.text.is_empty() {
            let last = file.text.lines().count();
            found.push(Violation::new(
                file,
                last,
                format!("ends with {newlines} newlines; let it be one"),
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::said;
    use super::*;

    #[test]
    fn blanks_before_a_newline_are_found() {
        for text in ["a\nb \n", "a\nb\t\n", "a\nb\r\n"] {
            assert_eq!(
                said(check, "a.md", text),
                ["2: blanks at the end of the line; delete them"],
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_file_ends_with_one_newline() {
        assert_eq!(
            said(check, "a.md", "a\nb"),
            ["2: ends with 0 newlines; let it be one"]
        );
        assert_eq!(
            said(check, "a.md", "a\n\n"),
            ["2: ends with 2 newlines; let it be one"]
        );
        assert!(said(check, "a.md", "a\n\nb\n").is_empty());
    }
}
