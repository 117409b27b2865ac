//! Many values as three: the middle one, and the bounds of the middle half.

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) middle: f64,
    pub(crate) high: f64,
}

impl Spread {
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let last = values.len().saturating_sub(1) as f64;
            let at = (last * part).round() as usize;
            values.get(at).copied().unwrap_or(f64::NAN)
        };
        Self {
            low: at(0.25),
            middle: at(0.5),
            high: at(0.75),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn outliers_are_left_out() {
        let spread = Spread::of(vec![3.0, 900.0, 1.0, 2.0, 4.0]);
        let expected = Spread {
            low: 2.0,
            middle: 3.0,
            high: 4.0,
        };
        assert_eq!(spread, expected);
        assert!(Spread::of(Vec::new()).middle.is_nan());
    }
}
