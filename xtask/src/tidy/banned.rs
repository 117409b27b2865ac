//! What no line of code may say, in any file: `unsafe`, `#[allow(..)]`, `todo!()`, `unimplemented!()`.

use super::tokens::{Token, after_group, tokens};
use super::{Tree, Violation};

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in tree.rust_files() {
        let tokens = tokens(&file.text);
        for (place, token) in tokens.iter().enumerate() {
            if let Some(advice) = advice(&tokens[place..]) {
                found.push(Violation::new(file, token.line, advice));
            }
        }
    }
    found
}

fn advice(tokens: &[Token<'_>]) -> Option<&'static str> {
    let next = tokens.get(1).map(|token| token.text);
    match (tokens[0].text, next) {
        ("unsafe", _) => Some("unsafe code; all of this can be had in safe Rust"),
        ("todo" | "unimplemented", Some("!")) => Some("unfinished; finish it or leave it out"),
        ("#", Some("[" | "!")) if allows(tokens) => {
            Some("an `allow`; mend the cause, or `expect` it with a reason")
        }
        _ => None,
    }
}

/// Whether the attribute here is an `allow`, or a `cfg_attr` that makes one.
fn allows(attribute: &[Token<'_>]) -> bool {
    let open = if attribute[1].text == "!" { 2 } else { 1 };
    let inside = &attribute[..after_group(attribute, open)];
    inside
        .windows(2)
        .any(|pair| pair[0].text == "allow" && pair[1].text == "(")
}

#[cfg(test)]
mod tests {
    use super::super::said;
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        check(&Tree::of(&[("a.rs", text)]))
            .iter()
            .map(|violation| violation.line)
            .collect()
    }

    #[test]
    fn each_banned_word_is_found() {
        assert_eq!(lines("fn f() {\n unsafe {}\n}\n"), [2]);
        assert_eq!(lines("\n#[allow(dead_code)]\nfn f() {}\n"), [2]);
        assert_eq!(lines("#![allow(dead_code)]\n"), [1]);
        assert_eq!(lines("#[cfg_attr(x, allow(dead_code))]\n"), [1]);
        assert_eq!(
            lines("fn f() { todo!() }\nfn g() { unimplemented!(\"later\") }\n"),
            [1, 2]
        );
    }

    #[test]
    fn what_only_looks_like_them_is_not() {
        assert_eq!(
            lines("#![forbid(unsafe_code)]\n#![deny(unsafe_op_in_unsafe_fn)]\n"),
            []
        );
        assert_eq!(
            lines("// unsafe, todo!(), #[allow(x)]\nconst A: &str = \"unsafe\";\n"),
            []
        );
        assert_eq!(
            lines("#[expect(dead_code, reason = \"r\")]\nfn allow(todo: u8) { allow(todo) }\n"),
            []
        );
    }

    #[test]
    fn the_advice_fits() {
        assert!(said(check, "a.rs", "#[allow(x)]\n")[0].contains("expect"));
    }
}
