//! What the example `sync_and_async` promises.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use example::{Said, said};

#[path = "support/example.rs"]
mod example;

static SYNC_AND_ASYNC: LazyLock<PathBuf> = LazyLock::new(|| example::build("sync_and_async"));

const BACKENDS: [&str; 4] = ["tokio", "async-std", "smol", "sim"];

fn sync_and_async(args: &str) -> Said {
    said(Command::new(&*SYNC_AND_ASYNC).args(args.split_whitespace()))
}

#[test]
fn ten_thousand_requests_are_dealt_with_on_every_backend() {
    let said = sync_and_async("--backend all");
    let expected = BACKENDS.map(|on| {
        format!("on {on}\n  9400 answered\n   200 not found\n   200 panicked\n   200 too late\n")
    });
    assert_eq!(said.out, expected.concat());
    assert_eq!((said.err.as_str(), said.status), ("", Some(0)));
}

#[test]
fn one_thread_and_one_client_will_do() {
    for backend in BACKENDS {
        for few in ["--threads 1", "--clients 1", "--threads 1 --clients 1"] {
            let args = format!("--backend {backend} --requests 200 {few}");
            let said = sync_and_async(&args);
            let expected = format!(
                "on {backend}\n   188 answered\n     4 not found\n     4 panicked\n     4 too late\n"
            );
            assert_eq!((said.out, said.status), (expected, Some(0)), "{args}");
        }
    }
}

#[test]
fn bad_arguments_are_refused() {
    for (args, complaint) in [
        ("--backend tokyo", "unknown backend `tokyo`"),
        ("--clients 0", "zero"),
        ("--threads 0", "zero"),
    ] {
        let said = sync_and_async(args);
        assert!(said.err.contains(complaint), "{args}: {}", said.err);
        assert_eq!((said.out.as_str(), said.status), ("", Some(2)), "{args}");
    }
}
