//! The one way in which this workspace is checked with warnings denied.

use crate::shell::{Outcome, run};

/// Checks what `selection` names.
///
/// Clippy gives its arguments to workspace members only, so the dependencies are those that other checks have built;
/// `RUSTFLAGS=-Dwarnings` would build every one of them again, and once more for the next verb. The arguments are the
/// same for every caller because a member is checked again when they change.
pub(crate) fn check(selection: &str) -> Outcome {
    run(&format!("cargo clippy {selection} -- -D warnings"))
}
