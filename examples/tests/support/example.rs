//! Builds an example and runs it, as nobody else does it for an integration test.
//!
//! Cargo sets no variable with the path of an example, and `cargo test --tests` does not even build it. So it is
//! asked to, which costs next to nothing if the example is fresh; it is then found beside the test's own program.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Output};

/// Gives the path of the example's program.
pub(crate) fn build(name: &str) -> PathBuf {
    // target/debug/deps/checksum-0123456789abcdef
    let test = env::current_exe().expect("the path of this test");
    let directory = test
        .ancestors()
        .nth(2)
        .expect("the directory of the profile");
    let target = directory.parent().expect("the target directory");
    let profile = match directory.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    // With the features of the whole workspace, as `cargo test` and `cargo run` at its root do.
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--workspace",
            "--example",
            name,
            "--profile",
            profile,
        ])
        .arg("--target-dir")
        .arg(target)
        .status()
        .expect("cargo runs");
    assert!(status.success(), "cargo builds the example {name}");
    let program = format!("{name}{}", env::consts::EXE_SUFFIX);
    directory.join("examples").join(program)
}

/// What a program said, and the status with which it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) status: Option<i32>,
}

pub(crate) fn said(command: &mut Command) -> Said {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the program runs");
    Said {
        out: String::from_utf8_lossy(&stdout).into_owned(),
        err: String::from_utf8_lossy(&stderr).into_owned(),
        status: status.code(),
    }
}
