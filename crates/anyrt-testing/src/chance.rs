//! How likely something is.

use fastrand::Rng;

/// A number between 0, never, and 1, always.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chance(f64);

impl Chance {
    #[track_caller]
    pub(crate) fn new(chance: f64) -> Self {
        assert!(
            (0.0..=1.0).contains(&chance),
            "anyrt: {chance} is no chance; give a number from 0.0, never, to 1.0, always"
        );
        Self(chance)
    }

    /// Draws a number in any case, so that one chance more or less does not change what else is drawn.
    pub(crate) fn strikes(self, rng: &mut Rng) -> bool {
        rng.f64() < self.0
    }
}
