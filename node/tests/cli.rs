//! The command line of the built binary: all that needs no proof.

#![allow(clippy::unwrap_used)]

mod cli_support;

use cli_support::{some_history, Node, Repository};
use serde_json::{json, Value};

const INVITE: &str = concat!(
    "rootfold1:0000000000000000000000000000000000000000000000000000000000000001:",
    "0000000000000000000000000000000000000000000000000000000000000002"
);

#[test]
fn wrong_arguments_exit_with_2() {
    let node = Node::new();
    assert_eq!(node.run::<&str>([]).code, 2);
    node.run(["sing"]).fails(2, "sing");
    node.run(["put", "key"]).fails(2, "required");
    node.run(["put", "key", "value", "--file", "f"]).fails(2, "cannot be used");
    node.run(["params", "--profile", "huge"]).fails(2, "huge");
    node.run(["demo", "--ops", "0"]).fails(2, "--ops");
    node.run(["bootstrap", "--from", "127.0.0.1:1"]).fails(2, "--invite");
    node.run(["bootstrap", "--from", "127.0.0.1:1", "--invite", "hello"]).fails(2, "invite");
    node.run(["replay", "--from", "127.0.0.1:1", "--invite", "rootfold1:x:y"]).fails(2, "invite");
    node.run(["writer", "new", "../key"]).fails(2, "not the name of a key");
    let long = "k".repeat(92);
    node.run(["put", &long, "value"]).fails(2, "longer than 91");
    node.run(["get", &long]).fails(2, "longer than 91");
}

#[test]
fn help_names_every_command() {
    let help = Node::new().run(["--help"]).ok();
    for command in [
        "space",
        "writer",
        "grant",
        "rekey",
        "revoke",
        "put",
        "del",
        "get",
        "scan",
        "log",
        "import-git",
        "params",
        "serve",
        "prove",
        "publish",
        "verify",
        "bootstrap",
        "replay",
        "status",
        "demo",
    ] {
        let named = help.lines().any(|line| line.split_whitespace().next() == Some(command));
        assert!(named, "{command} is missing:\n{help}");
    }
    assert!(help.contains("0 done; 1 refused"), "{help}");
}

#[test]
fn without_a_space_commands_exit_with_3_and_create_nothing() {
    let node = Node::new();
    let folder = node.data.display().to_string();
    for command in [
        &["get", "key"][..],
        &["put", "key", "value"],
        &["del", "key"],
        &["scan"],
        &["log"],
        &["status"],
        &["serve"],
        &["prove"],
        &["publish"],
        &["grant", &"00".repeat(64)],
        &["import-git"],
    ] {
        node.run(command).fails(3, &folder);
    }
    assert!(!node.data.exists());
}

#[test]
fn errors_are_json_too() {
    let node = Node::new();
    let ran = node.run(["--json", "status"]);
    let error: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(error["exit"], json!(3));
    assert!(error["error"].as_str().unwrap().contains("no space"), "{error}");
}

