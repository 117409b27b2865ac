//! What a ratio has to be at the most, and what it is to be.

/// Ratios of ours to a peer's; the lower, the better.
#[derive(Clone, Copy)]
pub(crate) struct Goal {
    pub(crate) must: Option<f64>,
    pub(crate) aim: Option<f64>,
}

impl Goal {
    /// There is nothing to reach; the ratio is worth knowing.
    pub(crate) const REPORT: Self = Self {
        must: None,
        aim: None,
    };

    pub(crate) const fn new(must: f64, aim: f64) -> Self {
        Self {
            must: Some(must),
            aim: Some(aim),
        }
    }

    /// What of it has been reached: the aim, what must be, or not even that.
    pub(crate) fn reached(self, ratio: f64) -> &'static str {
        // As it is printed: nobody can see why 0.854 should not be 0.85.
        let ratio = (ratio * 100.0).round() / 100.0;
        let within = |limit: Option<f64>| limit.is_some_and(|limit| ratio <= limit);
        if self.must.is_none() {
            ""
        } else if within(self.aim) {
            "aim"
        } else if within(self.must) {
            "must"
        } else {
            "**no**"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Goal;

    #[test]
    fn a_goal_is_reached_by_what_is_printed() {
        let goal = Goal::new(0.85, 0.7);
        assert_eq!(goal.reached(0.70), "aim");
        assert_eq!(goal.reached(0.71), "must");
        assert_eq!(goal.reached(0.854), "must");
        assert_eq!(goal.reached(0.856), "**no**");
        assert_eq!(goal.reached(f64::NAN), "**no**");
        assert_eq!(Goal::REPORT.reached(7.0), "");
    }
}
