//! The picture: a bar for each thing, in a row of its own, in a box around all that is below it in the tree.

mod axis;
mod style;

use std::fmt::{Display, Write};

use anyrt_core::Reason;
use anyrt_core::observe::What;

use self::axis::{Axis, tick_text};
use self::style::{Look, STYLE, legend};
use super::rows::{Row, rows};
use super::words::{cancellation, label, outcome, place, time};
use crate::record::{End, Moment, Record};

const WIDTH: f64 = 1000.0;
const MARGIN: f64 = 20.0;
/// Where the rows begin.
const TOP: f64 = 72.0;
const ROW: f64 = 22.0;
const BAR: f64 = 16.0;
/// Where letters stand in a row.
const BASELINE: f64 = 11.5;
/// Where time begins; to the left of it are the names.
const LEFT: f64 = 250.0;
const INDENT: f64 = 13.0;
const MOST_INDENTS: usize = 12;
/// A label takes about as much for each character.
const LETTER: f64 = 6.2;
/// The width of a mark.
const MARK: f64 = 14.0;
/// What would make a picture that nobody can look at is left out.
const ROWS: usize = 500;

pub(super) fn draw(record: &Record) -> String {
    let mut rows = rows(record);
    let left_out = rows.len().saturating_sub(ROWS);
    rows.truncate(ROWS);
    let axis = Axis::new(record.end(), LEFT, WIDTH - MARGIN);
    let bottom = TOP + ROW * rows.len() as f64 + 6.0;
    let height = bottom + 62.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" font-family=\"system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif\">\n\
         <style>{STYLE}</style>\n<rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\" rx=\"6\"/>\n"
    );
    let tasks = rows.iter().filter(|row| row.thing.is_child()).count();
    let length = if axis.is_timeless() {
        "no virtual time went by; drawn by events".to_owned()
    } else {
        format!("{} of virtual time", time(record.end().time))
    };
    let title = format!("seed {} · {tasks} tasks · {length}", record.seed());
    text(&mut svg, "title", MARGIN, 28.0, &title);
    for tick in axis.ticks() {
        let x = axis.x_of_tick(tick);
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{x:.1} {:.1}V{bottom:.1}\"/>",
            TOP - 8.0
        );
        text(
            &mut svg,
            "tick",
            x,
            TOP - 14.0,
            &tick_text(tick, axis.is_timeless()),
        );
    }
    // First the boxes, then the bars, then what must not be hidden by either.
    for (index, row) in rows.iter().enumerate() {
        let last = row.last.min(rows.len() - 1);
        if last > index {
            boxed(&mut svg, &axis, row, index, last);
        }
    }
    for (index, row) in rows.iter().enumerate() {
        name(&mut svg, record, row, index);
        bar(&mut svg, &axis, record, row, index);
    }
    for (index, row) in rows.iter().enumerate() {
        let last = row.last.min(rows.len() - 1);
        marks(&mut svg, &axis, record, row, index, last);
    }
    if left_out > 0 {
        let more = format!(".. and {left_out} more");
        text(&mut svg, "title", MARGIN, bottom + 14.0, &more);
    }
    legend(&mut svg, MARGIN, bottom + 34.0);
    svg.push_str("</svg>\n");
    svg
}

fn top_of(row: usize) -> f64 {
    TOP + ROW * row as f64
}

fn boxed(svg: &mut String, axis: &Axis, row: &Row<'_>, index: usize, last: usize) {
    let (from, to) = axis.span(row.thing.begun, row.end);
    let (y, height) = (top_of(index), ROW * (last - index + 1) as f64 - 3.0);
    let look = Look::of(row.thing);
    let _ = writeln!(
        svg,
        "<rect class=\"box {look}\" x=\"{from:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\" rx=\"4\"/>",
        to - from
    );
}

