//! A result as a Markdown table.

use std::fmt::Write;

use crate::case::{Measured, Result};

pub(crate) fn of(result: &Result) -> String {
    let mut text = format!(
        "### {}\n\n\
         | | ratio | middle half | ns per child | allocations per child | bytes per child |\n\
         | --- | ---: | ---: | ---: | ---: | ---: |\n",
        result.case
    );
    let peer = result
        .contenders
        .first()
        .map_or(f64::NAN, |peer| peer.at(0.5));
    for contender in &result.contenders {
        let Measured {
            name,
            allocations_per_child,
            bytes_per_child,
            ..
        } = contender;
        let [low, middle, high] = [0.25, 0.5, 0.75].map(|part| contender.at(part));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {name} | {:.2} | {:.2} .. {:.2} | {middle:.0} | {allocations_per_child:.1} | {bytes_per_child:.0} |",
            middle / peer,
            low / peer,
            high / peer,
        );
    }
    text
}

impl Measured {
    /// The time that this part of the rounds stayed below.
    fn at(&self, part: f64) -> f64 {
        let last = self.nanoseconds.len().saturating_sub(1) as f64;
        let at = (last * part).round() as usize;
        self.nanoseconds.get(at).copied().unwrap_or(f64::NAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(name: &'static str, nanoseconds: &[f64]) -> Measured {
        Measured {
            name,
            nanoseconds: nanoseconds.to_vec(),
            allocations_per_child: 1.0,
            bytes_per_child: 64.0,
        }
    }

    #[test]
    fn ratios_are_those_of_the_medians_to_the_first_one() {
        let table = of(&Result {
            case: "a case".into(),
            contenders: vec![
                measured("peer", &[1.0, 2.0, 9.0]),
                measured("ours", &[1.0, 3.0, 4.0]),
            ],
        });
        let lines: Vec<_> = table.lines().skip(4).collect();
        assert_eq!(
            lines,
            [
                "| peer | 1.00 | 1.00 .. 4.50 | 2 | 1.0 | 64 |",
                "| ours | 1.50 | 1.50 .. 2.00 | 3 | 1.0 | 64 |"
            ]
        );
    }
}
