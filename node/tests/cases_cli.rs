//! More faults from the field that the command line must stand: what it says, and what it takes.
#![allow(clippy::unwrap_used, reason = "tests")]

mod cli_support;

use cli_support::{Node, Repository};
use serde_json::Value;

/// Characters that a terminal acts on.
fn is_bad(c: char) -> bool {
    c != '\n' && (c.is_control() || "\u{202e}\u{200f}\u{2066}".contains(c))
}

/// C13: what can be no address to connect to.
#[test]
fn c13_addresses_without_a_port_to_connect_to() {
    let node = Node::with_space();
    let invite = format!("rootfold1:{}:{}", "0".repeat(64), "0".repeat(64));
    for (address, said) in [
        (":0", "port 0"),
        ("host:0", "port 0"),
        ("[::1]:0", "port 0"),
        ("host:+80", "\"+80\" is not a port"),
        ("host:", "is not a port"),
        ("ftp://host", "without a scheme"),
        ("a\u{202e}\u{1b}[31m\nb", "a\\u{202e}\\u{1b}[31m\\nb"),
    ] {
        for command in [
            &["bootstrap", "--invite", &invite, "--from", address][..],
            &["replay", "--invite", &invite, "--from", address],
            &["serve", "--peer", address],
        ] {
            let ran = node.run(command);
            assert_eq!(ran.stderr.lines().count(), 1, "one line: {:?}", ran.stderr);
            assert!(!ran.stderr.contains(is_bad), "{:?}", ran.stderr);
            ran.fails(2, said);
        }
    }
    node.run(["serve", "--listen", "127.0.0.1:+80"]).fails(2, "\"+80\" is not a port");
}

/// C14: a value with one dash is stored, unless it is an option.
#[test]
fn c14_values_with_one_dash() {
    let node = Node::with_space();
    for value in ["-inf", "-x", "-hello", "-5e", "-a=b", "-\u{e9}", "-flie=x.txt"] {
        node.run(["put", "n", value]).ok();
        assert_eq!(node.run(["get", "n"]).ok(), value);
    }
    node.run(["put", "--as", "owner", "n", "-y", "--json"]).json();
    assert_eq!(node.run(["get", "n"]).ok(), "-y");
    assert!(node.run(["put", "n", "-h"]).ok().contains("Usage:"));
    for wrong in [
        &["put", "n", "--flie=x.txt"][..],
        &["put", "n", "-z", "--flie=x.txt"],
        &["put", "n", "--flie", "-z"],
        &["put", "-q", "n", "-z"],
        &["get", "-z"],
    ] {
        assert_eq!(node.run(wrong).code, 2, "{wrong:?}");
    }
    assert_eq!(node.run(["get", "n"]).ok(), "-y");
    let served = node.serve();
    node.run(["put", "n", "-beside"]).ok();
    assert_eq!(node.run(["get", "n"]).ok(), "-beside");
    drop(served);
}

/// C16: what clap says about arguments that a terminal would act on.
#[test]
fn c16_usage_errors_have_no_escape_codes() {
    let node = Node::new();
    let bad = "x\u{1b}[31m\u{202e}\u{7}\r\nfake: line";
    let option = format!("--{bad}");
    let (number, invite) = (format!("{bad}7"), "x".to_owned());
    for command in [
        &["get", &option][..],
        &[bad],
        &["space", bad],
        &["params", "--profile", bad],
        &["scan", "--limit", &number],
        &["put", "k", "v", bad],
        &["put", "k", &option],
        &["bootstrap", "--from", bad, "--invite", &invite],
    ] {
        let ran = node.run(command);
        assert!(!ran.stderr.contains(is_bad), "{command:?}: {:?}", ran.stderr);
        assert!(!ran.stderr.contains("\nfake"), "one line: {:?}", ran.stderr);
        ran.fails(2, "\\u{1b}[31m\\u{202e}\\u{7}\\r\\nfake: line");

        let mut in_json = vec!["--json"];
        in_json.extend(command);
        let ran = node.run(in_json);
        let error: Value = serde_json::from_str(&ran.stderr).unwrap();
        assert_eq!((ran.code, &error["exit"]), (2, &2.into()));
        let said = error["error"].as_str().unwrap();
        assert!(said.contains("fake: line") && !said.contains(is_bad), "{said:?}");
        assert!(!said.contains(['\n', '\u{1b}']) && !said.contains("Usage"), "{said:?}");
        assert_eq!(ran.stderr.matches('\n').count(), 1);
    }
    let ran = node.run(["--json", "put", "k"]);
    let error: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert!(error["error"].as_str().unwrap().contains("<VALUE>"), "{error}");
    let ran = node.run(["--json", "put", "k", "--flie"]);
    let error: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(
        error["error"],
        "unexpected argument '--flie' found; tip: a similar argument exists: '--file'"
    );
    // Without `--json`, and for help, clap's own lines stay.
    let ran = node.run(["put", "k"]);
    assert!(ran.stderr.contains("\n\nUsage: rootfold put"), "{:?}", ran.stderr);
    assert!(node.run(["--json", "--help"]).ok().lines().count() > 20);
    assert!(node.run(["--version"]).ok().starts_with("rootfold "));
    assert!(node.run(["help", "put"]).ok().contains("--file"));
}

/// C16: a key in an error is escaped once.
#[test]
fn c16_a_key_in_an_error_is_escaped_once() {
    let node = Node::with_space();
    node.run(["get", "none\u{1b}\"q\""]).fails(5, "no value under key \"none\\u{1b}\"q\"\"");
}