#[test]
fn values_are_written_read_and_deleted() {
    let node = Node::new();
    let space = node.json(["space", "new"]);
    assert_eq!(space["profile"], "small");
    assert_eq!(
        space["invite"].as_str().unwrap(),
        format!(
            "rootfold1:{}:{}",
            space["space"].as_str().unwrap(),
            space["parameters"].as_str().unwrap()
        )
    );
    node.run(["space", "new"]).fails(2, "holds a space already");

    let put = node.json(["put", "b", "two"]);
    assert_eq!((&put["writer"], &put["seq"]), (&json!(0), &json!(1)));
    node.run(["put", "a", "one"]).ok();
    node.run_with(&[0xff, 0x00], ["put", "c", "-"]).ok();
    node.run(["put", "", "the empty key"]).ok();
    assert_eq!(node.run(["get", "a"]).ok(), "one");
    assert_eq!(node.run(["get", "c"]).stdout, [0xff, 0x00]);
    assert_eq!(node.run(["get", ""]).ok(), "the empty key");
    let got = node.json(["get", "c"]);
    assert_eq!(got["value"], Value::Null);
    assert_eq!(got["value_hex"], "ff00");
    assert_eq!(got["key"], json!({ "text": "c", "hex": "63" }));

    node.run(["put", "a", "uno"]).ok();
    assert_eq!(node.run(["get", "a"]).ok(), "uno");
    node.run(["del", "b"]).ok();
    node.run(["get", "b"]).fails(5, "no value under key \"b\"");
    node.run(["get", "never"]).fails(5, "no value under key \"never\"");

    assert_eq!(node.run(["scan"]).ok(), "\tthe empty key\na\tuno\nc\t(2 bytes)\n");
    assert_eq!(node.run(["scan", "--prefix", "a"]).ok(), "a\tuno\n");
    let cut = node.json(["scan", "--limit", "1"]);
    assert_eq!(cut["more"], json!(true));
    assert_eq!(cut["entries"].as_array().unwrap().len(), 1);

    let log = node.json(["log"]);
    let kinds: Vec<&str> =
        log["ops"].as_array().unwrap().iter().map(|op| op["op"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["put", "put", "put", "put", "put", "del"]);
    assert_eq!(node.json(["log", "--limit", "2"])["ops"].as_array().unwrap().len(), 2);
    node.run(["forks", "--accept", "0"]).fails(5, "no evidence of a fork of writer 0");
    let ran = node.run(["--json", "get", "never"]);
    assert_eq!(serde_json::from_str::<Value>(&ran.stderr).unwrap()["exit"], json!(5));
    node.run(["log", "--writer", "7"]).fails(5, "writer 7 is not in this space");

    let status = node.json(["status"]);
    assert_eq!(status["ops"], json!(6));
    // Four keys, one of them deleted, and the owner's head.
    assert_eq!(status["entries"], json!(5));
    assert_eq!(status["space"], space["space"]);
    assert_eq!(status["invite"], space["invite"]);
    assert_ne!(status["root"], space["space"]);
}

#[test]
fn a_value_has_a_limit() {
    let node = Node::with_space();
    let edge = vec![b'x'; 64 * 1024];
    node.run_with(&edge, ["put", "edge", "-"]).ok();
    assert_eq!(node.run(["get", "edge"]).stdout, edge);
    let before = node.json(["status"]);
    node.run_with(&vec![b'x'; 64 * 1024 + 1], ["put", "over", "-"]).fails(1, "at most 65536");
    node.run(["put", "over", "--file", "/nonexistent"]).fails(3, "/nonexistent");
    assert_eq!(node.json(["status"]), before);
}

#[test]
fn only_granted_writers_can_write() {
    let node = Node::with_space();
    let made = node.json(["writer", "new", "alice"]);
    let public_key = made["public_key"].as_str().unwrap().to_owned();
    assert_eq!(public_key.len(), 128);
    node.run(["writer", "new", "alice"]).fails(2, "already");
    node.run(["put", "k", "v", "--as", "alice"]).fails(1, &format!("rootfold grant {public_key}"));
    node.run(["put", "k", "v", "--as", "bob"]).fails(3, "bob.key");

    assert_eq!(node.json(["grant", &public_key])["writer"], json!(1));
    node.run(["grant", "alice"]).fails(1, "already writer 1");
    node.run(["writer", "new", "bob"]).ok();
    assert_eq!(node.json(["grant", "bob", "--id", "7"])["writer"], json!(7));
    node.run(["writer", "new", "carol"]).ok();
    node.run(["grant", "carol", "--id", "7"]).fails(1, "already admitted");
    node.run(["grant", &"00".repeat(64)]).fails(1, "public key");
    node.run(["grant", &"ff".repeat(64)]).fails(2, "public key");

    assert_eq!(node.json(["put", "k", "v", "--as", "alice"])["writer"], json!(1));
    assert_eq!(node.json(["put", "k", "w", "--as", "bob"])["writer"], json!(7));
    assert_eq!(node.run(["get", "k"]).ok(), "w");
    assert_eq!(node.json(["status"])["writers"], json!(3));
}

#[cfg(unix)]
/// Lost and stolen keys, and writers who have to go.
#[test]
fn the_owner_replaces_keys_and_closes_logs() {
    let node = Node::new();
    node.run(["space", "new"]).ok();
    for name in ["ben", "ben-2", "ben-3", "owner-2"] {
        node.run(["writer", "new", name]).ok();
    }
    node.run(["grant", "ben"]).ok();
    node.run(["put", "--as", "ben", "colour", "red"]).ok();
    node.run(["rekey", "1", "ben-2"]).ok();
    node.run(["put", "--as", "ben", "colour", "blue"]).fails(1, "belongs to no writer");
    node.run(["put", "--as", "ben-2", "colour", "green"]).ok();
    assert_eq!(node.run(["get", "colour"]).ok(), "green");
    node.run(["rekey", "1", "owner"]).fails(1, "already writer 0");

    assert_eq!(node.json(["status"])["closed"], json!([]));
    assert_eq!(node.json(["revoke", "1"]), json!({ "writer": 1, "closed": true }));
    node.run(["put", "--as", "ben-2", "colour", "blue"]).fails(1, "belongs to no writer");
    assert_eq!(node.json(["status"])["closed"], json!([1]));
    assert!(node.run(["status"]).ok().contains("closed    writer 1, by the owner"));
    assert_eq!(node.run(["get", "colour"]).ok(), "green", "what was written stays");
    node.run(["rekey", "1", "ben-3"]).ok();
    node.run(["put", "--as", "ben-3", "colour", "blue"]).ok();

    // The owner's own key: from then on the new one is taken, without --as.
    node.run(["rekey", "0", "owner-2"]).ok();
    node.run(["put", "shape", "round"]).ok();
    node.run(["grant", "ben"]).ok();
    node.run(["revoke", "0"]).fails(1, "not closed");
    node.run(["revoke", "9"]).fails(1, "not known in this space");
    node.run(["forks", "resolve", "1", "1"]).fails(1, "no evidence of a fork");
    node.run(["rekey", "1", "nobody"]).fails(3, "nobody");
    let log = node.run(["log"]).ok();
    assert!(log.contains("replace") && log.contains("head of writer 1"), "{log}");
}

#[test]
fn key_files_have_mode_0600() {
    use std::os::unix::fs::PermissionsExt;
    let node = Node::new();
    node.run(["writer", "new", "alice"]).ok();
    let meta = std::fs::metadata(node.data.join("keys/alice.key")).unwrap();
    assert_eq!(meta.permissions().mode() & 0o777, 0o600);
    for folder in ["", "keys"] {
        let meta = std::fs::metadata(node.data.join(folder)).unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, 0o700, "{folder:?}");
    }
    std::fs::write(node.data.join("keys/broken.key"), "not a key").unwrap();
    node.run(["grant", "broken"]).fails(3, "no space");
}

