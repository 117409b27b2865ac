//! The tree of what is alive in a run, and what each waits for, printed for people.

use std::collections::HashMap;
use std::fmt::{self, Write};

use anyrt_core::observe::{Part, Wait, What};

use crate::record::{Record, Thing};

/// A report has no more lines than this.
const LINES: usize = 200;

/// Prints the tree; nothing if nothing is known.
pub(crate) fn report(record: &Record) -> String {
    let tree = Tree::of(record);
    let mut text = String::new();
    if !tree.top.is_empty() {
        text.push_str("\nWhat is left, and what it waits for:");
    }
    let mut left = tree.top.len() + tree.below.iter().map(Vec::len).sum::<usize>();
    let mut lines = 0;
    // What is still to be printed, the next one last, with what stands before it in its line.
    let mut rest: Vec<Line> = Line::of_siblings(&tree.top, "", true);
    while let Some(line) = rest.pop() {
        if lines == LINES {
            let _ = write!(text, "\n{}.. and {left} more", line.indent);
            break;
        }
        (lines, left) = (lines + 1, left - 1);
        let thing = tree.alive[line.index];
        let below = &tree.below[line.index];
        let _ = write!(text, "\n{}{}", line.indent, line.branch);
        let _ = tree.describe(&mut text, line.index, thing);
        rest.extend(Line::of_siblings(below, &line.indent_below(), false));
    }
    text
}

/// What is alive, in the order of its beginning, and who is below whom. What has ended and left something is skipped.
struct Tree<'a> {
    record: &'a Record,
    alive: Vec<&'a Thing>,
    top: Vec<usize>,
    below: Vec<Vec<usize>>,
}

/// A thing on its way to the paper.
struct Line {
    index: usize,
    indent: String,
    branch: &'static str,
}

impl Line {
    fn of_siblings(siblings: &[usize], indent: &str, is_top: bool) -> Vec<Self> {
        let last = siblings.last().copied();
        let line = |&index: &usize| Self {
            index,
            indent: indent.to_owned(),
            branch: match (is_top, Some(index) == last) {
                (true, _) => "",
                (false, true) => "└─ ",
                (false, false) => "├─ ",
            },
        };
        siblings.iter().rev().map(line).collect()
    }

    fn indent_below(&self) -> String {
        let more = match self.branch {
            "" => "",
            "└─ " => "   ",
            _ => "│  ",
        };
        format!("{}{more}", self.indent)
    }
}

impl<'a> Tree<'a> {
    fn of(record: &'a Record) -> Self {
        let mut alive = record.in_order();
        alive.retain(|(_, thing)| thing.ended.is_none());
        let indices = alive.iter().enumerate();
        let indices: HashMap<usize, usize> = indices.map(|(i, (key, _))| (*key, i)).collect();
        let mut tree = Self {
            record,
            top: Vec::new(),
            below: alive.iter().map(|_| Vec::new()).collect(),
            alive: alive.into_iter().map(|(_, thing)| thing).collect(),
        };
        for index in 0..tree.alive.len() {
            let mut above = tree.alive[index].parent;
            while let Some(thing) = above.and_then(|key| record.get(key)) {
                if thing.ended.is_none() {
                    break;
                }
                above = thing.parent;
            }
            match above.and_then(|above| indices.get(&above).copied()) {
                Some(above) => tree.below[above].push(index),
                None => tree.top.push(index),
            }
        }
        tree
    }

    fn describe(&self, text: &mut String, index: usize, thing: &Thing) -> fmt::Result {
        text.write_str(&thing.title())?;
        if let Some(at) = thing.at {
            let begun = match thing.what {
                What::Run => "started",
                What::Task | What::Daemon => "spawned",
                What::Thread => "called",
                _ => "opened",
            };
            write!(text, ", {begun} at {at}")?;
        }
        if let What::Scope { deadline: Some(at) } = thing.what {
            let at = self.record.since_start(at);
            write!(text, ", set to {at:?}")?;
        }
        for cancelled in &thing.cancelled {
            let part = match cancelled.part {
                Part::Children => "its children ",
                Part::Daemons => "its daemons ",
                _ => "",
            };
            let (at, reason) = (cancelled.at.time, &cancelled.reason);
            write!(text, ", {part}cancelled at {at:?} ({reason})")?;
        }
        if thing.what == What::Thread {
            return text.write_str(", has not returned");
        }
        let Some(polled) = thing.polled else {
            return text.write_str(", has not run yet");
        };
        let waits = self.waits(index, thing);
        if let Some((last, others)) = waits.split_last() {
            text.write_str(", waits for ")?;
            if !others.is_empty() {
                write!(text, "{} and ", others.join(", "))?;
            }
            text.write_str(last)?;
            if polled.is_zero() {
                text.write_str(", since the start")?;
            } else {
                write!(text, ", since {polled:?}")?;
            }
        }
        Ok(())
    }

    /// What it waits for itself; what is a part of it has a line of its own, and says that there.
    fn waits(&self, index: usize, thing: &Thing) -> Vec<String> {
        let below = self.below[index].iter().map(|below| self.alive[*below]);
        let (children, parts): (Vec<_>, Vec<_>) = below.partition(|thing| thing.is_child());
        let mut waits = Vec::new();
        for waiting in &thing.waits {
            let whom = || match self.record.waited_for(waiting) {
                Some(thing) => thing.title(),
                None => "what is not in this run".into(),
            };
            let text = match waiting.on {
                Wait::Until(Some(at)) => format!("the time {:?}", self.record.since_start(at)),
                Wait::Until(None) => "a time that never comes".into(),
                Wait::Task(_) | Wait::Thread(_) => format!("the end of {}", whom()),
                Wait::Ready(_) => format!("{} to be ready", whom()),
                Wait::Children if children.len() == 1 => "its child".into(),
                Wait::Children => format!("its {} children", children.len()),
                Wait::Token { total } => format!("a token of a limiter that has {total}"),
                Wait::Turn { limit } => format!("its turn, {limit} at once"),
                Wait::Cancellation => "a scope to be cancelled".into(),
                Wait::Stop => "being asked to stop".into(),
                _ => "something".into(),
            };
            if !waits.contains(&text) {
                waits.push(text);
            }
        }
        if waits.is_empty() && parts.is_empty() {
            waits.push("something outside anyrt".into());
        }
        waits
    }
}
