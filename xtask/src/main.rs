//! The chores of this workspace: `cargo xtask VERB` does one of them, and `cargo xtask ci` all.
#![forbid(unsafe_code)]

use std::process::ExitCode;

mod shell;
mod tree;

mod backends;
mod clippy;
mod weight;

mod bench;
mod ci;
mod examples;
mod features;
mod models;
mod seeds;
mod test;
mod tidy;

const USAGE: &str = "\
cargo xtask VERB

  ci                fmt, clippy, tidy, features, test, doc and examples; stops at the first failure
  test [ARG..]      all tests, with all backends, with each alone and with none; ARGs go to the test programs
  seeds [COUNT]     random programs on the simulator, as many as COUNT or 10,000
  models [COUNT]    each model of the core in COUNT interleavings, or 100,000
  bench [ARG..]     measures beside the peers, optimised; `bench --quick` in a minute, `bench --help` says more;
                    `bench --doc` measures it all, and puts the figures into the documentation
  weight            builds an application with `anyrt` and one with `tokio` alone, and compares crates and time
  features          checks the facade with every subset of the backend features, warnings denied
  tidy              the rules of this house that rustc, clippy and rustfmt do not know
  examples          runs the command lines that stand at the head of each example
  help              this text
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["ci"] => ci::run(),
        ["test", args @ ..] => test::run(args),
        ["seeds", count @ ..] => seeds::run(count),
        ["models", count @ ..] => models::run(count),
        ["bench", args @ ..] => bench::run(args),
        ["weight"] => weight::run(),
        ["features"] => features::run(),
        ["tidy"] => tidy::run(),
        ["examples"] => examples::run(),
        ["help" | "--help" | "-h"] => {
            eprint!("{USAGE}");
            Ok(())
        }
        [] => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
        unknown => {
            let unknown = unknown.join(" ");
            eprintln!("xtask: no such verb: `{unknown}`; `cargo xtask help` lists them");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}
