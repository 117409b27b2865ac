//! The paths of a file that start at the root of its crate.

use super::super::tokens::{Token, after_group};

/// The first name behind every `crate::`, and behind every `super::` that leads as high.
///
/// `depth` says how many modules the file is below the root.
pub(super) fn from_root<'a>(tokens: &[Token<'a>], depth: usize) -> Vec<Token<'a>> {
    let is = |place: usize, text: &str| tokens.get(place).is_some_and(|token| token.text == text);
    let mut names = Vec::new();
    // How many braces are open, and how many were when each open `mod name {` began.
    let mut braces = 0;
    let mut inline_modules = Vec::new();
    let mut place = 0;
    while place < tokens.len() {
        let start = place;
        place += 1;
        match tokens[start].text {
            "mod" if is(start + 2, "{") => inline_modules.push(braces),
            "{" => braces += 1,
            "}" => {
                braces -= 1;
                if inline_modules.last() == Some(&braces) {
                    inline_modules.pop();
                }
            }
            "crate" if is(place, "::") => names.extend(heads(&tokens[place + 1..])),
            "super" if is(place, "::") => {
                place += 1;
                while is(place, "super") && is(place + 1, "::") {
                    place += 2;
                }
                if (place - start) / 2 == depth + inline_modules.len() {
                    names.extend(heads(&tokens[place..]));
                }
            }
            _ => {}
        }
    }
    names
}

/// The names that `lib.rs` has from its modules: each as it is called at the root, with the module.
pub(super) fn exports<'a>(lib: &[Token<'a>]) -> Vec<(&'a str, &'a str)> {
    let uses = lib
        .iter()
        .enumerate()
        .filter(|(_, token)| token.text == "use")
        .map(|(place, _)| &lib[place + 1..]);
    let mut exports = Vec::new();
    for tree in uses {
        let end = tree
            .iter()
            .position(|token| token.text == ";")
            .unwrap_or(tree.len());
        export(&tree[..end], &mut exports);
    }
    exports
}

fn export<'a>(tree: &[Token<'a>], exports: &mut Vec<(&'a str, &'a str)>) {
    match tree {
        [
            Token {
                text: "crate" | "self",
                ..
            },
            Token { text: "::", .. },
            rest @ ..,
        ] => export(rest, exports),
        [Token { text: "{", .. }, ..] => branches(tree).for_each(|branch| export(branch, exports)),
        [module, Token { text: "::", .. }, rest @ ..] => {
            // The last word of a branch is the name that it gives, also behind `as`.
            let next = rest.iter().skip(1).map(|token| token.text).chain([","]);
            let words = rest.iter().map(|token| token.text).zip(next);
            let leaves = words.filter(|(word, next)| *word != "}" && matches!(*next, "," | "}"));
            exports.extend(leaves.map(|(leaf, _)| (leaf, module.text)));
        }
        _ => {}
    }
}

/// The first names of a use tree: one, or that of every branch.
fn heads<'a>(tree: &[Token<'a>]) -> Vec<Token<'a>> {
    match tree.first() {
        Some(Token { text: "{", .. }) => branches(tree)
            .filter_map(|branch| branch.first().copied())
            .collect(),
        first => first.copied().into_iter().collect(),
    }
}

/// What stands between the commas of the braces that `tree` starts with.
fn branches<'t, 'a>(tree: &'t [Token<'a>]) -> impl Iterator<Item = &'t [Token<'a>]> {
    // Braces that are never closed are for the compiler to complain about.
    let inside = tree.get(1..after_group(tree, 0) - 1).unwrap_or_default();
    let mut depth = 0;
    inside.split(move |token| {
        match token.text {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        depth == 0 && token.text == ","
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::tokens::tokens;
    use super::*;

    #[test]
    fn every_branch_of_a_use_tree_has_a_head() {
        let names = |text| {
            from_root(&tokens(text), 1)
                .iter()
                .map(|name| name.text)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            names("use crate::{a, b::{c, d}, e as f,}; g(crate::h::<i>())"),
            ["a", "b", "e", "h"]
        );
        assert_eq!(
            names("pub(crate) fn f() -> super::a { self::super::b }"),
            ["a", "b"]
        );
    }

    #[test]
    fn an_export_is_known_by_its_last_name() {
        let text = "pub use a::B; pub use crate::{c::{D, e::F as G}, h::I}; use std::fmt;";
        let expected = [
            ("B", "a"),
            ("D", "c"),
            ("G", "c"),
            ("I", "h"),
            ("fmt", "std"),
        ];
        assert_eq!(exports(&tokens(text)), expected);
    }
}
