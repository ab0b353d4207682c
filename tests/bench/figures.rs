//! Medians and how far the rest lies from them.

use std::time::Duration;

/// The same thing measured several times.
#[derive(Debug, Clone, Default)]
pub(crate) struct Runs(Vec<f64>);

impl FromIterator<f64> for Runs {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }
}

impl Runs {
    pub(crate) fn median(&self) -> f64 {
        let Self(sorted) = self;
        let half = sorted.len() / 2;
        match sorted.len() {
            0 => f64::NAN,
            odd if odd % 2 == 1 => sorted[half],
            _ => f64::midpoint(sorted[half - 1], sorted[half]),
        }
    }

    pub(crate) fn least(&self) -> f64 {
        self.0.first().copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn most(&self) -> f64 {
        self.0.last().copied().unwrap_or(f64::NAN)
    }

    /// The median and the two ends, with so many digits.
    pub(crate) fn words(&self, digits: usize) -> String {
        format!(
            "{:.digits$} ({:.digits$} to {:.digits$})",
            self.median(),
            self.least(),
            self.most()
        )
    }
}

/// Of two things measured in turn, each as a share of the one beside it.
pub(crate) fn ratios(of: &[f64], to: &[f64]) -> Runs {
    of.iter().zip(to).map(|(of, to)| of / to).collect()
}

pub(crate) fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

/// So many in that time, a second.
pub(crate) fn rate(count: u64, span: Duration) -> f64 {
    count as f64 / span.as_secs_f64()
}
