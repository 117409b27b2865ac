//! The JSON format of Chrome's traces, written by hand: it is a list of flat objects.

use std::fmt::Write;

use anyrt_core::observe::What;

use super::rows::{Row, rows};
use super::words::{cancellation, label, outcome, place};
use crate::record::{Moment, Record};

pub(super) fn write(record: &Record) -> String {
    let is_timeless = record.end().time.is_zero();
    let rows = rows(record);
    let tracks = tracks(&rows);
    let mut json = String::from("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
    let title = format!("seed {}", record.seed());
    Event::new(&mut json, "process_name", 'M', 0).arg("name", &title);
    let micros = |moment: Moment| {
        let nanos = if is_timeless {
            u128::from(moment.step) * 1_000
        } else {
            moment.time.as_nanos()
        };
        format!("{}.{:03}", nanos / 1_000, nanos % 1_000)
    };
    for (index, (row, &track)) in rows.iter().zip(&tracks).enumerate() {
        let (thing, name) = (row.thing, label(record, row.thing));
        if track == index {
            let depth = "· ".repeat(row.depth);
            Event::new(&mut json, "thread_name", 'M', track).arg("name", &(depth + &name));
            let order = index.to_string();
            Event::new(&mut json, "thread_sort_index", 'M', track).number("sort_index", &order);
        }
        let begun = micros(thing.begun);
        let (from, to) = (thing.begun, row.end);
        let length = Moment {
            time: to.time.saturating_sub(from.time),
            step: to.step.saturating_sub(from.step),
        };
        let mut slice = Event::new(&mut json, &name, 'X', track)
            .with("cat", kind(thing.what))
            .at(&begun)
            .plain("dur", &micros(length))
            .arg("outcome", &outcome(thing));
        if let Some(place) = place(thing) {
            slice = slice.arg("at", &place);
        }
        drop(slice);
        for cancelled in &thing.cancelled {
            Event::new(&mut json, &cancellation(cancelled), 'i', track)
                .with("s", "t")
                .at(&micros(cancelled.at));
        }
    }
    json.push_str("\n]}\n");
    json
}

/// Of each row the one whose track it is drawn on: that of its task, unless something beside it is there at the time.
fn tracks(rows: &[Row<'_>]) -> Vec<usize> {
    let mut tracks: Vec<usize> = Vec::new();
    // When the last thing ended that was drawn on a thing's track and is a part of it.
    let mut busy: Vec<Option<Moment>> = vec![None; rows.len()];
    for (index, row) in rows.iter().enumerate() {
        let is_own = row.thing.is_child() || row.thing.what == What::Thread;
        let above = row.above.filter(|_| !is_own).filter(|&above| {
            let is_free = busy[above].is_none_or(|end| end <= row.thing.begun);
            is_free && row.end <= rows[above].end
        });
        tracks.push(above.map_or(index, |above| tracks[above]));
        if let Some(above) = above {
            busy[above] = Some(row.end);
        }
    }
    tracks
}

fn kind(what: What) -> &'static str {
    match what {
        What::Run => "run",
        What::Group => "group",
        What::Task => "task",
        What::Daemon => "daemon",
        What::Scope { .. } => "scope",
        What::Shield => "shield",
        What::Cleanup => "cleanup",
        What::Thread => "thread",
        _ => "other",
    }
}

/// One object of the list, which is closed when this is dropped.
struct Event<'a> {
    json: &'a mut String,
    has_args: bool,
}

impl<'a> Event<'a> {
    fn new(json: &'a mut String, name: &str, phase: char, track: usize) -> Self {
        let comma = if json.ends_with('[') { "" } else { "," };
        let _ = write!(
            json,
            "{comma}\n{{\"pid\":1,\"tid\":{track},\"ph\":\"{phase}\""
        );
        let event = Self {
            json,
            has_args: false,
        };
        event.with("name", name)
    }

    fn with(self, key: &str, value: &str) -> Self {
        let _ = write!(self.json, ",\"{key}\":{}", quoted(value));
        self
    }

    fn plain(self, key: &str, number: &str) -> Self {
        let _ = write!(self.json, ",\"{key}\":{number}");
        self
    }

    fn at(self, micros: &str) -> Self {
        self.plain("ts", micros)
    }

    fn arg(self, key: &str, value: &str) -> Self {
        self.number(key, &quoted(value))
    }

    /// The arguments come last.
    fn number(mut self, key: &str, number: &str) -> Self {
        let before = if self.has_args { "," } else { ",\"args\":{" };
        let _ = write!(self.json, "{before}\"{key}\":{number}");
        self.has_args = true;
        self
    }
}

impl Drop for Event<'_> {
    fn drop(&mut self) {
        self.json.push_str(if self.has_args { "}}" } else { "}" });
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
