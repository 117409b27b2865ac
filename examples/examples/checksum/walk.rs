//! Finding the files. This blocks, so it runs on a thread.

use std::io;
use std::path::PathBuf;

use anyrt::CancelScope;
use walkdir::{DirEntry, WalkDir};

use crate::report::Finding;

/// Gives all regular files at and below `paths`, or `None` if the scope was cancelled first.
///
/// What could not be looked into is told to `fail`.
pub(crate) fn walk(
    paths: &[PathBuf],
    scope: &CancelScope,
    fail: impl Fn(Finding),
) -> Option<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in paths.iter().flat_map(WalkDir::new) {
        if scope.is_cancelled() {
            return None;
        }
        match file(entry) {
            Ok(path) => files.extend(path),
            Err(finding) => fail(finding),
        }
    }
    Some(files)
}

/// The path of the entry if it is a file to be hashed.
fn file(entry: walkdir::Result<DirEntry>) -> Result<Option<PathBuf>, Finding> {
    let entry = entry.map_err(unreadable)?;
    if entry.depth() > 0 {
        let is_file = entry.file_type().is_file();
        return Ok(is_file.then(|| entry.into_path()));
    }
    // Given as an argument: here links are followed, and there is no silence about what is left out.
    let path = entry.into_path();
    if path.is_file() {
        Ok(Some(path))
    } else if path.is_dir() {
        Ok(None)
    } else {
        let hash = Err(io::Error::other("neither a regular file nor a directory"));
        Err(Finding { path, hash })
    }
}

fn unreadable(error: walkdir::Error) -> Finding {
    Finding {
        path: error.path().map(PathBuf::from).unwrap_or_default(),
        hash: Err(error
            .into_io_error()
            .unwrap_or_else(|| io::Error::other("loop of links"))),
    }
}
