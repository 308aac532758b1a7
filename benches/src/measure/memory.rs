//! The most memory that this process has held.

use std::fs;

/// The largest resident set of this process since it began or since [`reset_peak`], in bytes;
/// `None` where the system does not tell.
pub fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Begins anew with what is held now, so that a peak of the past does not count (proc(5),
/// `clear_refs`). Where the system does not allow it the old peak stays.
pub fn reset_peak() {
    if let Err(error) = fs::write("/proc/self/clear_refs", "5") {
        tracing::warn!(%error, "the peak of memory holds what came before");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_peak_is_forgotten_when_it_is_reset() {
        const LARGE: usize = 256 << 20;
        let large = vec![1u8; LARGE];
        assert!(large.iter().map(|b| u64::from(*b)).sum::<u64>() > 0);
        assert!(peak().unwrap() >= LARGE as u64);
        drop(large);
        reset_peak();
        assert!(peak().unwrap() < LARGE as u64);
    }
}
