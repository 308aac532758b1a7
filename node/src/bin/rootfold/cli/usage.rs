//! Command lines, and clap's answers to those that name no command: errors and help.

use std::ffi::OsString;

use clap::{
    error::{ContextKind, ContextValue, ErrorKind},
    ArgMatches, CommandFactory, Error, FromArgMatches,
};

use super::{args::Cli, text};

/// Reads a command line, with the name of the program. A value of `put` may begin with one dash. Returns
/// what clap has matched too, which knows what was given and what is a default.
///
/// # Errors
/// What is wrong with it, or the help or version that it asks for.
pub fn parse(args: Vec<OsString>) -> Result<(Cli, ArgMatches), Answer> {
    let is_json = args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json");
    let answer = |e: Error| Answer::new(e, is_json);
    let matches = match Cli::command().try_get_matches_from(&args) {
        Err(e) if may_be_a_value(&e) => {
            // In a second look, so that an unknown option with two dashes is never taken as a value.
            let command = Cli::command().mut_subcommand("put", |put| {
                put.mut_arg("value", |value| {
                    value.allow_negative_numbers(false).allow_hyphen_values(true)
                })
            });
            command.try_get_matches_from(args)
        }
        done => done,
    };
    let matches = matches.map_err(answer)?;
    let cli = Cli::from_arg_matches(&matches).map_err(answer)?;
    Ok((cli, matches))
}

/// Whether an argument with one dash has ended the parsing: as an unknown option, or as `-h` with more
/// letters after it.
fn may_be_a_value(e: &Error) -> bool {
    match (e.kind(), e.get(ContextKind::InvalidArg)) {
        (ErrorKind::DisplayHelp, _) => true,
        (ErrorKind::UnknownArgument, Some(ContextValue::String(name))) => !name.starts_with("--"),
        _ => false,
    }
}

/// What clap has to say, without characters that a terminal would act on.
#[derive(Debug)]
pub struct Answer {
    /// The text, with a line feed at its end.
    pub text: String,
    /// Whether it is for stderr.
    pub is_error: bool,
    /// The exit code.
    pub exit: u8,
}

impl Answer {
    fn new(mut e: Error, is_json: bool) -> Answer {
        escape_arguments(&mut e);
        let rendered = text::printable(&e.render().to_string());
        let is_error = e.use_stderr();
        let exit = if is_error { 2 } else { 0 };
        let text = match e.kind() {
            _ if is_error && is_json => {
                serde_json::json!({ "error": message(e.kind(), &rendered), "exit": exit })
                    .to_string()
            }
            // All is in this line: which option, what it has, and what is wrong with it.
            ErrorKind::ValueValidation => rendered.lines().next().unwrap_or_default().to_owned(),
            _ => rendered.trim_end_matches('\n').to_owned(),
        };
        Answer { text: text + "\n", is_error, exit }
    }
}

/// Escapes line feeds too in what comes from the command line, so that only clap's own are left.
fn escape_arguments(e: &mut Error) {
    let escape = |text: &str| text::escaped(text.as_bytes());
    let escaped: Vec<(ContextKind, ContextValue)> = e
        .context()
        .filter_map(|(kind, value)| {
            let value = match value {
                ContextValue::String(text) => ContextValue::String(escape(text)),
                ContextValue::Strings(texts) => {
                    ContextValue::Strings(texts.iter().map(|text| escape(text)).collect())
                }
                ContextValue::StyledStrs(texts) => {
                    let texts = texts.iter().map(|text| escape(&text.to_string()).into());
                    ContextValue::StyledStrs(texts.collect())
                }
                _ => return None,
            };
            Some((kind, value))
        })
        .collect();
    for (kind, value) in escaped {
        e.insert(kind, value);
    }
}

/// An error in one line, without the usage that follows it.
fn message(kind: ErrorKind, rendered: &str) -> String {
    if kind == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "a command is missing: `rootfold help` lists all commands".to_owned();
    }
    let is_about_usage =
        |part: &&str| part.starts_with("Usage:") || part.starts_with("For more information");
    let line = |part: &str| part.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let parts = rendered.split("\n\n").take_while(|part| !is_about_usage(part));
    let message = parts.map(line).collect::<Vec<_>>().join("; ");
    message.strip_prefix("error: ").unwrap_or(&message).to_owned()
}
