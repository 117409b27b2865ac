//! Counting instructions with callgrind, which finds the same on a busy machine as on a quiet one.

use std::env;
use std::process::Command;

use crate::case::{Case, Metric, Peer};
use crate::row::{Row, Side};
use crate::spread::Spread;

/// More would take minutes.
const MOST_PIECES: u64 = 100_000;
/// So many pieces at least, since what is rare counts as well: a table that grows, a tick of the scheduler.
const ENOUGH_PIECES: u64 = 2_000;

impl Case {
    /// A row for each peer; none where only a part of the work is measured, since all of it would be counted.
    pub(crate) fn instructions(&self) -> Result<Vec<Row>, String> {
        let countable = self.metric == Metric::Time && self.ours.is_all_measured;
        if !countable || self.pieces > MOST_PIECES {
            return Ok(Vec::new());
        }
        let ours = self.instructions_of(None)?;
        let row = |peer: &Peer| {
            let theirs = self.instructions_of(Some(peer.name))?;
            Ok(Row {
                case: self.name.clone(),
                on: self.on.name(),
                unit: "instructions",
                peer: peer.name,
                goal: peer.goal,
                ratio: Spread::of(vec![ours / theirs]),
                ours: Side::bare(ours),
                theirs: Side::bare(theirs),
            })
        };
        self.peers.iter().map(row).collect()
    }

    /// Instructions for a piece: the difference between doing the work so many times and twice as many.
    fn instructions_of(&self, peer: Option<&str>) -> Result<f64, String> {
        let times = ENOUGH_PIECES.div_ceil(self.pieces);
        let once = self.instructions_in(peer, times)?;
        let twice = self.instructions_in(peer, 2 * times)?;
        Ok((twice - once) / (times * self.pieces) as f64)
    }

    fn instructions_in(&self, peer: Option<&str>, times: u64) -> Result<f64, String> {
        let this = env::current_exe().map_err(|why| format!("cannot find this program: {why}"))?;
        let mut command = Command::new("valgrind");
        command
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg("--max-threads=2000")
            .arg(this)
            .arg(self.title())
            .arg(format!("--alone={times}"))
            .args(peer.map(|peer| format!("--peer={peer}")));
        let output = command.output().map_err(|why| {
            format!("cannot start `valgrind`, which counts the instructions; install it ({why})")
        })?;
        let said = String::from_utf8_lossy(&output.stderr);
        collected(&said)
            .filter(|_| output.status.success())
            .ok_or_else(|| {
                let first: Vec<_> = said.lines().take(20).collect();
                format!("{command:?} has failed:\n{}", first.join("\n"))
            })
    }
}

/// The figure in callgrind's last lines.
fn collected(said: &str) -> Option<f64> {
    let line = said.lines().find(|line| line.contains("Collected :"))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::collected;

    #[test]
    fn the_figure_is_found() {
        let said = "==7== Events    : Ir\n==7== Collected : 123456\n==7== \n";
        assert_eq!(collected(said), Some(123_456.0));
        assert_eq!(collected("==7== Killed"), None);
    }
}
