//! What the example `start_handshake` promises.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use example::{Said, said};

#[path = "support/example.rs"]
mod example;

static START_HANDSHAKE: LazyLock<PathBuf> = LazyLock::new(|| example::build("start_handshake"));

/// All that happens before or after something else waits for it, so there is one order only.
const EXPECTED: &str = "\
a server is ready on port 8000
hello, Ada
hello, Grace
a second one: the child failed before it was ready: address in use
a slow one: cancelled, and has cleaned up
a slow one: deadline has elapsed
an idle one: the child ended without calling `Started::set`
the server: the child was cancelled: cancelled on request
open ports: 0
";

fn start_handshake(args: &str) -> Said {
    said(Command::new(&*START_HANDSHAKE).args(args.split_whitespace()))
}

#[test]
fn it_goes_the_same_way_on_every_backend() {
    let said = start_handshake("--backend all");
    let expected = ["tokio", "async-std", "smol", "sim"].map(|on| format!("on {on}\n{EXPECTED}"));
    assert_eq!(said.out, expected.concat());
    assert_eq!((said.err.as_str(), said.status), ("", Some(0)));
}

#[test]
fn on_the_simulator_it_goes_the_same_way_in_every_order() {
    for seed in 0..20 {
        let said = start_handshake(&format!("--backend sim --seed {seed}"));
        assert_eq!(said.out, format!("on sim\n{EXPECTED}"), "seed {seed}");
    }
}

#[test]
fn bad_arguments_are_refused() {
    for (args, complaint) in [
        ("--backend tokyo", "unknown backend `tokyo`"),
        ("--seed x", "invalid digit"),
        ("8080", "unexpected argument '8080'"),
    ] {
        let said = start_handshake(args);
        assert!(said.err.contains(complaint), "{args}: {}", said.err);
        assert_eq!((said.out.as_str(), said.status), ("", Some(2)), "{args}");
    }
}