#[cfg(unix)]
#[test]
fn keys_that_others_can_read_are_refused() {
    use std::{fs, os::unix::fs::PermissionsExt};
    let node = Node::with_space();
    let set = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let key = node.data.join("keys/owner.key");
    set(&key, 0o644);
    node.run(["put", "k", "v"])
        .fails(3, "owner.key: other users can read this secret (mode 0644): `chmod 600`");
    set(&key, 0o600);
    node.run(["put", "k", "v"]).ok();
    set(&node.data, 0o755);
    node.run(["serve", "--listen", "127.0.0.1:0"]).fails(3, "(mode 0755): `chmod 700`");
    set(&node.data, 0o700);
    assert_eq!(node.serve().stop(), 0);
}

#[test]
fn a_git_history_is_imported_once() {
    let mut repository = some_history(12, 8);
    repository.write(&format!("{}file", "long/".repeat(30)), "x");
    repository.write("large", vec![0; 100_000]);
    repository.commit("author0@example.org");
    let node = Node::with_space();
    let path = repository.path().to_str().unwrap();

    let first = node.json(["import-git", path, "--limit", "20"]);
    assert_eq!(first["changes"], json!(20));
    assert_eq!(first["new_ops"], json!(20 + 3));
    let whole = node.json(["import-git", path]);
    assert_eq!(whole["changes"], json!(37));
    assert_eq!(whole["new_ops"], json!(17));
    assert_eq!(whole["writers"], json!(3));
    assert_eq!(whole["skipped"], json!({ "large": 1, "links": 0, "submodules": 0 }));
    assert_eq!(whole["cut_paths"], json!(1));
    assert_eq!(node.json(["import-git", path])["new_ops"], json!(0));
    assert_eq!(node.json(["import-git", path, "--limit", "5"])["new_ops"], json!(0));

    // The space has the contents of the repository's files.
    for file in 0..8 {
        let name = format!("folder/file{file}");
        let bytes = std::fs::read_to_string(repository.path().join(&name)).unwrap();
        assert_eq!(node.run(["get", &name]).ok(), bytes);
    }
    assert_eq!(node.json(["scan", "--prefix", "folder/"])["entries"].as_array().unwrap().len(), 8);

    let other = some_history(4, 5);
    node.run(["import-git", other.path().to_str().unwrap()]).fails(1, "one git history");
}

#[test]
fn unreadable_histories_exit_with_3() {
    let node = Node::with_space();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    node.run(["import-git", path]).fails(3, "not in a readable git repository");
    node.run(["demo", "--git", path]).fails(3, "not in a readable git repository");
    node.run(["import-git", "/nonexistent"]).fails(3, "no such path");
    let empty = Repository::new();
    let path = empty.path().to_str().unwrap();
    node.run(["import-git", path]).fails(3, "no commit yet");
    node.run(["demo", "--git", path]).fails(3, "no commit yet");
}

#[test]
fn unreachable_peers_exit_with_3() {
    // A port that was free just now.
    let address = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let node = Node::new();
    node.run(["bootstrap", "--from", &address, "--invite", INVITE]).fails(3, &address);
    node.run(["replay", "--from", &address, "--invite", INVITE]).fails(3, &address);
    node.run(["get", "key"]).fails(3, "no space");
}

#[test]
fn files_without_a_snapshot_are_refused() {
    let node = Node::with_space();
    let file = node.data.join("file");
    let path = file.to_str().unwrap();
    node.run(["verify", path]).fails(3, path);
    std::fs::write(&file, "").unwrap();
    node.run(["verify", path]).fails(1, "not a snapshot");
    std::fs::write(&file, vec![b'x'; 1_000_000]).unwrap();
    assert_ne!(node.run(["verify", path]).code, 0);
}

#[test]
fn a_data_directory_in_use_is_named() {
    let node = Node::with_space();
    let served = node.serve();
    let second = node.run(["serve", "--listen", "127.0.0.1:0"]);
    second.fails(3, &node.data.display().to_string());
    assert_eq!(served.stop(), 0);
    node.run(["put", "k", "v"]).ok();
}
