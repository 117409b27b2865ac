//! The files of the repository: their paths and texts, read once and handed to whoever looks at them.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::shell::{Outcome, root};

/// All files that are tracked, or will be with the next `git add`.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
}

#[derive(Debug)]
pub(crate) struct File {
    /// From the top of the repository, with `/` between the parts.
    pub(crate) path: String,
    /// Empty for what is not text.
    pub(crate) text: String,
}

impl Tree {
    pub(crate) fn read() -> Outcome<Self> {
        let mut paths = match listed_by_git() {
            Some(paths) => paths,
            None => walked(root())?,
        };
        paths.sort();
        paths.dedup();
        let mut files = Vec::new();
        for path in paths {
            // A path that is tracked but deleted is not in the tree any more.
            if let Ok(bytes) = fs::read(root().join(&path)) {
                files.push(File {
                    path,
                    text: String::from_utf8(bytes).unwrap_or_default(),
                });
            }
        }
        Ok(Self { files })
    }

    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    pub(crate) fn rust_files(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |&(path, text): &(&str, &str)| File {
            path: path.into(),
            text: text.into(),
        };
        Self {
            files: files.iter().map(file).collect(),
        }
    }
}

/// `None` without git, and in a copy of the sources that is no repository of its own.
fn listed_by_git() -> Option<Vec<String>> {
    if !root().join(".git").exists() {
        return None;
    }
    let output = Command::new("git")
        // In a container the files often belong to another user; listing them is harmless.
        .args([
            "-c",
            "safe.directory=*",
            "ls-files",
            "-z",
            "-co",
            "--exclude-standard",
        ])
        .current_dir(root())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let listing = String::from_utf8(output.stdout).ok()?;
    Some(listing.split_terminator('\0').map(str::to_owned).collect())
}

/// Everything below `directory` but git's own files and cargo's output.
fn walked(directory: &Path) -> Outcome<Vec<String>> {
    let mut paths = Vec::new();
    let mut pending = vec![directory.to_path_buf()];
    while let Some(directory) = pending.pop() {
        let unreadable = |why| format!("cannot read {}: {why}", directory.display());
        for entry in fs::read_dir(&directory).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let path = entry.path();
            if path == root().join(".git") || path == root().join("target") {
                continue;
            }
            if entry.file_type().map_err(unreadable)?.is_dir() {
                pending.push(path);
            } else if let Ok(below) = path.strip_prefix(root()) {
                let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
                paths.push(parts.join("/"));
            }
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_finds_what_git_lists() {
        let walked = walked(root()).unwrap();
        let listed = listed_by_git().unwrap_or_default();
        let gone = |path: &&String| !root().join(path).exists();
        let missed: Vec<_> = listed
            .iter()
            .filter(|path| !walked.contains(path))
            .collect();
        assert!(missed.iter().all(gone), "{missed:?}");
        assert!(walked.contains(&"xtask/src/tree.rs".to_owned()));
    }
}
