//! Renders `docs/performance.md` and its plots from a report.
//!
//! The text is in `performance.md.in`, a Jinja template whose data is the report. Two files written
//! by hand are inserted unchanged: the output of a demo (`demo.md.in`) and a list of optimisations
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

/// The folder of the page in this repository: `docs`.
pub const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");
/// The name of the file that contains the report, as JSON.
pub const DATA: &str = "performance.json";
/// The name of the file that contains the page.
pub const PAGE: &str = "performance.md";
/// The name of the folder that contains the plots.
pub const PLOTS: &str = "plots";

/// The names of the prover's spans in a step, in the order in which the page lists them.
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

/// A rendered page and its plots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The text, as Markdown.
    pub text: String,
    /// The file names and SVG contents of the plots.
    pub plots: Vec<(&'static str, String)>,
}

/// Renders the page.
///
/// # Errors
/// If the template refers to a field that the report does not have, or a plot cannot be drawn.
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

/// The names of the spans in the report: first those of [`STEP`] in its order, then all others.
fn phase_names(report: &Report) -> Vec<String> {
    let names: BTreeSet<&String> = report.profiles.iter().flat_map(|p| p.phases.keys()).collect();
    let place = |name: &str| STEP.iter().position(|known| *known == name).unwrap_or(STEP.len());
    let mut names: Vec<String> = names.into_iter().cloned().collect();
    names.sort_by_key(|name| place(name));
    names
}

impl Page {
    /// Writes the page and the plots into the folder `docs`.
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
