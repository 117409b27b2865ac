//! Measures anyrt and its peers side by side: the same work in one process, in turns, on the same runtime.
//!
//! Ratios are what counts; times depend on the machine and are printed for context.
#![forbid(unsafe_code)]

mod goal;
mod host;
mod spread;
mod case;
mod row;
mod measure;
mod instructions;
mod report;

mod cases;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::case::Case;
use crate::host::Hosts;
use crate::measure::Effort;
use crate::report::Report;

#[derive(Parser)]
#[command(about = "Measures anyrt and its peers side by side")]
struct Args {
    /// Only cases whose name or subject contains these words as they stand; or the one case with this very name.
    filter: Vec<String>,
    /// A minute's run: fewer rounds, and so a wider spread.
    #[arg(long)]
    quick: bool,
    /// Count instructions with valgrind's callgrind instead of time.
    #[arg(long)]
    instructions: bool,
    /// Write all figures to this file as well, as an array of objects.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the tables to this file as well.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Only do the work of one case, so many times and without measuring: something to look at for a profiler.
    #[arg(long, value_name = "TIMES")]
    alone: Option<u32>,
    /// With `--alone`: the work of this peer.
    #[arg(long, value_name = "NAME", requires = "alone")]
    peer: Option<String>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), String> {
    let subjects = chosen(&args.filter.join(" "))?;
    let hosts = Hosts::start()?;
    if let Some(times) = args.alone {
        return alone(&subjects, &hosts, args.peer.as_deref(), times);
    }
    let effort = if args.quick {
        Effort::QUICK
    } else {
        Effort::FULL
    };
    let mut report = Report::default();
    for (subject, cases) in &subjects {
        report.begin(subject);
        for case in cases {
            let rows = if args.instructions {
                case.instructions()?
            } else {
                case.measure(&hosts, effort)
            };
            rows.into_iter().for_each(|row| report.add(row));
        }
    }
    report.end(args.json.as_deref(), args.markdown.as_deref())
}

type Subject = (&'static str, Vec<Case>);

/// The subjects that have cases which the filter names.
fn chosen(filter: &str) -> Result<Vec<Subject>, String> {
    let mut subjects = cases::all();
    let mut titles = subjects.iter().flat_map(|(_, cases)| cases);
    let exact = titles.any(|case| case.title() == filter);
    for (subject, cases) in &mut subjects {
        cases.retain(|case| {
            let title = case.title();
            let contains = title.contains(filter) || subject.contains(filter);
            title == filter || !exact && contains
        });
    }
    subjects.retain(|(_, cases)| !cases.is_empty());
    if subjects.is_empty() {
        return Err(format!(
            "no case has `{filter}` in its name; run it without a filter to see them all"
        ));
    }
    Ok(subjects)
}

fn alone(
    subjects: &[Subject],
    hosts: &Hosts,
    peer: Option<&str>,
    times: u32,
) -> Result<(), String> {
    let cases: Vec<_> = subjects.iter().flat_map(|(_, cases)| cases).collect();
    let [case] = cases[..] else {
        let titles: Vec<_> = cases.iter().map(|case| case.title()).collect();
        return Err(format!("name one of these:\n{}", titles.join("\n")));
    };
    let contender = match peer {
        None => &case.ours,
        Some(name) => {
            let peer = case.peers.iter().find(|peer| peer.name == name);
            &peer.ok_or("the case has no such peer")?.contender
        }
    };
    hosts.run(case.on, contender.work(times));
    Ok(())
}
