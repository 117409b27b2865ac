//! `cargo xtask test`: every test, in every build that a user can make.

use crate::backends::BACKENDS;
use crate::shell::{self, Outcome};

/// Runs the workspace with all backends together, then the suite with each alone and with none.
///
/// The builds share one target directory, so only what sees a backend feature is compiled again.
pub(crate) fn run(args: &[&str]) -> Outcome {
    for build in builds() {
        shell::run(format!("cargo test {build} {}", args.join(" ")).trim_end())?;
    }
    Ok(())
}

/// What to test, up to where the arguments for the test programs go on.
///
/// `#[ignore]` means *slow* in this workspace, and here is where slow tests run. The doctests are a pass of their own
/// because there the word means *does not compile*.
fn builds() -> Vec<String> {
    let mut builds = vec![
        "--workspace --tests -- --include-ignored".into(),
        // The models are the core's own source once more, whose examples mean the core.
        "--workspace --exclude anyrt-models --doc --".into(),
    ];
    for features in BACKENDS
        .map(|name| format!(" --features {name}"))
        .into_iter()
        .chain([String::new()])
    {
        builds.push(format!(
            "--package anyrt-tests --no-default-features{features} --tests -- --include-ignored"
        ));
    }
    builds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_backend_is_tested_alone_and_none_too() {
        let builds = builds();
        let alone = |name| {
            builds
                .iter()
                .filter(|build| build.contains(&format!(" --features {name} ")))
                .count()
        };
        assert_eq!(BACKENDS.map(alone), [1; 4]);
        let bare = |build: &&String| build.contains("--no-default-features --tests");
        assert_eq!(builds.iter().filter(bare).count(), 1);
    }
}
