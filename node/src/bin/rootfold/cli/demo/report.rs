//! The results of the demo, as a table and as JSON.

use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;

use super::super::{failure::Failure, text::bytes_text};

/// The figures. The fields are the keys of the JSON line, in this order.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// Ops in all logs, including grants and the ops after the snapshot.
    pub ops: u64,
    /// Writers, the owner included.
    pub writers: u64,
    /// Entries of the tree: keys, including those of deleted files, and one head entry per writer.
    pub entries: u64,
    /// Steps that the proof covers.
    pub steps: u64,
    /// Root of node A, in hexadecimal.
    pub root: String,
    /// Root of node B, which started from the proof.
    pub bootstrap_root: String,
    /// Root of node C, which replayed the logs.
    pub replay_root: String,
    /// Length of the proof.
    pub proof_bytes: u64,
    /// Time in which node B checked the proof.
    pub verify_ms: f64,
    /// Time from node B's first request to its last write.
    pub bootstrap_ms: f64,
    /// Bytes that node B received.
    pub bootstrap_bytes: u64,
    /// Time from node C's first request to its last write.
    pub replay_ms: f64,
    /// Bytes that node C received.
    pub replay_bytes: u64,
    /// Time in which node A folded the ops of the snapshot.
    pub fold_s: f64,
    /// Time in which node A compressed the proof.
    pub compress_s: f64,
    /// Time in which the parameters were made, or found and read.
    pub setup_s: f64,
    /// Constraints of one step.
    pub constraints: u64,
    /// Ops of the snapshot over the time to fold and compress them.
    pub prove_ops_per_s: f64,
}

/// The text of the table besides the figures.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Notes {
    /// The source of the ops and the changes that were left out, in lines.
    pub source: Vec<String>,
    /// The parameters' name, and whether they were made or found.
    pub parameters: String,
    /// Ops that the snapshot covers.
    pub snapshot_ops: u64,
    /// Ops that node B took from the logs after the snapshot.
    pub tail_ops: u64,
    /// Ops that node C took from the logs.
    pub replayed_ops: u64,
    /// Epochs folded.
    pub epochs: u64,
}

impl Report {
    /// Whether all three nodes agree.
    pub fn agrees(&self) -> bool {
        self.root == self.bootstrap_root && self.root == self.replay_root
    }

    /// Takes the figures of node B's answer.
    pub fn take_bootstrap(&mut self, answer: &Value) -> Result<(), Failure> {
        self.bootstrap_root = text(answer, "root")?;
        self.verify_ms = figure(answer, "verify_ms")?;
        self.bootstrap_ms = figure(answer, "ms")?;
        self.bootstrap_bytes = number(answer, "bytes")?;
        Ok(())
    }

    /// Takes the figures of node C's answer.
    pub fn take_replay(&mut self, answer: &Value) -> Result<(), Failure> {
        self.replay_root = text(answer, "root")?;
        self.replay_ms = figure(answer, "ms")?;
        self.replay_bytes = number(answer, "bytes")?;
        Ok(())
    }

    /// The table.
    pub fn table(&self, notes: &Notes) -> String {
        let mut table = String::new();
        let mut line = |text: String| {
            // Writing to a string does not fail.
            let _ = writeln!(table, "{text}");
        };
        notes.source.iter().cloned().for_each(&mut line);
        line(format!(
            "{} ops of {} writers make a tree of {} entries",
            self.ops, self.writers, self.entries
        ));
        line(String::new());
        line(format!("node A proves        {} ops in {} epochs", notes.snapshot_ops, notes.epochs));
        line(format!("  parameters         {} in {:.1} s", notes.parameters, self.setup_s));
        line(format!(
            "  fold               {:.1} s, {} steps of {} constraints",
            self.fold_s, self.steps, self.constraints
        ));
        line(format!("  compress           {:.1} s", self.compress_s));
        line(format!("  ops per second     {:.1}", self.prove_ops_per_s));
        line(format!("  proof              {}", bytes_text(self.proof_bytes)));
        line(String::new());
        let [b, c] = ["node B, from the proof", "node C, from the logs"];
        line(format!("{:<18}{b:>24}{c:>24}{:>10}", "", "C / B"));
        let mut row = |name: &str, b: String, c: String, ratio: Option<f64>| {
            let ratio = ratio.map(times).unwrap_or_default();
            line(format!("{name:<18}{b:>24}{c:>24}{ratio:>10}").trim_end().to_owned());
        };
        let (faster, smaller) = (self.time_ratio(), self.bytes_ratio());
        row("checks the proof", ms(self.verify_ms), "-".to_owned(), None);
        row("reads ops", notes.tail_ops.to_string(), notes.replayed_ops.to_string(), None);
        let received = [self.bootstrap_bytes, self.replay_bytes].map(bytes_text);
        let [b, c] = received;
        row("receives", b, c, Some(smaller));
        row("is ready after", ms(self.bootstrap_ms), ms(self.replay_ms), Some(faster));
        line(String::new());
        line(format!("root of A  {}", self.root));
        line(format!("root of B  {}", self.bootstrap_root));
        line(format!("root of C  {}", self.replay_root));
        line(
            if self.agrees() { "the three roots are equal" } else { "THE ROOTS DIFFER" }.to_owned(),
        );
        line(String::new());
        self.conclusion().into_iter().for_each(line);
        table
    }

