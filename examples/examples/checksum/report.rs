//! What comes out: the hashes that were computed, and what went wrong.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What became of one path.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) path: PathBuf,
    pub(crate) hash: io::Result<String>,
}

/// Everything that became known until the end, or until the time was up.
#[derive(Debug)]
pub(crate) struct Report {
    findings: Vec<Finding>,
    timed_out: bool,
}

impl Report {
    pub(crate) fn new(mut findings: Vec<Finding>, timed_out: bool) -> Self {
        // As one string: `Path` would compare name by name, which is not the order of `sort`.
        findings.sort_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
        Self {
            findings,
            timed_out,
        }
    }

    /// Writes one line per hash.
    pub(crate) fn print_hashes(&self, mut out: impl Write) -> io::Result<()> {
        for Finding { path, hash } in &self.findings {
            if let Ok(hash) = hash {
                out.write_all(&line(hash, path))?;
            }
        }
        out.flush()
    }

    /// All that went wrong, one line each.
    pub(crate) fn problems(&self) -> impl Iterator<Item = String> {
        let failures = self.findings.iter().filter_map(|Finding { path, hash }| {
            let error = hash.as_ref().err()?;
            Some(format!("{}: {error}", path.display()))
        });
        let time_up = "the time was up; not all files are in the list";
        failures.chain(self.timed_out.then(|| time_up.into()))
    }

    /// 124 if the time was up, as with `timeout`; 1 if something could not be read; 0 otherwise.
    pub(crate) fn status(&self) -> u8 {
        match self.timed_out {
            true => 124,
            false => self
                .findings
                .iter()
                .any(|finding| finding.hash.is_err())
                .into(),
        }
    }
}

/// A line of `sha256sum`, whose first character is a backslash if the name had to be escaped.
fn line(hash: &str, path: &Path) -> Vec<u8> {
    let name = path.as_os_str().as_encoded_bytes();
    let escaped = escape(name);
    let mark = if escaped == name { "" } else { "\\" };
    [mark.as_bytes(), hash.as_bytes(), b"  ", &escaped, b"\n"].concat()
}

fn escape(name: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(name.len());
    for byte in name {
        match byte {
            b'\\' => escaped.extend(b"\\\\"),
            b'\n' => escaped.extend(b"\\n"),
            b'\r' => escaped.extend(b"\\r"),
            _ => escaped.push(*byte),
        }
    }
    escaped
}
