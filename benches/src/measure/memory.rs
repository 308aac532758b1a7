//! Peak memory of this process.

use std::fs;

/// The largest resident set of this process since its start or since [`reset_peak`], in bytes.
/// `None` if the system does not report it.
pub fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Resets the peak to the current resident set (proc(5), `clear_refs`). If the system refuses, the
/// function logs a warning and the old peak remains.
pub fn reset_peak() {
    if let Err(error) = fs::write("/proc/self/clear_refs", "5") {
        tracing::warn!(%error, "cannot reset the peak memory: it includes earlier work");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn reset_peak_discards_an_earlier_peak() {
        const LARGE: usize = 256 << 20;
        let large = vec![1u8; LARGE];
        assert!(large.iter().map(|b| u64::from(*b)).sum::<u64>() > 0);
        assert!(peak().unwrap() >= LARGE as u64);
        drop(large);
        reset_peak();
        assert!(peak().unwrap() < LARGE as u64);
    }
}
