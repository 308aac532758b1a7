//! Measuring: how long, how much memory, and what part of it goes where.

pub mod memory;
pub mod phases;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Several measurements of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// How many.
    pub samples: usize,
}

impl Spread {
    /// The spread of some samples.
    ///
    /// # Panics
    /// If there are none.
    pub fn of(samples: impl IntoIterator<Item = f64>) -> Spread {
        let mut sorted: Vec<f64> = samples.into_iter().collect();
        assert!(!sorted.is_empty(), "a spread of nothing");
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        Spread {
            median: (low + high) / 2.0,
            min: sorted[0],
            max: sorted[sorted.len() - 1],
            samples: sorted.len(),
        }
    }

    /// The spread of durations, in seconds.
    ///
    /// # Panics
    /// If there are none.
    pub fn of_seconds(samples: impl IntoIterator<Item = Duration>) -> Spread {
        Spread::of(samples.into_iter().map(|sample| sample.as_secs_f64()))
    }

    /// The spread of every sample times `factor`, which is positive.
    pub fn times(self, factor: f64) -> Spread {
        let Spread { median, min, max, samples } = self;
        Spread { median: median * factor, min: min * factor, max: max * factor, samples }
    }
}

/// What `work` returns, and how long it took.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let clock = Instant::now();
    let done = work();
    (done, clock.elapsed())
}

/// How many seconds `work` takes, `samples` times.
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
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        let Spread { median, min, max, samples } = Spread::of([4.0, 1.0, 3.0, 2.0]);
        assert_eq!((median, min, max, samples), (2.5, 1.0, 4.0, 4));
        assert_eq!(Spread::of([3.0, 1.0, 2.0]).median, 2.0);
    }
}
