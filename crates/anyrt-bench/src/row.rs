//! A result, ours beside one peer's, for people and for programs.

use serde_json::{Value, json};

use crate::goal::Goal;
use crate::spread::Spread;

#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) case: String,
    pub(crate) on: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) peer: &'static str,
    pub(crate) goal: Goal,
    pub(crate) ratio: Spread,
    pub(crate) ours: Side,
    pub(crate) theirs: Side,
}

/// One contender, for one piece of the work.
#[derive(Clone)]
pub(crate) struct Side {
    pub(crate) value: f64,
    pub(crate) allocations: Option<f64>,
    pub(crate) bytes: Option<f64>,
}

impl Side {
    pub(crate) fn bare(value: f64) -> Self {
        Self {
            value,
            allocations: None,
            bytes: None,
        }
    }
}

/// The first two lines of a table.
pub(crate) const HEAD: &str = "\
| case | on | peer | ratio | middle half | must | aim | reached | ours | peer's | allocations | bytes |
| --- | --- | --- | ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: |";

impl Row {
    pub(crate) fn markdown(&self) -> String {
        let Spread { low, middle, high } = self.ratio;
        let number = |value: f64| format!("{} {}", short(value), self.unit);
        let goal = |goal: Option<f64>| goal.map_or(String::new(), |goal| format!("{goal:.2}"));
        let both = |of: fn(&Side) -> Option<f64>| match (of(&self.ours), of(&self.theirs)) {
            (Some(ours), Some(theirs)) => format!("{} / {}", short(ours), short(theirs)),
            _ => String::new(),
        };
        let cells = [
            self.case.clone(),
            self.on.into(),
            format!("`{}`", self.peer),
            format!("{middle:.2}"),
            format!("{low:.2} .. {high:.2}"),
            goal(self.goal.must),
            goal(self.goal.aim),
            self.goal.reached(middle).into(),
            number(self.ours.value),
            number(self.theirs.value),
            both(|side| side.allocations),
            both(|side| side.bytes),
        ];
        format!("| {} |", cells.join(" | "))
    }

    pub(crate) fn json(&self) -> Value {
        let side = |side: &Side| {
            json!({
                "value": side.value,
                "allocations": side.allocations,
                "bytes": side.bytes,
            })
        };
        json!({
            "case": self.case,
            "on": self.on,
            "unit": self.unit,
            "peer": self.peer,
            "ratio": self.ratio.middle,
            "ratio_low": self.ratio.low,
            "ratio_high": self.ratio.high,
            "must": self.goal.must,
            "aim": self.goal.aim,
            "reached": self.goal.must.map(|_| self.goal.reached(self.ratio.middle).trim_matches('*')),
            "ours": side(&self.ours),
            "theirs": side(&self.theirs),
        })
    }
}

/// Three digits or so: what follows is noise.
fn short(value: f64) -> String {
    if value < 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        let side = |value, allocations| Side {
            value,
            allocations: Some(allocations),
            bytes: Some(64.0),
        };
        Row {
            case: "a case".into(),
            on: "one thread",
            unit: "ns",
            peer: "theirs",
            goal: Goal::new(1.0, 0.5),
            ratio: Spread::of(vec![0.7, 0.75, 0.8]),
            ours: side(75.0, 1.0),
            theirs: side(1000.0, 2.0),
        }
    }

    #[test]
    fn a_row_has_as_many_cells_as_the_head() {
        let row = row().markdown();
        assert_eq!(
            row,
            "| a case | one thread | `theirs` | 0.75 | 0.75 .. 0.80 | 1.00 | 0.50 | must | 75 ns | 1000 ns | 1.0 / 2.0 \
             | 64 / 64 |"
        );
        for line in HEAD.lines() {
            assert_eq!(line.matches('|').count(), row.matches('|').count());
        }
    }

    #[test]
    fn a_program_gets_the_same() {
        let json = row().json();
        assert_eq!(json["ratio"], 0.75);
        assert_eq!(json["reached"], "must");
        assert_eq!(json["ours"]["allocations"], 1.0);
    }
}
