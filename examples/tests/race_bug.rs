//! What the example `race_bug` promises.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use example::{Said, said};

#[path = "support/example.rs"]
mod example;

static RACE_BUG: LazyLock<PathBuf> = LazyLock::new(|| example::build("race_bug"));

fn race_bug(args: &str) -> Said {
    said(Command::new(&*RACE_BUG).args(args.split_whitespace()))
}

#[test]
fn the_race_is_found_replayed_and_mended() {
    let said = race_bug("");
    assert_eq!((said.err.as_str(), said.status), ("", Some(0)));
    let lines: Vec<_> = said.out.lines().collect();
    let [found, replayed, mended] = lines[..] else {
        panic!("{}", said.out);
    };
    assert!(found.starts_with("seed "), "{found}");
    assert!(found.contains("loaded 2 times"), "{found}");
    assert!(replayed.ends_with("loaded 2 times"), "{replayed}");
    assert_eq!(mended, "mended, no order fails");

    let order = replayed.strip_prefix("replayed, ").unwrap();
    let (order, _) = order.split_once(": ").unwrap();
    let again = race_bug(&format!("--replay {order}"));
    let expected = format!("{order}: the page was loaded 2 times\n");
    assert_eq!((again.out, again.status), (expected, Some(0)));
}

#[test]
fn the_usual_order_shows_nothing() {
    let said = race_bug("--replay 0:fifo");
    assert_eq!(said.out, "0:fifo: the page was loaded 1 times\n");
}

#[test]
fn it_prints_the_same_twice() {
    assert_eq!(race_bug("--seeds 100"), race_bug("--seeds 100"));
}

#[test]
fn bad_arguments_are_refused() {
    for (args, complaint) in [
        ("--replay sometimes", "`sometimes` is neither a seed"),
        ("--seeds many", "invalid digit"),
    ] {
        let said = race_bug(args);
        assert!(said.err.contains(complaint), "{args}: {}", said.err);
        assert_eq!((said.out.as_str(), said.status), ("", Some(2)), "{args}");
    }
}
