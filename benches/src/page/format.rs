//! Template filters that format figures with three significant digits and a unit.

use minijinja::{value::Serde, Environment};

use crate::measure::Spread;

/// Adds the filters that the template uses.
pub(super) fn add_filters(templates: &mut Environment<'_>) {
    templates.add_filter("digits", digits);
    templates.add_filter("seconds", seconds);
    templates.add_filter("bytes", bytes);
    templates.add_filter("count", count);
    templates.add_filter("percent", |part: f64| format!("{:.0} %", part * 100.0));
    templates.add_filter("spread", spread);
    templates.add_filter("time_spread", time_spread);
}

/// Formats a number with three significant digits; from 1000 on, as a whole number.
fn digits(x: f64) -> String {
    let magnitude = if x == 0.0 { 0 } else { x.abs().log10().floor() as i32 };
    let decimals = usize::try_from((2 - magnitude).max(0)).unwrap_or(0);
    match magnitude {
        0..=2 => format!("{x:.decimals$}"),
        3.. => count(x.round()),
        _ => format!("{x:.decimals$}"),
    }
}

/// Formats a time, given in seconds, in s, ms or us.
fn seconds(x: f64) -> String {
    if x >= 1.0 {
        format!("{} s", digits(x))
    } else if x >= 1e-3 {
        format!("{} ms", digits(x * 1e3))
    } else {
        format!("{} us", digits(x * 1e6))
    }
}

/// Formats a number of bytes in bytes, KiB, MiB or GiB.
fn bytes(x: f64) -> String {
    const UNITS: [&str; 4] = ["bytes", "KiB", "MiB", "GiB"];
    let (mut x, mut unit) = (x, 0);
    while x >= 1024.0 && unit + 1 < UNITS.len() {
        x /= 1024.0;
        unit += 1;
    }
    format!("{} {}", digits(x), UNITS[unit])
}

/// Formats a whole number with a comma between groups of three digits.
fn count(x: f64) -> String {
    let plain = format!("{x:.0}");
    let mut grouped = String::new();
    for (index, digit) in plain.chars().enumerate() {
        if index > 0 && (plain.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Formats the median, the range and the number of samples. A single sample is printed alone.
fn spread(Serde(of): Serde<Spread>) -> String {
    spread_with(of, digits)
}

/// As [`spread`], for times in seconds.
fn time_spread(Serde(of): Serde<Spread>) -> String {
    spread_with(of, seconds)
}

fn spread_with(of: Spread, write: fn(f64) -> String) -> String {
    let median = write(of.median);
    match of.samples {
        1 => median,
        n => format!("{median} ({} to {}, n = {n})", write(of.min), write(of.max)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_and_a_suitable_unit() {
        assert_eq!(digits(0.012_345), "0.0123");
        assert_eq!(digits(1.234), "1.23");
        assert_eq!(digits(12.34), "12.3");
        assert_eq!(digits(123.4), "123");
        assert_eq!(digits(1_234_567.0), "1,234,567");
        assert_eq!(seconds(0.0152), "15.2 ms");
        assert_eq!(seconds(17.7e-6), "17.7 us");
        assert_eq!(bytes(44_281.0), "43.2 KiB");
        assert_eq!(count(140_881.0), "140,881");
        let of = Spread { median: 2.0, min: 1.0, max: 3.0, samples: 5 };
        assert_eq!(time_spread(Serde(of)), "2.00 s (1.00 s to 3.00 s, n = 5)");
    }
}
