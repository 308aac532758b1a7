//! The config file, beneath the variables of the environment and the command line.
//!
//! Its keys are the names of the options of `serve` and of those of all commands. clap reads the command
//! line and the variables, and says which options were given; figment lays those over the file, and the
//! file over the defaults.

use std::{
    any::TypeId,
    collections::BTreeSet,
    fs::File,
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
};

use clap::{parser::ValueSource, ArgMatches, Command};
use figment::{
    error::Kind,
    providers::{Format, Serialized, Toml},
    value::{Dict, Value},
    Figment,
};
use serde::{de::DeserializeOwned, Serialize};
use thiserror::Error;

use crate::global::{self, Global};

/// The name of the config file in a data directory.
const NAME: &str = "config.toml";
/// The command whose options are keys.
const SERVE: &str = "serve";
/// Options that are no keys: where the file is, and what a caller wants to read.
const NO_KEYS: [&str; 2] = ["config", "json"];
/// The option whose variable clap does not read: there an empty one would count.
const PARAMS_DIR: &str = "params-dir";
/// The largest config file, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Why a config file cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("config file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
    /// It is not TOML.
    #[error("config file {}, line {line}: {what}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1 on.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// It has a key that no option has.
    #[error("config file {}: unknown key `{key}`: expected one of {known}", path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// All keys.
        known: String,
    },
    /// It is in the data directory, and names another one.
    #[error(
        "config file {}: `data` cannot stand in a file that is found in the data directory: \
         name the file with --config",
        path.display()
    )]
    OtherData {
        /// The file.
        path: PathBuf,
    },
    /// A value is not of its option's type or range.
    #[error("config file {}: `{key}`: {what}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The key, and for a list the position in it.
        key: String,
        /// What is expected, and what is there.
        what: String,
    },
}

/// Where options come from.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The config file.
    file: Option<PathBuf>,
    /// Whether it was found in the data directory.
    found: bool,
    /// The options that were given on the command line or by a variable.
    given: BTreeSet<String>,
    keys: Keys,
    /// The options of all commands as clap has them, without the file.
    global: Option<Global>,
}

/// The keys of a config file.
#[derive(Debug, Clone, Default)]
struct Keys {
    all: BTreeSet<String>,
    /// Those whose values are paths.
    paths: BTreeSet<String>,
}

impl Keys {
    fn of(command: &Command) -> Keys {
        let global = command.get_arguments().filter(|arg| arg.is_global_set());
        let serve = command.find_subcommand(SERVE);
        let serve = serve.into_iter().flat_map(Command::get_arguments);
        let mut keys = Keys::default();
        for arg in global.chain(serve) {
            let Some(name) = arg.get_long().filter(|name| !NO_KEYS.contains(name)) else {
                continue;
            };
            keys.all.insert(name.to_owned());
            if arg.get_value_parser().type_id() == TypeId::of::<PathBuf>() {
                keys.paths.insert(name.to_owned());
            }
        }
        keys
    }
}

impl Config {
    /// The config of a command line that `command` has read: the file `named` there, or that in the data
    /// directory, if there is one.
    pub fn new(
        command: &Command,
        matches: &ArgMatches,
        named: Option<&Path>,
        data: &Path,
    ) -> Config {
        let in_data = data.join(NAME);
        let found = named.is_none() && in_data.exists();
        let file = named.map(Path::to_owned).or_else(|| found.then_some(in_data));
        let all = [Some(matches), matches.subcommand_matches(SERVE)];
        let ids = all.iter().flatten().flat_map(|matches| {
            let given = |id: &&clap::Id| {
                let source = matches.value_source(id.as_str());
                source.is_some_and(|source| source != ValueSource::DefaultValue)
            };
            matches.ids().filter(given)
        });
        let mut given: BTreeSet<String> = ids.map(|id| id.as_str().replace('_', "-")).collect();
        if global::path_in(global::PARAMS_DIR).is_some() {
            given.insert(PARAMS_DIR.to_owned());
        }
        Config { file, found, given, keys: Keys::of(command), global: None }
    }

    /// The same, with the options of all commands as clap has them.
    #[must_use]
    pub fn with_global(self, global: Global) -> Config {
        Config { global: Some(global), ..self }
    }

    /// The options of all commands, with the values of the file as it is now.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn global(&self) -> Result<Option<Global>, ConfigError> {
        self.global.as_ref().map(|global| self.merged(global)).transpose()
    }

    /// `parsed`, as clap has it, with the values of the file for the options that were not given. Reads the
    /// file.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn merged<T: Serialize + DeserializeOwned + Clone>(
        &self,
        parsed: &T,
    ) -> Result<T, ConfigError> {
        let Some(path) = &self.file else { return Ok(parsed.clone()) };
        let file = self.read(path)?;
        let parsed: Figment = Figment::from(Serialized::defaults(parsed));
        let given = self.given.iter().filter_map(|key| Some((key, parsed.find_value(key).ok()?)));
        let given: Dict = given.map(|(key, value)| (key.clone(), value)).collect();
        let merged = parsed.clone().merge(Serialized::defaults(file));
        let merged = merged.merge(Serialized::defaults(given));
        // clap has checked its own values, so an error is one of the file.
        merged.extract().map_err(|e| value_error(path, e))
    }

    /// The values of the file. Its paths are relative to its folder.
    fn read(&self, path: &Path) -> Result<Dict, ConfigError> {
        let text = read(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let mut values: Dict = Toml::from_str(&text).map_err(|e| {
            let before = e.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let what = e.message().replace('\n', ", ");
            ConfigError::Syntax { path: path.to_owned(), line, what }
        })?;
        if let Some(key) = values.keys().find(|key| !self.keys.all.contains(*key)) {
            let known: Vec<&str> = self.keys.all.iter().map(String::as_str).collect();
            let (path, key, known) = (path.to_owned(), key.clone(), known.join(", "));
            return Err(ConfigError::UnknownKey { path, key, known });
        }
        if self.found && values.contains_key("data") {
            return Err(ConfigError::OtherData { path: path.to_owned() });
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        for (key, value) in &mut values {
            let text = value.as_str().filter(|text| !text.is_empty());
            if let Some(text) = text.filter(|_| self.keys.paths.contains(key)) {
                let absolute = folder.join(text);
                // The folder need not be UTF-8.
                let absolute = absolute.to_str().map(Value::from);
                *value = absolute.ok_or_else(|| ConfigError::Value {
                    path: path.to_owned(),
                    key: key.clone(),
                    what: "a config file with paths must lie in a folder whose path is UTF-8"
                        .into(),
                })?;
            }
        }
        Ok(values)
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        let what = format!("longer than {MAX_BYTES} bytes");
        return Err(io::Error::new(ErrorKind::InvalidData, what));
    }
    Ok(text)
}

/// Says which key has which value, and what is expected there.
fn value_error(path: &Path, e: figment::Error) -> ConfigError {
    let what = match &e.kind {
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
            format!("expected {}, found {found}", expectation(expected))
        }
        Kind::Message(what) => what.clone(),
        other => other.to_string(),
    };
    ConfigError::Value { path: path.to_owned(), key: e.path.join("."), what }
}

/// The expectation of serde in words.
fn expectation(expected: &str) -> String {
    match expected {
        "u32" => format!("a whole number from 0 to {}", u32::MAX),
        "u64" | "usize" => "a whole number from 0 on".to_owned(),
        "a sequence" => "a list, as in [\"a\", \"b\"]".to_owned(),
        "a boolean" => "true or false".to_owned(),
        other => other.to_owned(),
    }
}
