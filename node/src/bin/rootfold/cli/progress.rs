//! Progress on stderr: bars on a terminal, otherwise one line per phase.

use std::{
    io::{self, IsTerminal, Write},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rootfold_node::progress::{Event, Progress};

/// At most one bar: a new phase replaces the one before.
pub struct Bars {
    terminal: bool,
    hidden: bool,
    phase: Mutex<Option<Phase>>,
}

struct Phase {
    name: String,
    bar: ProgressBar,
    began: Instant,
    /// When a line was last written about it; on a terminal the bar says everything.
    reported: Instant,
}

/// Where stderr is no terminal, a long phase writes a line this often.
const REPORT_EVERY: Duration = Duration::from_secs(10);

impl Bars {
    /// Without a bar; `hidden` never shows one.
    pub fn new(hidden: bool) -> Bars {
        let terminal = io::stderr().is_terminal() && !hidden;
        Bars { terminal, hidden, phase: Mutex::new(None) }
    }

    /// Prints a line that stays on the screen.
    pub fn say(&self, line: &str) {
        self.clear();
        self.line(line);
    }

    fn line(&self, line: &str) {
        if !self.hidden {
            // A closed stderr is ignored.
            let _ = writeln!(io::stderr(), "{line}");
        }
    }

    /// Shows a bar during `work`; a spinner if there is no total.
    pub fn counted<T>(
        &self,
        name: &str,
        total: Option<u64>,
        work: impl FnOnce(&ProgressBar) -> T,
    ) -> T {
        let bar = self.phase(name, total);
        let result = work(&bar);
        self.clear();
        result
    }

    /// Begins a phase without a count.
    pub fn stage(&self, name: &str) {
        self.phase(name, None);
    }

    /// The bar of the phase `name`, which begins unless it is the current phase.
    fn phase(&self, name: &str, total: Option<u64>) -> ProgressBar {
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(current) = phase.as_ref().filter(|current| current.name == name) {
            if let Some(total) = total {
                current.bar.set_length(total);
            }
            return current.bar.clone();
        }
        if let Some(last) = phase.take() {
            last.bar.finish_and_clear();
        }
        let bar = self.bar(name, total);
        let now = Instant::now();
        let name = name.to_owned();
        *phase = Some(Phase { name, bar: bar.clone(), began: now, reported: now });
        bar
    }

    fn bar(&self, name: &str, total: Option<u64>) -> ProgressBar {
        if !self.terminal {
            self.line(&format!("{name} ..."));
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
        let template = match total {
            Some(_) => "{msg:<26} {bar:30} {pos}/{len} {elapsed:>4}, {eta} left",
            None => "{msg:<26} {spinner} {elapsed:>4}",
        };
        let style = ProgressStyle::with_template(template).expect("the template is well formed");
        bar.set_style(style);
        bar.set_message(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }

    /// Where there is no terminal: writes now and then how far the current phase is and estimates
    /// the time that is left.
    fn report_rest(&self) {
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(phase) = phase.as_mut().filter(|phase| phase.reported.elapsed() >= REPORT_EVERY)
        else {
            return;
        };
        let (done, total) = (phase.bar.position(), phase.bar.length().unwrap_or_default());
        if self.terminal || done == 0 {
            return;
        }
        phase.reported = Instant::now();
        let left =
            phase.began.elapsed().as_secs_f64() / done as f64 * total.saturating_sub(done) as f64;
        self.line(&format!("  {done} of {total}, about {left:.0} s left"));
    }

    /// Ends the current phase.
    pub fn clear(&self) {
        let phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(phase) = phase {
            phase.bar.finish_and_clear();
        }
    }
}

impl Progress for Bars {
    fn on(&self, event: Event) {
        match event {
            Event::Step { ops, total, .. } | Event::Sealed { ops, total, .. } => {
                self.phase("folding ops", Some(total)).set_position(ops);
                self.report_rest();
            }
            Event::Verified { .. } => self.clear(),
            Event::Compressing => {
                self.phase("compressing the proof", None);
            }
            Event::Pages { done, known } => {
                self.phase("pages", Some(known)).set_position(done);
            }
            Event::Values { done, known } => {
                self.phase("values", Some(known)).set_position(done);
            }
            Event::Bytes { done, known } => {
                self.phase("bytes", Some(known)).set_position(done);
                self.report_rest();
            }
            Event::Ops { done, known } => self.phase("ops", known).set_position(done),
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.clear();
    }
}
