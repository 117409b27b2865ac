//! The things of a run in the order in which they are drawn: each above what is below it in the tree.

use std::collections::HashMap;

use crate::record::{Moment, Record, Thing};

pub(super) struct Row<'a> {
    pub(super) thing: &'a Thing,
    /// The row of what it is part of.
    pub(super) above: Option<usize>,
    pub(super) depth: usize,
    /// The last row that belongs to it.
    pub(super) last: usize,
    /// When it ended, or when the record did.
    pub(super) end: Moment,
}

pub(super) fn rows(record: &Record) -> Vec<Row<'_>> {
    let all = record.in_order();
    let mut below: HashMap<Option<usize>, Vec<(usize, &Thing)>> = HashMap::new();
    for (key, thing) in all {
        below.entry(thing.parent).or_default().push((key, thing));
    }
    let mut rows: Vec<Row<'_>> = Vec::new();
    let mut next = Vec::new();
    let mut put = |above: Option<usize>, key: Option<usize>, next: &mut Vec<_>| {
        let things = below.remove(&key).unwrap_or_default();
        next.extend(things.into_iter().rev().map(|thing| (above, thing)));
    };
    put(None, None, &mut next);
    while let Some((above, (key, thing))) = next.pop() {
        let index = rows.len();
        rows.push(Row {
            thing,
            above,
            depth: above.map_or(0, |above| rows[above].depth + 1),
            last: index,
            end: thing.ended.as_ref().map_or(record.end(), |(end, _)| *end),
        });
        put(Some(index), Some(key), &mut next);
    }
    for index in (0..rows.len()).rev() {
        if let Some(above) = rows[index].above {
            rows[above].last = rows[above].last.max(rows[index].last);
        }
    }
    rows
}
