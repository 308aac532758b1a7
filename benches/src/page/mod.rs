//! `docs/performance.md` and its plots, made from a report and nothing else.
//!
//! The text is in `performance.md.in`, a Jinja template with the report as its data. What is written
//! by hand goes in as it is: the output of a demo (`demo.md.in`), and the story of what was tried
//! (`push.md.in`).

mod chart;
mod format;
mod plots;

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::Context;
use minijinja::{
    context,
    syntax::SyntaxConfig,
    value::{Serde, Value},
    Environment, UndefinedBehavior,
};

use crate::report::Report;

/// The folder of the page in this repository.
pub const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");
/// The file that holds the report from which the page is made.
pub const DATA: &str = "performance.json";
/// The page.
pub const PAGE: &str = "performance.md";
/// The folder of the plots.
pub const PLOTS: &str = "plots";

/// The spans of a step, in its order.
const STEP: [&str; 8] = [
    "products",
    "witness",
    "augmented_witness",
    "check",
    "commit_w",
    "cross_term",
    "commit_t",
    "cyclefold",
];
const TEMPLATE: &str = include_str!("performance.md.in");
const DEMO: &str = include_str!("demo.md.in");
const PUSH: &str = include_str!("push.md.in");

/// A page with its plots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The text.
    pub text: String,
    /// Names and contents of the plots.
    pub plots: Vec<(&'static str, String)>,
}

/// Makes the page.
///
/// # Errors
/// If the template asks for what the report does not have.
pub fn render(report: &Report) -> anyhow::Result<Page> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).keep_trailing_newline(true).build()?;
    templates.set_syntax(syntax);
    format::add_filters(&mut templates);
    templates.add_template("page", TEMPLATE)?;
    let data = context! {
        demo => DEMO.trim_end(),
        push => PUSH.trim_end(),
        phase_names => phase_names(report),
        ..Value::from(Serde(report))
    };
    let text = templates.get_template("page")?.render(data).context("the page's template")?;
    Ok(Page { text, plots: plots::all(report)? })
}

/// The parts of a step that the prover reports, those that are known in the order of the step.
fn phase_names(report: &Report) -> Vec<String> {
    let names: BTreeSet<&String> = report.profiles.iter().flat_map(|p| p.phases.keys()).collect();
    let place = |name: &str| STEP.iter().position(|known| *known == name).unwrap_or(STEP.len());
    let mut names: Vec<String> = names.into_iter().cloned().collect();
    names.sort_by_key(|name| place(name));
    names
}

impl Page {
    /// Writes page and plots into `docs`.
    ///
    /// # Errors
    /// Any I/O error.
    pub fn write(&self, docs: &Path) -> anyhow::Result<()> {
        let plots = docs.join(PLOTS);
        fs::create_dir_all(&plots)?;
        fs::write(docs.join(PAGE), &self.text)?;
        for (name, content) in &self.plots {
            fs::write(plots.join(name), content)?;
        }
        Ok(())
    }
}
