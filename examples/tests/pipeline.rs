//! What the example `pipeline` promises.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use example::{Said, said};

#[path = "support/example.rs"]
mod example;

static PIPELINE: LazyLock<PathBuf> = LazyLock::new(|| example::build("pipeline"));

const BACKENDS: [&str; 4] = ["tokio", "async-std", "smol", "sim"];

fn command(args: &str) -> Command {
    let mut command = Command::new(&*PIPELINE);
    command.args(args.split_whitespace());
    command
}

fn pipeline(args: &str) -> Said {
    said(&mut command(args))
}

fn products(lines: usize) -> Vec<String> {
    let product = |n| format!("{n} * 7 = {}", n * 7);
    (1..=lines).map(product).collect()
}

#[test]
fn every_line_comes_out_once_on_every_backend() {
    for backend in BACKENDS {
        let said = pipeline(&format!("--backend {backend} --workers 5"));
        assert_eq!((said.err.as_str(), said.status), ("", Some(0)), "{backend}");
        let lines: Vec<_> = said.out.lines().collect();
        let [on, products @ .., queues] = &lines[..] else {
            panic!("{}", said.out);
        };
        assert_eq!(*on, format!("on {backend}"));
        assert!(queues.starts_with("at most "), "{queues}");
        // The workers may overtake one another.
        let mut products = products.to_vec();
        products.sort_by_key(|line| line.split(' ').next().and_then(|n| n.parse::<u32>().ok()));
        assert_eq!(products, self::products(20), "{backend}");
    }
}

#[test]
fn a_slow_stage_holds_up_the_one_before_it() {
    for limit in [1, 2, 7] {
        let said = pipeline(&format!("--backend sim --lines 100 --limit {limit}"));
        let queues = format!("at most {limit} lines and {limit} results in a queue\n");
        assert!(said.out.ends_with(&queues), "{}", said.out);
    }
}

#[test]
fn a_queue_before_a_fast_stage_stays_short() {
    let said = pipeline("--backend sim --lines 100 --workers 20 --limit 50");
    assert!(said.out.contains("at most 1 lines and 50 results"));
}

#[test]
fn on_the_simulator_a_seed_prints_the_same_twice() {
    for seed in 0..20 {
        let args = format!("--backend sim --seed {seed} --spoil {seed}");
        assert_eq!(pipeline(&args), pipeline(&args), "{args}");
    }
}

#[test]
fn an_error_ends_all_stages_and_comes_out() {
    for backend in BACKENDS {
        let args = format!("--backend {backend} --lines 1000000 --spoil 12");
        let said = pipeline(&args);
        let error = "pipeline: line 12, `12 * x`: invalid digit found in string\n";
        assert_eq!((said.err.as_str(), said.status), (error, Some(1)));
        let lines: Vec<_> = said.out.lines().skip(1).collect();
        assert!(lines.len() < 100, "{}", said.out);
    }
}

#[test]
fn with_nothing_to_read_it_ends_at_once() {
    let said = pipeline("--backend sim --lines 0");
    assert_eq!(
        said.out,
        "on sim\nat most 0 lines and 0 results in a queue\n"
    );
    assert_eq!(said.status, Some(0));
}

#[test]
fn it_ends_in_good_order_when_nobody_reads() {
    let mut command = command("--backend all --lines 1000000");
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn bad_arguments_are_refused() {
    for (args, complaint) in [
        ("--backend tokyo", "unknown backend `tokyo`"),
        ("--limit 0", "non-zero"),
        ("--workers 0", "non-zero"),
        ("--lines x", "invalid digit"),
    ] {
        let said = pipeline(args);
        assert!(said.err.contains(complaint), "{args}: {}", said.err);
        assert_eq!((said.out.as_str(), said.status), ("", Some(2)), "{args}");
    }
}
