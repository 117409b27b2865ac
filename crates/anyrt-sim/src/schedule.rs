//! An order of events, written down as what is not first come, first served.

use std::fmt;
use std::str::FromStr;

/// At this step not the first in the line went on, but the one with this rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Detour {
    pub(crate) step: u64,
    pub(crate) rank: usize,
}

/// Detours in the order of their steps; everywhere else the first in the line goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Schedule(pub(crate) Vec<Detour>);

/// What is written for a schedule without detours.
const NO_DETOURS: &str = "fifo";

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(NO_DETOURS);
        }
        for (n, Detour { step, rank }) in self.0.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            write!(f, "{comma}{step}.{rank}")?;
        }
        Ok(())
    }
}

impl FromStr for Schedule {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text == NO_DETOURS {
            return Ok(Self::default());
        }
        let detour = |text: &str| {
            let (step, rank) = text.split_once('.')?;
            Some(Detour {
                step: step.parse().ok()?,
                rank: rank.parse().ok()?,
            })
        };
        let detours: Option<Vec<_>> = text.split(',').map(detour).collect();
        let detours = detours.ok_or(())?;
        let is_in_order = detours.windows(2).all(|two| two[0].step < two[1].step);
        if is_in_order {
            Ok(Self(detours))
        } else {
            Err(())
        }
    }
}
