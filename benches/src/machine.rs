//! The machine on which a report was made.

use std::{fs, process::Command};

use serde::{Deserialize, Serialize};

/// A machine, a build and a day. What the system does not tell is "unknown" or 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// Of bmi2, adx and avx512ifma, those that the processor has.
    pub has: Vec<String>,
    /// Of these, those that the build uses.
    pub uses: Vec<String>,
    /// Memory in bytes.
    pub memory: u64,
    /// The operating system.
    pub system: String,
    /// The compiler.
    pub rustc: String,
    /// Optimisation level and flags.
    pub flags: String,
    /// The commit, with `+` if files differed from it.
    pub commit: String,
    /// The day, in UTC.
    pub date: String,
    /// What part of the processors' time went to other work during the run, 0 to 1.
    pub others: f64,
}

/// What arkworks' field arithmetic can make use of, with whether this build does.
const FEATURES: [(&str, bool); 3] = [
    ("bmi2", cfg!(target_feature = "bmi2")),
    ("adx", cfg!(target_feature = "adx")),
    ("avx512ifma", cfg!(target_feature = "avx512ifma")),
];

impl Machine {
    /// This machine now.
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

/// Processor time so far, in ticks of the system.
#[derive(Debug, Clone, Copy)]
pub struct Ticks {
    all: u64,
    busy: u64,
    /// Of this process and of its children that have ended.
    own: u64,
}

impl Ticks {
    /// Until now; `None` where the system does not tell.
    pub fn now() -> Option<Ticks> {
        // proc(5): user, nice, system, idle, iowait, irq, softirq, steal.
        let stat = read("/proc/stat");
        let all: Vec<u64> = numbers(stat.lines().next()?.strip_prefix("cpu")?).take(8).collect();
        let idle = all.get(3)? + all.get(4)?;
        let all = all.iter().sum();
        // The second field, in parentheses, may hold spaces. utime to cstime are 14th to 17th.
        let own = read("/proc/self/stat");
        let own = numbers(own.rsplit(')').next()?.trim_start().get(1..)?).skip(10).take(4).sum();
        Some(Ticks { all, busy: all - idle, own })
    }

    /// What part of the processors' time since then went to others.
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
    // Relative to the folder of the benches, so `..` is everything.
    let changed = !git(&["status", "--porcelain", "--untracked-files=no", "--", ".."])?.is_empty();
    Some(if changed { id + "+" } else { id })
}