/// C5: another invite in the folder of a bootstrap that was cut off.
#[test]
fn c5_the_folder_of_another_bootstrap() {
    use rootfold_node::store::{Batch, Column, Durability};
    let a = Node::with_space();
    let invite = a.json(["status"])["invite"].as_str().unwrap().to_owned();
    let b = Node::new();
    let begun = format!("{}01", "00".repeat(31));
    {
        let mut batch = Batch::new();
        batch.put(Column::Meta, *b"bootstrapping", hex::decode(&begun).unwrap());
        let data = rootfold_node::data_dir::DataDir::new(&b.data);
        data.store().unwrap().write(batch, Durability::Synced).unwrap();
    }
    let served = a.serve();
    let ran = b.run(["bootstrap", "--from", &served.address, "--invite", &invite]);
    assert!(!ran.stderr.contains("run it again"), "{}", ran.stderr);
    ran.fails(1, &format!("belongs to a bootstrap of space {begun}, which was cut off"));
}

/// C23: keys that another writer has written since stay, and are named.
#[test]
fn c23_keys_of_other_writers_are_named() {
    let mut repository = Repository::new();
    for index in 0..14 {
        repository.write(&format!("file{index:02}"), format!("{index}"));
    }
    repository.write("same", "as in git");
    repository.commit("a@example.org");
    let path = repository.path().to_str().unwrap().to_owned();
    let node = Node::with_space();
    let first = node.json(["import-git", &path]);
    assert_eq!((&first["kept"], &first["kept_keys"]), (&0.into(), &Value::Array(vec![])));
    assert!(!node.run(["import-git", &path]).ok().contains("other writers"));
    for index in 0..12 {
        node.run(["put", &format!("file{index:02}"), "mine"]).ok();
    }
    node.run(["del", "file12"]).ok();
    node.run(["put", "same", "as in git"]).ok();
    let said = node.run(["import-git", &path]).ok();
    assert!(said.contains("13 keys are not as in HEAD"), "{said}");
    assert!(said.contains("\n  file00 by writer 0\n"), "{said}");
    assert!(said.contains("\n  and 3 more") && !said.contains("file10"), "{said}");
    let report = node.json(["import-git", &path]);
    assert_eq!(report["kept"], 13);
    let kept = report["kept_keys"].as_array().unwrap();
    let names: Vec<&str> = kept.iter().map(|kept| kept["key"]["text"].as_str().unwrap()).collect();
    let expected: Vec<String> = (0..13).map(|index| format!("file{index:02}")).collect();
    assert_eq!(names, expected);
    assert_eq!(kept[0]["writer"], 0);
    assert_eq!(node.run(["get", "file00"]).ok(), "mine");
}

/// C27: a folder whose name is longer than what a shortened key keeps.
#[test]
fn c27_shortened_paths_below_a_long_folder() {
    let mut repository = Repository::new();
    let folder = format!("{}/", "f".repeat(69));
    let longer = format!("{folder}{}/", "g".repeat(40));
    for index in 0..12 {
        repository.write(&format!("{longer}{index}"), format!("far {index}"));
    }
    repository.write(&format!("{folder}short"), "near");
    repository.commit("a@example.org");
    let node = Node::with_space();
    let path = repository.path().to_str().unwrap().to_owned();
    let said = node.run(["import-git", &path]).ok();
    assert!(said.contains("12 paths with shortened keys:\n"), "{said}");
    let line = format!("\n  {longer}0 lies under {}#", "f".repeat(58));
    assert!(said.contains(&line), "{said}");
    assert!(said.contains("\n  and 2 more"), "{said}");
    assert_eq!(node.json(["import-git", &path])["cut_keys"].as_array().unwrap().len(), 12);

    let count = |listed: &Value, list: &str| listed[list].as_array().unwrap().len();
    for (prefix, direct, shortened) in
        [(&folder[..58], 13, 0), (&folder[..59], 1, 12), (&folder, 1, 12), (&longer, 0, 12)]
    {
        let listed = node.json(["scan", "--prefix", prefix]);
        assert_eq!((count(&listed, "entries"), count(&listed, "shortened")), (direct, shortened));
        assert_eq!(listed["more"], false);
    }
    let values = node.json(["scan", "--prefix", &folder])["shortened"].to_string();
    assert!((0..12).all(|index| values.contains(&format!("\"far {index}\""))), "{values}");
    let said = node.run(["scan", "--prefix", &folder]).ok();
    assert!(said.contains("shortened keys") && said.contains("\tnear\n"), "{said}");
    assert_eq!(said.lines().count(), 1 + 1 + 12);
    // The limit counts both.
    let listed = node.json(["scan", "--prefix", &folder, "--limit", "5"]);
    assert_eq!((count(&listed, "entries"), count(&listed, "shortened")), (1, 4));
    assert_eq!(listed["more"], true);
    // A shortened key is listed once, and other long prefixes are as they were.
    let key = format!("{}#", "f".repeat(58));
    let listed = node.json(["scan", "--prefix", &key]);
    assert_eq!((count(&listed, "entries"), count(&listed, "shortened")), (12, 0));
    assert_eq!(count(&node.json(["scan", "--prefix", &"o".repeat(60)]), "shortened"), 0);
    node.run(["scan", "--prefix", &"o".repeat(92)]).fails(2, "longer than 91");
    assert_eq!(node.run(["get", &format!("{longer}7")]).ok(), "far 7");
}
