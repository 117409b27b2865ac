//! Hashing a file. This blocks, so it runs on a thread.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use anyrt::CancelScope;
use clap::ValueEnum;
use sha2::{Digest, Sha256};

const BLOCK: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Algorithm {
    Sha256,
    Blake3,
}

impl Algorithm {
    /// Gives the hash in hexadecimal, or `None` if the scope was cancelled first.
    pub(crate) fn hash_file(self, path: &Path, scope: &CancelScope) -> io::Result<Option<String>> {
        let file = File::open(path)?;
        match self {
            Self::Sha256 => {
                let mut hasher = Sha256::new();
                let complete = feed(&mut hasher, file, scope)?;
                Ok(complete.then(|| format!("{:x}", hasher.finalize())))
            }
            Self::Blake3 => {
                let mut hasher = blake3::Hasher::new();
                let complete = feed(&mut hasher, file, scope)?;
                Ok(complete.then(|| hasher.finalize().to_string()))
            }
        }
    }
}

/// Says whether the end of the file was reached. A thread cannot be interrupted, so it looks at the scope itself.
fn feed(hasher: &mut impl Write, mut file: File, scope: &CancelScope) -> io::Result<bool> {
    let mut block = vec![0; BLOCK];
    while !scope.is_cancelled() {
        match file.read(&mut block) {
            Ok(0) => return Ok(true),
            Ok(length) => hasher.write_all(&block[..length])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}
