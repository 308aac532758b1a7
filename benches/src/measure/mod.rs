//! Measures times, peak memory and the phases of a step.

pub mod memory;
pub mod phases;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Statistics of repeated measurements of one quantity.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// Number of measurements.
    pub samples: usize,
}

impl Spread {
    /// The statistics of some samples.
    ///
    /// # Panics
    /// If there are no samples.
    pub fn of(samples: impl IntoIterator<Item = f64>) -> Spread {
        let mut sorted: Vec<f64> = samples.into_iter().collect();
        assert!(!sorted.is_empty(), "a spread needs at least one sample");
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        Spread {
            median: (low + high) / 2.0,
            min: sorted[0],
            max: sorted[sorted.len() - 1],
            samples: sorted.len(),
        }
    }

    /// The statistics of some durations, in seconds.
    ///
    /// # Panics
    /// If there are no samples.
    pub fn of_seconds(samples: impl IntoIterator<Item = Duration>) -> Spread {
        Spread::of(samples.into_iter().map(|sample| sample.as_secs_f64()))
    }

    /// The statistics after multiplying every sample by `factor`, which must be positive.
    pub fn times(self, factor: f64) -> Spread {
        let Spread { median, min, max, samples } = self;
        Spread { median: median * factor, min: min * factor, max: max * factor, samples }
    }
}

/// The result of `work`, and its duration.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let clock = Instant::now();
    let done = work();
    (done, clock.elapsed())
}

/// Runs `work` `samples` times. Returns its duration in seconds.
///
/// # Errors
/// The first error of `work`.
pub fn repeated<T>(
    samples: usize,
    mut work: impl FnMut() -> anyhow::Result<T>,
) -> anyhow::Result<Spread> {
    let mut took = Vec::with_capacity(samples);
    for _ in 0..samples {
        let (done, time) = timed(&mut work);
        done?;
        took.push(time);
    }
    Ok(Spread::of_seconds(took))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_an_even_number_of_samples_is_the_mean_of_the_middle_two() {
        let Spread { median, min, max, samples } = Spread::of([4.0, 1.0, 3.0, 2.0]);
        assert_eq!((median, min, max, samples), (2.5, 1.0, 4.0, 4));
        assert_eq!(Spread::of([3.0, 1.0, 2.0]).median, 2.0);
    }
}
