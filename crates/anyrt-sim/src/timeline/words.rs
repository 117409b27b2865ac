//! What both pictures say in words.

use std::time::Duration;

use anyrt_core::observe::{Part, What};

use crate::record::{Cancelled, End, Record, Thing};

/// How it ended.
pub(super) fn outcome(thing: &Thing) -> String {
    match &thing.ended {
        None => "had not ended".into(),
        Some((_, End::Value)) => "done".into(),
        Some((_, End::Error)) => "failed".into(),
        Some((_, End::Panic)) => "panicked".into(),
        Some((_, End::Cancelled(reason))) => format!("cancelled: {reason}"),
        Some((_, End::Lost)) => "dropped at the end of the run".into(),
    }
}

pub(super) fn cancellation(cancelled: &Cancelled) -> String {
    let part = match cancelled.part {
        Part::Children => "children ",
        Part::Daemons => "daemons ",
        _ => "",
    };
    format!("{part}cancelled: {}", cancelled.reason)
}

/// Where it was written.
pub(super) fn place(thing: &Thing) -> Option<String> {
    thing.at.map(ToString::to_string)
}

/// Its name; of what has none, what it is.
pub(super) fn label(record: &Record, thing: &Thing) -> String {
    let what = match (&thing.name, thing.what) {
        (Some(name), _) => return name.to_string(),
        (None, What::Scope { deadline: Some(at) }) => {
            let limit = record.since_start(at).saturating_sub(thing.begun.time);
            return format!("time limit of {}", time(limit));
        }
        (None, What::Run) => "run",
        (None, What::Group) => "group",
        (None, What::Daemon) => "daemon",
        (None, What::Scope { deadline: None }) => "scope",
        (None, What::Shield) => "shield",
        (None, What::Cleanup) => "cleanup",
        (None, What::Thread) => "thread",
        (None, _) => return thing.title(),
    };
    what.into()
}

/// Of any length: `250µs`, `1.5s`, `1h 30m`, `12d`.
pub(super) fn time(time: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    if time.as_secs() < 60 {
        return format!("{time:?}");
    }
    let mut left = time.as_secs();
    let mut parts = Vec::new();
    for (seconds, unit) in UNITS {
        let count = left / seconds;
        left %= seconds;
        if count > 0 {
            parts.push(format!("{count}{unit}"));
        }
    }
    parts.join(" ")
}
