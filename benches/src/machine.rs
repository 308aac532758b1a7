//! The machine that makes a report, and its load from other processes.

use std::{fs, process::Command};

use serde::{Deserialize, Serialize};

/// A machine, a build and a date. A field that the system does not report is "unknown" or 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu: String,
    /// The number of cores that this process may use.
    pub cores: usize,
    /// The features among bmi2, adx and avx512ifma that the processor has.
    pub has: Vec<String>,
    /// The features among these that this build enables.
    pub uses: Vec<String>,
    /// Size of the main memory in bytes.
    pub memory: u64,
    /// The operating system and its version.
    pub system: String,
    /// The compiler's name and version.
    pub rustc: String,
    /// Optimisation level and `RUSTFLAGS`.
    pub flags: String,
    /// The first 10 digits of the commit id, followed by `+` if tracked files were changed.
    pub commit: String,
    /// The date in UTC, as YYYY-MM-DD.
    pub date: String,
    /// The fraction of the processors' time that other processes used during the run, 0 to 1.
    pub others: f64,
}

/// Processor features that arkworks can use, and whether this build enables them.
const FEATURES: [(&str, bool); 3] = [
    ("bmi2", cfg!(target_feature = "bmi2")),
    ("adx", cfg!(target_feature = "adx")),
    ("avx512ifma", cfg!(target_feature = "avx512ifma")),
];

impl Machine {
    /// This machine and this build, today. [`Machine::others`] is 0.
    pub fn here() -> Machine {
        let cpuinfo = read("/proc/cpuinfo");
        let has = after_colon(&cpuinfo, "flags").unwrap_or_default();
        let named = |wanted: &dyn Fn(&(&str, bool)) -> bool| {
            FEATURES.iter().filter(|f| wanted(f)).map(|(name, _)| (*name).to_owned()).collect()
        };
        let memory = after_colon(&read("/proc/meminfo"), "MemTotal");
        let memory = memory.and_then(|m| m.strip_suffix(" kB")?.trim().parse::<u64>().ok());
        let system = format!("{} {}", std::env::consts::OS, read("/proc/sys/kernel/osrelease"));
        let flags = env!("REPORT_RUSTFLAGS");
        let flags = if flags.is_empty() { "no RUSTFLAGS" } else { flags };
        Machine {
            cpu: after_colon(&cpuinfo, "model name").unwrap_or_else(|| "unknown".into()),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            has: named(&|(name, _)| has.split(' ').any(|flag| flag == *name)),
            uses: named(&|(_, on)| *on),
            memory: memory.unwrap_or(0) * 1024,
            system: system.trim().to_owned(),
            rustc: env!("REPORT_RUSTC").to_owned(),
            flags: format!("opt-level {}, {flags}", env!("REPORT_OPT_LEVEL")),
            commit: commit().unwrap_or_else(|| "unknown".into()),
            date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
            others: 0.0,
        }
    }
}

/// Processor time since the system started, in clock ticks.
#[derive(Debug, Clone, Copy)]
pub struct Ticks {
    all: u64,
    busy: u64,
    /// Time of this process and of its terminated children.
    own: u64,
}

impl Ticks {
    /// The times until now; `None` if the system does not report them.
    pub fn now() -> Option<Ticks> {
        // proc(5): user, nice, system, idle, iowait, irq, softirq, steal.
        let stat = read("/proc/stat");
        let all: Vec<u64> = numbers(stat.lines().next()?.strip_prefix("cpu")?).take(8).collect();
        let idle = all.get(3)? + all.get(4)?;
        let all = all.iter().sum();
        // Field 2, in parentheses, may contain spaces. Fields 14 to 17 are utime to cstime.
        let own = read("/proc/self/stat");
        let own = numbers(own.rsplit(')').next()?.trim_start().get(1..)?).skip(10).take(4).sum();
        Some(Ticks { all, busy: all - idle, own })
    }

    /// The fraction of the processors' time that other processes used between `self` and `now`.
    pub fn others_until(self, now: Ticks) -> f64 {
        let of = (now.all - self.all).max(1);
        let others = (now.busy - self.busy).saturating_sub(now.own - self.own);
        others as f64 / of as f64
    }
}

fn numbers(text: &str) -> impl Iterator<Item = u64> + '_ {
    text.split_whitespace().map(|number| number.parse().unwrap_or(0))
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The value of the first line `name   : value`.
fn after_colon(text: &str, name: &str) -> Option<String> {
    let value = text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then_some(value)
    })?;
    Some(value.trim().to_owned())
}

fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let folder = env!("CARGO_MANIFEST_DIR");
        let output = Command::new("git").args(["-C", folder]).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let id = git(&["rev-parse", "--short=10", "HEAD"])?;
    // git runs in the folder `benches`, so `..` is the whole repository.
    let changed = !git(&["status", "--porcelain", "--untracked-files=no", "--", ".."])?.is_empty();
    Some(if changed { id + "+" } else { id })
}
