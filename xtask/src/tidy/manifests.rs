//! The version of a dependency stands in the root manifest and nowhere else.

use super::{Tree, Violation};

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in tree
        .files
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml"))
    {
        for entry in entries(&file.text) {
            if let Some(name) = entry.own_dependency() {
                let advice =
                    format!("`{name}` is not the workspace's; say `{name}.workspace = true`");
                found.push(Violation::new(file, entry.line, advice));
            }
        }
    }
    found
}

/// One `key = value` of a manifest and the table it stands in.
pub(super) struct Entry<'a> {
    pub(super) table: &'a str,
    pub(super) key: &'a str,
    pub(super) value: &'a str,
    line: usize,
}

/// As much TOML as manifests need: a value that goes on over several lines is known by its first.
pub(super) fn entries(manifest: &str) -> Vec<Entry<'_>> {
    let mut table = "";
    let mut entries = Vec::new();
    for (index, line) in manifest.lines().map(str::trim).enumerate() {
        if let Some(header) = line
            .strip_prefix('[')
            .and_then(|header| header.split(']').next())
        {
            table = header.trim_start_matches('[');
        } else if let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
            entries.push(Entry {
                table,
                key: key.trim(),
                value: value.trim(),
                line: index + 1,
            });
        }
    }
    entries
}

impl<'a> Entry<'a> {
    /// The name of the dependency that this entry describes without leaving it to the workspace.
    fn own_dependency(&self) -> Option<&'a str> {
        let kind = self.table.rsplit('.').next().unwrap_or_default();
        if kind.ends_with("dependencies") {
            let inherited =
                self.key.ends_with(".workspace") || self.value.contains("workspace = true");
            return (!inherited).then(|| self.key.split('.').next().unwrap_or_default());
        }
        // A table of its own, `[dependencies.name]`.
        let described = self.table.contains("dependencies.");
        (described && matches!(self.key, "version" | "path" | "git")).then_some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::super::said;
    use super::*;

    #[test]
    fn a_version_or_path_of_its_own_is_found() {
        for text in [
            "[dependencies]\na = \"1\"\n",
            "[dev-dependencies]\na = { version = \"1\" }\n",
            "[target.'cfg(unix)'.dependencies]\na = { path = \"../a\" }\n",
            "[dependencies.a]\nversion = \"1\"\n",
        ] {
            let expected = "2: `a` is not the workspace's; say `a.workspace = true`";
            assert_eq!(
                said(check, "crates/c/Cargo.toml", text),
                [expected],
                "{text}"
            );
        }
    }

    #[test]
    fn what_the_workspace_gives_is_fine() {
        let text = "[package]\nname = \"c\"\n[dependencies]\na.workspace = true\n# b = \"1\"\n\
            c = { workspace = true, features = [\n  \"d\",\n] }\n[dependencies.e]\nworkspace = true\n[features]\nf = []\n";
        assert!(said(check, "crates/c/Cargo.toml", text).is_empty());
        assert!(said(check, "Cargo.toml", "[workspace.dependencies]\na = \"1\"\n").is_empty());
    }
}
