//! A file uses only files that stand above it: the `mod` lines of a `lib.rs` are in reading order, without circles.
//!
//! The files below `x/` belong to the layer `x`, whose inside is its own affair. Tests may look wherever they like.

use super::tokens::{Token, after_group, outside_tests, tokens};
use super::{File, Tree, Violation};

mod paths;

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let roots = tree.rust_files().filter_map(|file| {
        let source = file.path.strip_suffix("lib.rs")?;
        matches!(
            source.split('/').collect::<Vec<_>>()[..],
            ["crates", _, "src", ""]
        )
        .then_some((file, source))
    });
    roots
        .flat_map(|(lib, source)| check_crate(tree, lib, source))
        .collect()
}

fn check_crate(tree: &Tree, lib: &File, source: &str) -> Vec<Violation> {
    let all = tokens(&lib.text);
    let kept = outside_tests(&all);
    let layers = Layers {
        names: modules(&kept),
        exports: paths::exports(&kept),
    };
    let declared = modules(&all);
    let mut found = Vec::new();
    for file in tree.rust_files() {
        let Some(module) = file
            .path
            .strip_prefix(source)
            .and_then(|path| path.strip_suffix(".rs"))
        else {
            continue;
        };
        let parts: Vec<_> = module.split('/').filter(|part| *part != "mod").collect();
        let own = parts[0];
        if matches!(own, "lib" | "main" | "bin") || parts.contains(&"tests") {
            continue;
        }
        if let Some(own) = layers.place(own) {
            found.extend(layers.check(file, own, parts.len()));
        } else if !declared.contains(&own) {
            found.push(Violation::new(
                file,
                1,
                format!(
                    "no `mod {own};` in {}; add it, or delete the file",
                    lib.path
                ),
            ));
        }
    }
    found
}

/// The modules of one crate.
struct Layers<'a> {
    /// In the order of their `mod` lines.
    names: Vec<&'a str>,
    /// The names that `lib.rs` re-exports, each with its module.
    exports: Vec<(&'a str, &'a str)>,
}

impl Layers<'_> {
    /// What a file of the layer at `own` uses although it stands below. The file is `depth` modules below the root.
    fn check(&self, file: &File, own: usize, depth: usize) -> Vec<Violation> {
        let below = |used: &Token<'_>| {
            if used.text == "*" {
                return Some("a glob over the whole crate; name the module".to_owned());
            }
            // A name that is neither a module nor re-exported from one is made in `lib.rs` or comes from another crate.
            let place = self.layer_of(used.text).filter(|place| *place > own)?;
            let (own, used) = (self.names[own], self.names[place]);
            Some(format!(
                "`{own}` uses `{used}`, whose `mod` line stands below its own; move the line, or the code"
            ))
        };
        let used = paths::from_root(&outside_tests(&tokens(&file.text)), depth);
        used.iter()
            .filter_map(|used| Some(Violation::new(file, used.line, below(used)?)))
            .collect()
    }

    fn layer_of(&self, name: &str) -> Option<usize> {
        let exported = || self.exports.iter().find(|(export, _)| *export == name);
        self.place(name).or_else(|| self.place(exported()?.1))
    }

    fn place(&self, module: &str) -> Option<usize> {
        self.names.iter().position(|name| *name == module)
    }
}

/// The names of the modules that are declared here, also those that `cfg_if!` chooses from.
fn modules<'a>(tokens: &[Token<'a>]) -> Vec<&'a str> {
    let mut names = Vec::new();
    let mut place = 0;
    while let Some(words) = tokens.get(place..place + 3) {
        place += 1;
        match [words[0].text, words[2].text] {
            ["mod", ";"] => names.push(words[1].text),
            ["mod", "{"] => {
                names.push(words[1].text);
                place = after_group(tokens, place + 1);
            }
            _ => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIB: &str = "mod low;\npub mod middle;\n#[cfg(test)]\nmod helpers;\ncfg_if! { if #[cfg(x)] { mod high; } }\n\
        pub use crate::low::{Low, Deep as Shallow};\npub use high::High;\n";

    /// The lines at which the file `name` of a crate with the layers `low`, `middle` and `high` breaks the rule.
    fn lines(name: &str, text: &str) -> Vec<usize> {
        let path = format!("crates/c/src/{name}.rs");
        let found = check(&Tree::of(&[("crates/c/src/lib.rs", LIB), (&path, text)]));
        assert!(found.iter().all(|violation| violation.path == path));
        found.into_iter().map(|violation| violation.line).collect()
    }

    #[test]
    fn a_file_that_uses_one_below_it_is_found() {
        assert_eq!(lines("low", "\nuse crate::middle::f;\n"), [2]);
        assert_eq!(lines("middle", "fn f() {\n    crate::high::g()\n}\n"), [2]);
        assert_eq!(
            lines(
                "low",
                "use crate::{\n    low::a,\n    middle::{b, low},\n    high,\n};\n"
            ),
            [3, 4]
        );
        assert_eq!(lines("low", "use super::high::g;\n"), [1]);
    }

    #[test]
    fn the_way_over_the_root_is_no_way_around() {
        assert_eq!(lines("low", "use crate::High;\n"), [1]);
        assert_eq!(lines("high", "use crate::{Low, Shallow};\n"), []);
        assert_eq!(lines("middle", "use crate::*;\nuse super::*;\n"), [1, 2]);
    }

    #[test]
    fn files_above_and_the_own_layer_are_free() {
        assert_eq!(
            lines(
                "high",
                "use crate::{low, middle::f};\nuse super::low::g;\nuse crate::high::part;\n"
            ),
            []
        );
        assert_eq!(
            lines(
                "middle",
                "pub(crate) fn f() {}\n// crate::high\nconst A: &str = \"crate::high\";\n"
            ),
            []
        );
        assert_eq!(lines("low", "use crate::made_in_lib;\n"), []);
    }

    #[test]
    fn nested_modules_belong_to_their_layer() {
        assert_eq!(
            lines(
                "low/part",
                "use super::other;\nuse super::super::high::g;\nuse crate::low::x;\n"
            ),
            [2]
        );
        assert_eq!(
            lines(
                "low",
                "mod inner {\n use super::high;\n use super::super::high;\n}\nuse super::high;\n"
            ),
            [3, 5]
        );
        assert_eq!(lines("low/mod", "use super::high::g;\n"), [1]);
    }

    #[test]
    fn tests_may_look_anywhere() {
        assert_eq!(
            lines(
                "low",
                "#[cfg(test)]\nmod tests {\n    use crate::high::g;\n}\n"
            ),
            []
        );
        assert_eq!(lines("low/tests", "use crate::high::g;\n"), []);
        assert_eq!(lines("helpers", "use crate::high::g;\n"), []);
    }

    #[test]
    fn a_file_that_is_never_compiled_is_found() {
        assert_eq!(lines("forgotten", "//! Forgotten.\n"), [1]);
    }
}
