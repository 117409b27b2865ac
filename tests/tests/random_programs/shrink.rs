//! Makes a program smaller that breaks a promise, for as long as it goes on doing so.

use crate::play::play;
use crate::program::{Part, Program, Step};

/// How many orders are tried for each smaller program; another program needs another order.
const ORDERS: u64 = 20;

/// The smallest program that was found to break the same promise, and the order in which it does.
pub(crate) fn shrink(program: &Program, seed: u64, violation: &str) -> (Program, u64) {
    let mut smallest = (program.clone(), seed);
    loop {
        let (program, seed) = &smallest;
        let smaller = smaller(&program.main).into_iter().find_map(|main| {
            let program = Program {
                main,
                ..program.clone()
            };
            let mut seeds = [*seed].into_iter().chain(0..ORDERS);
            let seed = seeds.find(|seed| breaks(&program, *seed, violation))?;
            Some((program, seed))
        });
        match smaller {
            Some(found) => smallest = found,
            None => return smallest,
        }
    }
}

fn breaks(program: &Program, seed: u64, violation: &str) -> bool {
    let played = play(program, seed);
    let first = played.violations.first();
    first.is_some_and(|first| kind(first) == kind(violation))
}

/// What a violation is about, without the numbers.
pub(crate) fn kind(violation: &str) -> &str {
    let end = violation.find(|c: char| c.is_ascii_digit());
    &violation[..end.unwrap_or(violation.len())]
}

/// The same with less in it, in several ways. What was sure to end still is.
fn smaller(step: &Part) -> Vec<Part> {
    if matches!(**step, Step::Ready) {
        return Vec::new();
    }
    let mut found: Vec<Part> = vec![Step::Ready.into()];
    // Most of what stands around a part may be what bounds it.
    let parts = step.inside().into_iter();
    found.extend(
        parts
            .filter(|part| !part.is_endless() || is_transparent(step))
            .cloned(),
    );
    if let Step::Sequence(parts) | Step::Join { parts, .. } = &**step {
        for place in 0..parts.len() {
            let mut fewer = parts.clone();
            fewer.remove(place);
            found.push(step.with(fewer).into());
        }
    }
    let parts = step.inside();
    for (place, part) in parts.iter().enumerate() {
        for smaller in smaller(part) {
            let mut parts: Vec<Part> = parts.iter().map(|part| Part::clone(part)).collect();
            parts[place] = smaller;
            found.push(step.with(parts).into());
        }
    }
    found
}

/// Whether a part is bounded inside of it only if it is outside.
fn is_transparent(step: &Step) -> bool {
    matches!(
        step,
        Step::Sequence(_)
            | Step::Join { .. }
            | Step::CatchErrors(_)
            | Step::CatchPanic(_)
            | Step::DropAfter(..)
    )
}