    /// How many times as long as node B node C took.
    fn time_ratio(&self) -> f64 {
        self.replay_ms / self.bootstrap_ms
    }

    /// How many times as many bytes as node B node C received.
    fn bytes_ratio(&self) -> f64 {
        self.replay_bytes as f64 / self.bootstrap_bytes as f64
    }

    /// What a reader should take from the table.
    fn conclusion(&self) -> Vec<String> {
        if !self.agrees() {
            return vec!["This must not happen: please report it with the output above.".to_owned()];
        }
        let (faster, smaller) = (self.time_ratio(), self.bytes_ratio());
        let mut lines = if faster >= PAYS && smaller >= PAYS {
            vec![
                format!(
                    "The proof pays: the new replica B was ready {faster:.1} times sooner than C and \
                     received {smaller:.1} times fewer bytes."
                ),
                "B trusted nobody for it: it checked the proof, and every page against the proved \
                 root."
                    .to_owned(),
            ]
        } else {
            vec!["On this history the proof does not pay: it has few ops for each entry of the state."
                .to_owned()]
        };
        lines.push(format!(
            "B's cost follows the state ({} entries), C's follows the history ({} ops), which only \
             grows.",
            self.entries, self.ops
        ));
        lines
    }
}

/// A string in a replica's answer.
fn text(answer: &Value, key: &str) -> Result<String, Failure> {
    answer[key].as_str().map(str::to_owned).ok_or_else(|| absent(key))
}

/// A whole number in a replica's answer.
pub fn number(answer: &Value, key: &str) -> Result<u64, Failure> {
    answer[key].as_u64().ok_or_else(|| absent(key))
}

/// A number in a replica's answer.
fn figure(answer: &Value, key: &str) -> Result<f64, Failure> {
    answer[key].as_f64().ok_or_else(|| absent(key))
}

fn absent(key: &str) -> Failure {
    Failure::unreachable(format!("a replica's answer has no {key:?}"))
}

/// From this ratio on, in time and in bytes, the table says that the proof pays.
const PAYS: f64 = 1.5;

/// A ratio for people.
fn times(ratio: f64) -> String {
    format!("{ratio:.1} x")
}

fn ms(ms: f64) -> String {
    if ms < 10_000.0 {
        format!("{ms:.1} ms")
    } else {
        format!("{:.1} s", ms / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys are an interface: scripts and `docs/performance.md` read them.
    #[test]
    fn the_json_line_has_exactly_the_promised_keys_in_order() {
        let line = serde_json::to_string(&Report::default()).unwrap();
        let keys: Vec<&str> =
            line.split('"').filter(|part| part.contains(char::is_alphabetic)).collect();
        assert_eq!(
            keys,
            [
                "ops",
                "writers",
                "entries",
                "steps",
                "root",
                "bootstrap_root",
                "replay_root",
                "proof_bytes",
                "verify_ms",
                "bootstrap_ms",
                "bootstrap_bytes",
                "replay_ms",
                "replay_bytes",
                "fold_s",
                "compress_s",
                "setup_s",
                "constraints",
                "prove_ops_per_s"
            ]
        );
    }

    #[test]
    fn roots_agree_only_all_three() {
        let report = |b: &str, c: &str| Report {
            root: "a".into(),
            bootstrap_root: b.into(),
            replay_root: c.into(),
            ..Report::default()
        };
        assert!(report("a", "a").agrees());
        assert!(!report("a", "b").agrees());
        assert!(!report("b", "a").agrees());
        assert!(!report("b", "b").agrees());
        let table = report("b", "a").table(&Notes::default());
        assert!(table.contains("THE ROOTS DIFFER"), "{table}");
    }

    #[test]
    fn the_last_lines_say_what_the_figures_mean() {
        let report = |ms: f64, bytes: u64| Report {
            bootstrap_ms: 100.0,
            replay_ms: ms,
            bootstrap_bytes: 1000,
            replay_bytes: bytes,
            ..Report::default()
        };
        let table = report(400.0, 9000).table(&Notes::default());
        assert!(table.contains("9.0 x") && table.contains("4.0 x"), "{table}");
        assert!(table.contains("ready 4.0 times sooner than C and received 9.0 times"), "{table}");
        for (ms, bytes) in [(90.0, 9000), (400.0, 900)] {
            let table = report(ms, bytes).table(&Notes::default());
            assert!(table.contains("the proof does not pay"), "{table}");
        }
    }
}
