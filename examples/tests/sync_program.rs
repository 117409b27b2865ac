//! What the example `sync_program` promises.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use example::{Said, said};

#[path = "support/example.rs"]
mod example;

static SYNC_PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| example::build("sync_program"));

const EXPECTED: &str = "\
the server is ready
apples: 6
pears: 5
plums: it takes too long
enough
the server has cleaned up
the runtime has ended
";

fn sync_program(args: &str) -> Said {
    said(Command::new(&*SYNC_PROGRAM).args(args.split_whitespace()))
}

#[test]
fn it_goes_the_same_way_on_every_backend() {
    let said = sync_program("--backend all");
    let expected = ["tokio", "async-std", "smol", "sim"].map(|on| format!("on {on}\n{EXPECTED}"));
    assert_eq!(said.out, expected.concat());
    assert_eq!((said.err.as_str(), said.status), ("", Some(0)));
}

#[test]
fn bad_arguments_are_refused() {
    let said = sync_program("--backend tokyo");
    assert!(said.err.contains("unknown backend `tokyo`"), "{}", said.err);
    assert_eq!((said.out.as_str(), said.status), ("", Some(2)));
}
