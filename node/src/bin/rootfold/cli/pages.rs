//! `completions` and `man`: what shells and readers of manuals know of the command line.

use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;
use serde_json::json;

use super::{
    failure::{Failure, OrFail},
    Context,
};

/// `completions`
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// `man`
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The folder of the pages, which must exist.
    #[arg(value_name = "DIR")]
    to: PathBuf,
}

/// Prints the completions of a shell for the command line of the program.
pub fn completions(
    context: &Context,
    args: &CompletionsArgs,
    mut program: Command,
) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut program, "rootfold", &mut script);
    context.output.bytes(&script)
}

/// Writes a manual page for the program and one for each command.
pub fn man(context: &Context, args: &ManArgs, program: Command) -> Result<(), Failure> {
    let doing = || format!("writing the pages to {}", args.to.display());
    clap_mangen::generate_to(program, &args.to).or_unreachable(doing())?;
    let folder = args.to.display().to_string();
    context.output.answer(&json!({ "folder": folder }), || {
        format!("the pages are in {folder}: man {folder}/rootfold.1")
    })
}