fn bar(svg: &mut String, axis: &Axis, record: &Record, row: &Row<'_>, index: usize) {
    let thing = row.thing;
    let y = top_of(index);
    let class = match thing.what {
        What::Task | What::Daemon | What::Thread => "bar",
        _ => "bar frame",
    };
    let look = Look::of(thing);
    let mut says = format!("{}\n{}", label(record, thing), outcome(thing));
    if !axis.is_timeless() {
        let (begun, ended) = (time(thing.begun.time), time(row.end.time));
        let _ = write!(says, "\n{begun} to {ended}");
    }
    if let Some(place) = place(thing) {
        let _ = write!(says, "\n{place}");
    }
    let says = escaped(&says);
    let mut piece = |class: &str, from: Moment, to: Moment| {
        let (from, to) = axis.span(from, to);
        let width = to - from;
        let _ = writeln!(
            svg,
            "<rect class=\"{class} {look}\" x=\"{from:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
             height=\"{BAR}\" rx=\"3\"><title>{says}</title></rect>"
        );
    };
    match thing.queued.filter(|_| thing.is_child()) {
        Some(turn) => {
            piece("bar queued", thing.begun, turn);
            piece(class, turn, row.end);
        }
        None => piece(class, thing.begun, row.end),
    }
}

/// What it is, beside the paper's edge; the deeper in the tree, the further in.
fn name(svg: &mut String, record: &Record, row: &Row<'_>, index: usize) {
    let x = MARGIN + INDENT * row.depth.min(MOST_INDENTS) as f64;
    let room = ((LEFT - 8.0 - x) / LETTER) as usize;
    let mut label = label(record, row.thing);
    if label.chars().count() > room {
        label = label.chars().take(room - 1).chain(['…']).collect();
    }
    let class = if row.thing.is_child() {
        "label"
    } else {
        "label part"
    };
    text(svg, class, x, top_of(index) + BASELINE, &label);
}

/// What happened to it, each at its moment, and why it was cut, if there is room for that.
fn marks(svg: &mut String, axis: &Axis, record: &Record, row: &Row<'_>, index: usize, last: usize) {
    let thing = row.thing;
    let y = top_of(index) + BAR / 2.0;
    let mut marks: Vec<(f64, &str, String)> = Vec::new();
    for cancelled in &thing.cancelled {
        if cancelled.reason == Reason::Done {
            continue;
        }
        let x = axis.x(cancelled.at);
        let is_deadline = cancelled.reason == Reason::Deadline;
        if is_deadline && last > index {
            let end = top_of(last) + BAR;
            let _ = writeln!(svg, "<path class=\"late\" d=\"M{x:.1} {y:.1}V{end:.1}\"/>");
        }
        let shape = if is_deadline { "deadline" } else { "cancel" };
        marks.push((x, shape, cancellation(cancelled)));
    }
    if let What::Scope { deadline: Some(at) } = thing.what {
        let at = record.since_start(at);
        let is_kept = marks.iter().all(|(_, shape, _)| *shape != "deadline");
        if let Some(x) = axis.x_of_time(at).filter(|_| is_kept) {
            marks.push((x, "limit", format!("time limit: {}", time(at))));
        }
    }
    let end = axis.x(row.end);
    match thing.ended {
        Some((_, End::Error)) => marks.push((end, "error", "failed".into())),
        Some((_, End::Panic)) => marks.push((end, "panic", "panicked".into())),
        _ => {}
    }
    marks.sort_by(|(a, ..), (b, ..)| b.total_cmp(a));
    // Those that would hide each other go to the left.
    let mut free = f64::INFINITY;
    let mut right = axis.span(thing.begun, row.end).1;
    for (x, shape, says) in marks {
        let x = x.min(free);
        free = x - MARK;
        right = right.max(x + MARK / 2.0);
        let says = escaped(says);
        let _ = writeln!(
            svg,
            "<use href=\"#{shape}\" x=\"{x:.1}\" y=\"{y:.1}\"><title>{says}</title></use>"
        );
    }
    if let Some((_, End::Cancelled(reason))) = &thing.ended {
        let reason = reason.to_string();
        let length = LETTER * reason.chars().count() as f64;
        if thing.is_child() && right + 6.0 + length < WIDTH {
            text(svg, "why", right + 6.0, top_of(index) + BASELINE, &reason);
        }
    }
}

fn text(svg: &mut String, class: &str, x: f64, y: f64, text: &str) {
    let text = escaped(text);
    let _ = writeln!(
        svg,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>"
    );
}

fn escaped(text: impl Display) -> String {
    let mut escaped = String::new();
    for c in text.to_string().chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML knows no others, not even escaped.
            c if c.is_control() && c != '\n' => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    escaped
}
