//! The config file, beneath variables and flags.

#![allow(clippy::unwrap_used)]

mod cli_support;

use std::{collections::BTreeSet, fs, path::PathBuf};

use cli_support::Node;

/// The commented sample of the documentation.
const SAMPLE: &str = include_str!("../../docs/rootfold.toml");

/// A config file in a folder of its own.
struct File {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl File {
    fn of(text: &str) -> File {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.toml");
        fs::write(&path, text).unwrap();
        File { folder, path }
    }

    fn name(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

/// The keys that the program knows, from its own error.
fn known_keys() -> BTreeSet<String> {
    let file = File::of("colour = 1");
    let ran = Node::new().run(["--config", file.name(), "status"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("unknown key `colour`"), "{}", ran.stderr);
    let (_, known) = ran.stderr.trim_end().split_once("expected one of ").unwrap();
    known.split(", ").map(str::to_owned).collect()
}

/// The sample with all its keys.
fn whole_sample() -> String {
    let is_key = |line: &str| {
        line.strip_prefix('#')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
    };
    let line = |line: &str| if is_key(line) { line[1..].to_owned() } else { line.to_owned() };
    SAMPLE.lines().map(|text| line(text) + "\n").collect()
}

#[test]
fn the_sample_has_every_key_and_is_read() {
    let whole = whole_sample();
    let in_sample: BTreeSet<String> = whole
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.split_once(" = ")?.0.to_owned()))
        .collect();
    assert_eq!(in_sample, known_keys());
    // Its values have the right types: the next thing that is missing is a file that it names.
    let file = File::of(&whole.replace("/var/lib/rootfold", "nowhere"));
    let mut serve = std::process::Command::new(env!("CARGO_BIN_EXE_rootfold"));
    let ran = serve.args(["--config", file.name(), "serve"]).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(3), "{said}");
    let missing = file.folder.path().join("nowhere/tls/node.pem");
    assert!(said.contains(&missing.display().to_string()), "{said}");
    // As it stands it changes nothing.
    let file = File::of(SAMPLE);
    Node::new().run(["--config", file.name(), "status"]).fails(3, "no space");
}

#[test]
fn flags_win_over_variables_and_variables_over_the_file() {
    let node = Node::with_space();
    fs::write(node.data.join("config.toml"), "peer = [\"file:1\", \"file:2\"]\nprove = true\n")
        .unwrap();
    let peers = |node: &Node| {
        let peers = node.json(["peers"])["peers"].clone();
        let peers = peers.as_array().unwrap().iter();
        peers.map(|peer| peer["address"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    // `peer` of the file; `prove` of the variable.
    let served = node.serve_with("export ROOTFOLD_PROVE=false", &[]);
    assert_eq!(peers(&node), ["file:1", "file:2"]);
    node.run(["put", "k", "v"]).ok();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert_eq!(node.json(["status"])["proved"]["ops"], 0, "the variable wins over the file");
    assert_eq!(served.stop(), 0);
    let before = ["peers", "--remove", "file:1", "--remove", "file:2"];
    node.run(before).ok();
    let served = node.serve_with("export ROOTFOLD_PEER=variable ROOTFOLD_PROVE=false", &[]);
    assert_eq!(peers(&node), ["variable:7340"]);
    assert_eq!(served.stop(), 0);
    node.run(["peers", "--remove", "variable"]).ok();
    let options = ["--peer", "flag"];
    let served = node.serve_with("export ROOTFOLD_PEER=variable ROOTFOLD_PROVE=false", &options);
    assert_eq!(peers(&node), ["flag:7340"]);
    assert_eq!(served.stop(), 0);
    // A variable names another file.
    let file = File::of("listen = \"nonsense:\"");
    let mut serve = node.command(["serve"]);
    let ran = serve.env("ROOTFOLD_CONFIG", file.name()).output().unwrap();
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
}

#[test]
fn options_of_all_commands_come_from_the_file() {
    let node = Node::with_space();
    node.run(["put", "k", "v"]).ok();
    let file = File::of(&format!("data = {:?}", node.data.display().to_string()));
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rootfold"));
        command.args(["--config", file.name()]).args(arguments);
        command.env_remove("ROOTFOLD_DATA").output().unwrap()
    };
    assert_eq!(run(&["get", "k"]).stdout, b"v");
    // Beside a node too.
    let served = node.serve();
    assert_eq!(run(&["get", "k"]).stdout, b"v");
    assert_eq!(served.stop(), 0);
    let elsewhere = run(&["--data", "/nowhere/at/all", "get", "k"]);
    assert_eq!(elsewhere.status.code(), Some(3), "a flag wins: {elsewhere:?}");
}

#[test]
fn bad_files_are_named_with_key_and_expectation() {
    let node = Node::with_space();
    for (text, said) in [
        ("listen = ", "line 1: "),
        ("\n\nlisten ! 1", "line 3: "),
        ("lissten = \"a\"", "unknown key `lissten`: expected one of "),
        ("[serve]\nlisten = \"a\"", "unknown key `serve`"),
        ("publish-every = \"often\"", "`publish-every`: expected a whole number"),
        (
            "max-ops-per-second = 5000000000",
            "`max-ops-per-second`: expected a whole number from 0 to",
        ),
        ("max-connections = -1", "`max-connections`: expected a whole number"),
        ("prove = 1", "`prove`: expected true or false"),
        ("peer = \"a\"", "`peer`: expected a list"),
        ("peer = [\"a:0\"]", "`peer`: a:0: nobody can connect to port 0"),
        ("deny-writer = [\"a\"]", "`deny-writer.0`: expected a whole number"),
        ("listen = \"a b\"", "`listen`: a b: expected host"),
        ("metrics = 9100", "`metrics`: expected a string"),
        ("params-dir = 7", "`params-dir`: expected a path"),
        ("params-dir = \"\"", "`params-dir`: the path is empty"),
    ] {
        let file = File::of(text);
        // A flag for the same key hides nothing of what is wrong with other keys.
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rootfold"));
        command.arg("--data").arg(&node.data).args(["--config", file.name(), "serve"]);
        let ran = command.env_remove("ROOTFOLD_PARAMS_DIR").output().unwrap();
        let stderr = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert_eq!(ran.status.code(), Some(2), "{text}: {stderr}");
        let wanted = format!("config file {}", file.name());
        assert!(stderr.contains(&wanted) && stderr.contains(said), "{text}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
    node.run(["--config", "/nowhere/at/all", "status"])
        .fails(2, "config file /nowhere/at/all: No such");
    node.run(["--config", node.data.to_str().unwrap(), "status"]).fails(2, "directory");
    let binary = File::of("");
    fs::write(&binary.path, [0xff, 0xfe]).unwrap();
    node.run(["--config", binary.name(), "status"]).fails(2, "UTF-8");
    fs::write(&binary.path, vec![b'#'; (1 << 20) + 1]).unwrap();
    node.run(["--config", binary.name(), "status"]).fails(2, "longer than");
    fs::write(node.data.join("config.toml"), "data = \"elsewhere\"").unwrap();
    node.run(["status"]).fails(2, "cannot stand in a file that is found in the data directory");
    // Completions and manual pages do not depend on it, and errors are JSON where that is asked for.
    node.run(["completions", "bash"]).ok();
    let ran = node.run(["--json", "status"]);
    let line: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(line["exit"], 2);
}
