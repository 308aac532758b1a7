//! Progress on stderr: bars on a terminal, otherwise one line per phase.

use std::{
    io::{self, IsTerminal, Write},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rootfold_node::progress::{Event, Progress};

/// At most one bar: a new phase replaces the one before.
pub struct Bars {
    terminal: bool,
    phase: Mutex<Option<Phase>>,
}

struct Phase {
    name: String,
    bar: ProgressBar,
}

impl Bars {
    /// Without a bar.
    pub fn new() -> Bars {
        Bars { terminal: io::stderr().is_terminal(), phase: Mutex::new(None) }
    }

    /// Prints a line that stays on the screen.
    pub fn say(&self, line: &str) {
        self.clear();
        // A closed stderr is ignored.
        let _ = writeln!(io::stderr(), "{line}");
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
        *phase = Some(Phase { name: name.to_owned(), bar: bar.clone() });
        bar
    }

    fn bar(&self, name: &str, total: Option<u64>) -> ProgressBar {
        if !self.terminal {
            // A closed stderr is ignored.
            let _ = writeln!(io::stderr(), "{name} ...");
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
        let template = match total {
            Some(_) => "{msg:<26} {bar:30} {pos}/{len} {elapsed:>4}",
            None => "{msg:<26} {spinner} {elapsed:>4}",
        };
        let style = ProgressStyle::with_template(template).expect("the template is well formed");
        bar.set_style(style);
        bar.set_message(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
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
            Event::Step { epoch, done, total } => {
                self.phase(&format!("folding epoch {epoch}"), Some(total)).set_position(done);
            }
            Event::Sealed { .. } | Event::Verified { .. } => self.clear(),
            Event::Compressing => {
                self.phase("compressing the proof", None);
            }
            Event::Pages { done, known } => {
                self.phase("pages", Some(known)).set_position(done);
            }
            Event::Values { done, known } => {
                self.phase("values", Some(known)).set_position(done);
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
