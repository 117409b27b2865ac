//! Measures anyrt and its peers side by side: the same work in one process, in turns, on the same runtime.
//!
//! Ratios are what counts; times depend on the machine and are printed for context.
#![forbid(unsafe_code)]

mod case;
mod table;

mod cases;

use clap::Parser;

use crate::case::Effort;

#[derive(Parser)]
#[command(about = "Measures anyrt and its peers side by side")]
struct Args {
    /// Only cases whose name contains this.
    filter: Option<String>,
    /// A minute's run: fewer rounds, and so a wider spread.
    #[arg(long)]
    quick: bool,
}

#[expect(clippy::print_stdout, reason = "the tables are what this is for")]
fn main() -> Result<(), String> {
    let args = Args::parse();
    let filter = args.filter.unwrap_or_default();
    let effort = if args.quick {
        Effort::QUICK
    } else {
        Effort::FULL
    };
    let mut cases = cases::all();
    cases.retain(|case| case.name.contains(&filter));
    if cases.is_empty() {
        return Err(format!(
            "no case has `{filter}` in its name; run it without a filter to see them all"
        ));
    }
    for case in cases {
        println!("{}", table::of(&case.measure(effort)?));
    }
    Ok(())
}
