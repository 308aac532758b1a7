//! Faults from the field that the command line must stand: each test names its case.
#![allow(clippy::unwrap_used, reason = "tests")]

mod cli_support;

use std::{
    io::{Read, Write},
    net::TcpListener,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use cli_support::{Node, Repository};

/// C1: a folder is restored from a backup, and its writer signs again.
#[test]
fn c1_a_restored_folder_forks_and_everybody_else_goes_on() {
    let a = Node::with_space();
    let invite = a.json(["status"])["invite"].as_str().unwrap().to_owned();
    a.run(["put", "shared", "1"]).ok();
    let b = Node::new();
    {
        let served = a.serve();
        b.run(["bootstrap", "--from", &served.address, "--invite", &invite]).ok();
    }
    // B gets a writer of its own, whose ops must go on.
    let key = b.json(["writer", "new", "ben"])["public_key"].as_str().unwrap().to_owned();
    a.run(["grant", &key]).ok();
    let backup = a.copy();
    a.run(["put", "colour", "blue"]).ok();
    {
        let served = a.serve();
        b.run(["bootstrap", "--from", &served.address, "--invite", &invite]).ok();
    }
    b.run(["put", "--as", "ben", "ben", "was here"]).ok();
    // The restored folder signs the other continuation, after a warning.
    let ran = backup.run(["put", "colour", "red"]);
    assert!(ran.stderr.contains("restored from a backup"), "{}", ran.stderr);
    ran.ok();
    let quiet = backup.run(["put", "more", "red"]);
    assert!(!quiet.stderr.contains("restored"), "one warning: {}", quiet.stderr);

    let served = b.serve();
    let ran = backup.run(["bootstrap", "--from", &served.address, "--invite", &invite]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), ran.stderr);
    assert!(said.contains("writer 0") && said.contains("signed head after op 3"), "{said}");
    assert!(!said.contains("fault:"), "the honest peer is not blamed: {said}");
    drop(served);
    assert_eq!(backup.run(["get", "ben"]).ok(), "was here");
    let forks = backup.json(["forks"]);
    assert_eq!(
        (forks["forks"][0]["writer"].as_u64(), &forks["forks"][0]["shared"]),
        (Some(0), &2.into())
    );

    // The other side learns of it too, and anyone can check the evidence.
    let served = backup.serve();
    let ran = b.run(["bootstrap", "--from", &served.address, "--invite", &invite]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    drop(served);
    assert!(b.run(["status"]).ok().contains("fork      writer 0 after op 2"));
    let file = b.data.with_extension("fork");
    let path = file.to_str().unwrap();
    b.run(["forks", "--export", "0", "--to", path]).ok();
    assert!(Node::new().run(["forks", "--check", path]).ok().contains("writer 0"));
    std::fs::write(&file, b"nothing").unwrap();
    Node::new().run(["forks", "--check", path]).fails(1, "not evidence");
    // The log rests; the operator may decide.
    backup.run(["put", "again", "1"]).fails(1, "forked after op 2");
    backup.run(["forks", "--accept", "0"]).ok();
    backup.run(["put", "again", "1"]).ok();
}

/// C5: the first sync is killed.
#[test]
fn c5_a_cut_off_bootstrap_says_so_everywhere() {
    let a = Node::with_space();
    let invite = a.json(["status"])["invite"].as_str().unwrap().to_owned();
    a.run(["put", "k", "v"]).ok();
    let b = Node::new();
    let data = rootfold_node::data_dir::DataDir::new(&b.data);
    let space = invite.split(':').nth(1).unwrap().to_owned();
    {
        // What a bootstrap that was killed leaves.
        use rootfold_node::store::{Batch, Column, Durability};
        let mut batch = Batch::new();
        batch.put(Column::Meta, *b"bootstrapping", hex::decode(&space).unwrap());
        data.store().unwrap().write(batch, Durability::Synced).unwrap();
    }
    let commands: [&[&str]; 5] =
        [&["status"], &["space", "new"], &["writer", "new", "x"], &["serve"], &["put", "k", "v"]];
    for command in commands {
        let ran = b.run(command);
        assert_eq!(ran.code, 3, "{command:?}: {}", ran.stderr);
        let said = format!("a bootstrap of space {space} was cut off");
        assert!(ran.stderr.contains(&said), "{command:?}: {}", ran.stderr);
    }
    let served = a.serve();
    b.run(["bootstrap", "--from", &served.address, "--invite", &invite]).ok();
    assert_eq!(b.run(["get", "k"]).ok(), "v");
}

/// C10: commands beside a node that serves the same directory.
#[test]
#[cfg(unix)]
fn c10_commands_work_beside_serve() {
    let a = Node::with_space();
    let invite = a.json(["status"])["invite"].as_str().unwrap().to_owned();
    a.run(["put", "before", "1"]).ok();
    let served = a.serve();
    assert_eq!(a.run(["get", "before"]).ok(), "1");
    a.run(["put", "beside", "2"]).ok();
    a.run_with(b"from stdin", ["put", "piped", "-"]).ok();
    let file = a.data.with_file_name("value");
    std::fs::write(&file, "from a file").unwrap();
    let mut relative = a.command(["put", "filed", "--file", "value"]);
    let done = relative.current_dir(file.parent().unwrap()).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    assert_eq!(a.run(["get", "filed"]).ok(), "from a file");
    assert_eq!(a.run(["scan"]).ok().lines().count(), 4);
    assert_eq!(a.json(["status"])["ops"], 4);
    a.run(["get", "none"]).fails(5, "no value");
    a.run(["put", "k", "v", "--as", "nobody"]).fails(3, "nobody");
    a.run(["put", "k", "--flie"]).fails(2, "--flie");
    a.run(["log"]).ok();
    a.run(["prove"]).ok();
    a.run(["publish"]).ok();
    assert_eq!(a.json(["status"])["snapshot"]["ops"], 4);
    // A second node on the same directory is refused by name.
    a.run(["serve", "--listen", "127.0.0.1:0"]).fails(3, "another process");

    // A peer sees all of it, and takes a write of this side while both serve.
    let b = Node::new();
    b.run(["bootstrap", "--from", &served.address, "--invite", &invite]).ok();
    let other = b.serve();
    a.run(["put", "later", "3"]).ok();
    b.run(["bootstrap", "--from", &served.address, "--invite", &invite]).ok();
    assert_eq!(b.run(["get", "later"]).ok(), "3");
    drop(other);
    // A killed node leaves its socket, which nobody listens on.
    drop(served);
    assert_eq!(a.run(["get", "later"]).ok(), "3");
    let again = a.serve();
    assert_eq!(a.run(["get", "later"]).ok(), "3");
    assert_eq!(again.stop(), 0);
    assert!(!a.data.join("control.sock").exists());
}

/// Runs a command until its stdout is this, for at most 20 s.
fn becomes(node: &Node, command: &[&str], wanted: &str) {
    let mut said = String::new();
    for _ in 0..200 {
        let ran = node.run(command);
        said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), ran.stderr);
        if said == wanted {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("{command:?} does not become {wanted:?}: {said}");
}

/// Two nodes that keep in step by themselves; one of them proves. One names the other, not the other way
/// round.
#[test]
#[cfg(unix)]
fn two_nodes_keep_in_step_and_one_proves() {
    let a = Node::with_space();
    let invite = a.json(["status"])["invite"].as_str().unwrap().to_owned();
    let first = a.serve_with("", &["--prove", "--publish-every", "1"]);
    let b = Node::new();
    b.run(["bootstrap", "--from", &first.address, "--invite", &invite]).ok();
    let key = b.json(["writer", "new", "ben"])["public_key"].as_str().unwrap().to_owned();
    let second = b.serve_with("", &["--peer", &first.address]);
    a.run(["grant", &key]).ok();
    a.run(["put", "from a", "1"]).ok();
    becomes(&b, &["get", "from a"], "1");
    b.run(["put", "--as", "ben", "from b", "2"]).ok();
    becomes(&a, &["get", "from b"], "2");
    let same = || a.json(["status"])["root"] == b.json(["status"])["root"];
    assert!((0..100).any(|_| same() || {
        thread::sleep(Duration::from_millis(100));
        false
    }));
    // All three ops are proved and published without a command.
    let published = || a.json(["status"])["snapshot"]["ops"] == 3;
    assert!((0..1_200).any(|_| published() || {
        thread::sleep(Duration::from_millis(100));
        false
    }));
    drop(second);
    // A node that was killed comes back to the same state.
    b.run(["put", "--as", "ben", "while away", "3"]).ok();
    let second = b.serve_with("", &["--peer", &first.address]);
    becomes(&a, &["get", "while away"], "3");
    assert_eq!((first.stop(), second.stop()), (0, 0));
}

/// C11, C12: names resolve, and the printed address is one that `--from` takes.
#[test]
fn c11_the_address_of_a_server() {
    let a = Node::with_space();
    let invite = a.json(["status"])["invite"].as_str().unwrap().to_owned();
    for listen in ["localhost:0", ":0", "127.0.0.1:0"] {
        let served = a.serve_with("", &["--listen", listen]);
        let b = Node::new();
        b.run(["bootstrap", "--from", &served.address, "--invite", &invite]).ok();
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    a.run(["serve", "--listen", &address]).fails(3, &format!("listening on {address}"));
    a.run(["serve", "--listen", "::1:7340"]).fails(2, "brackets");
}

/// C13: what answers is no node.
#[test]
fn c13_something_else_answers() {
    let node = Node::new();
    let invite = format!("rootfold1:{}:{}", "0".repeat(64), "0".repeat(64));
    let from = |address: &str| node.run(["bootstrap", "--from", address, "--invite", &invite]);
    for (address, said) in [
        ("", "empty"),
        ("ftp://localhost", "without a scheme"),
        ("::1:7000", "brackets"),
        ("a/b", "scheme"),
    ] {
        from(address).fails(2, said);
    }
    for (answer, said) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "an HTTP/1 server answers"),
        (
            &b"\x15\x03\x01\x00\x02\x02\x46"[..],
            "a server that wants TLS, with `https://` before the address, answers",
        ),
        (&b"220 mail ESMTP\r\n"[..], "another service answers"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
                let _ = stream.read(&mut [0; 1024]);
                let _ = stream.write_all(answer);
            }
        });
        from(&address).fails(3, said);
    }
}

/// C14: an option with a typing error is not a value.
#[test]
fn c14_a_wrong_option_is_not_a_value() {
    let node = Node::with_space();
    for wrong in ["--flie=x.txt", "--file-x", "--x"] {
        assert_eq!(node.run(["put", "colour", wrong]).code, 2, "{wrong}");
    }
    node.run(["get", "colour"]).fails(5, "no value");
    for value in ["-5", "-5.25", "-"] {
        node.run_with(b"-", ["put", "n", value]).ok();
        assert_eq!(node.run(["get", "n"]).ok(), value);
    }
    node.run(["put", "n", "--", "--flie"]).ok();
    assert_eq!(node.run(["get", "n"]).ok(), "--flie");
}

/// C15: what comes along when an invite is copied.
#[test]
fn c15_an_invite_with_something_around_it() {
    let a = Node::with_space();
    let invite = a.json(["status"])["invite"].as_str().unwrap().to_owned();
    let served = a.serve();
    for around in
        [format!("{invite} "), format!("\n\t{invite}\r\n"), format!("\u{201c}{invite}\u{201d}")]
    {
        Node::new().run(["bootstrap", "--from", &served.address, "--invite", &around]).ok();
    }
    let refused = |invite: &str, said: &str| {
        Node::new()
            .run(["bootstrap", "--from", &served.address, "--invite", invite])
            .fails(2, said);
    };
    refused(&invite.replace("rootfold1", "rootfold9"), "begins with \"rootfold9\"");
    refused(&invite[..invite.rfind(':').unwrap()], "2 parts");
    refused(&invite[..invite.len() - 1], "parameter id");
    refused(&invite.replacen(':', ":g", 1), "space id");
}

/// C16: keys that a terminal would act on.
#[test]
fn c16_keys_are_one_line_without_escape_codes() {
    let node = Node::with_space();
    let keys = ["a\u{1b}[31mred", "b\nline", "c\u{202e}txt", "d\u{200f}", "e\u{7}\r"];
    for key in keys {
        node.run(["put", key, "\u{1b}[2J"]).ok();
    }
    for command in [&["scan"][..], &["log"]] {
        let said = node.run(command).ok();
        assert!(said.lines().count() == keys.len(), "{said:?}");
        let bad =
            |c: char| c != '\n' && c != '\t' && (c.is_control() || "\u{202e}\u{200f}".contains(c));
        assert!(!said.contains(bad), "{said:?}");
    }
    let ran = node.run(["get", "none\u{1b}[31m\u{202e}"]);
    assert!(!ran.stderr.contains(['\u{1b}', '\u{202e}']), "{:?}", ran.stderr);
    let listed = node.json(["scan"]);
    let texts: Vec<&str> = (0..keys.len())
        .map(|index| listed["entries"][index]["key"]["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts, keys, "JSON is unchanged");
}

/// C17: no escape codes in files.
#[test]
fn c17_no_escape_codes_in_files() {
    let node = Node::with_space();
    let output = node.command(["put", "k", "v"]).env("RUST_LOG", "debug").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.is_empty() && !said.contains('\u{1b}'), "{said:?}");
}

/// C18: numbers beyond 2^53 are strings in JSON.
#[test]
fn c18_clocks_survive_readers_of_doubles() {
    let node = Node::with_space();
    let written = node.json(["put", "k", "v"]);
    let clock: u64 = written["ts"].as_str().unwrap().parse().unwrap();
    assert!(clock > 1 << 53);
    let logged = node.json(["log"]);
    assert_eq!(logged["ops"][0]["ts"], written["ts"]);
    assert_eq!(logged["ops"][0]["seq"], 1);
    assert_eq!(node.json(["scan"])["entries"][0]["ts"], written["ts"]);
}

/// C19: the answer cannot be written, but the op is.
#[test]
#[cfg(target_os = "linux")]
fn c19_an_op_is_written_though_the_answer_is_not() {
    let node = Node::with_space();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = node.command(["put", "k", "v"]);
    let output = command.stdout(Stdio::from(full)).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("op 1 of writer 0 is written"), "{said}");
    assert_eq!(node.run(["get", "k"]).ok(), "v");
}

fn git(repository: &Repository, arguments: &[&str]) {
    let output = Command::new("git")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .args(["-c", "user.name=A", "-c", "user.email=a@example.org"])
        .arg("-C")
        .arg(repository.path())
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
}

/// Asserts that the state has the files of the working tree under `folder`, and nothing else.
fn assert_state_is_head(node: &Node, repository: &Repository) {
    let listed = Command::new("git")
        .arg("-C")
        .arg(repository.path())
        .args(["ls-tree", "-r", "--name-only", "HEAD"])
        .output()
        .unwrap();
    let paths = String::from_utf8(listed.stdout).unwrap();
    let mut expected = 0;
    for path in paths.lines() {
        expected += 1;
        let contents = std::fs::read_to_string(repository.path().join(path)).unwrap();
        assert_eq!(node.run(["get", path]).ok(), contents, "{path}");
    }
    let held = node.json(["scan"])["entries"].as_array().unwrap().len();
    assert_eq!(held, expected);
}

/// C23: between two imports the history is merged into an older branch.
#[test]
fn c23_a_history_that_is_merged_in_another_order() {
    let mut repository = Repository::new();
    repository.write("base", "0");
    repository.commit("a@example.org");
    git(&repository, &["branch", "old"]);
    for index in 0..3 {
        repository.write(&format!("main{index}"), format!("{index}"));
        repository.commit("a@example.org");
    }
    let node = Node::with_space();
    let path = repository.path().to_str().unwrap().to_owned();
    node.run(["import-git", &path]).ok();
    // Commits of the same author on the older branch, into which main is then merged.
    git(&repository, &["checkout", "-q", "old"]);
    for index in 0..2 {
        repository.write(&format!("old{index}"), format!("{index}"));
        repository.commit("a@example.org");
    }
    std::fs::remove_file(repository.path().join("base")).unwrap();
    repository.commit("a@example.org");
    git(&repository, &["merge", "-q", "--no-edit", "main"]);
    node.run(["import-git", &path]).ok();
    assert_state_is_head(&node, &repository);
    // And once more, with nothing new.
    assert_eq!(node.json(["import-git", &path])["new_ops"], 0);
}

/// C24: odd dates of commits.
#[test]
fn c24_odd_dates_are_counted() {
    let repository = Repository::new();
    for (index, date) in
        ["@0 +0000", "@1 +0000", "@99999999999 +0000", "@1700000000 +0000"].iter().enumerate()
    {
        repository.write(&format!("file{index}"), format!("{index}"));
        git(&repository, &["add", "-A"]);
        let output = Command::new("git")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_DATE", date)
            .env("GIT_COMMITTER_DATE", date)
            .args(["-c", "user.name=A", "-c", "user.email=a@example.org", "-C"])
            .arg(repository.path())
            .args(["commit", "-q", "-m", "odd"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    // A date before 1970, which git itself no longer writes.
    let head = Command::new("git")
        .arg("-C")
        .arg(repository.path())
        .args(["cat-file", "commit", "HEAD"])
        .output()
        .unwrap();
    let text = String::from_utf8(head.stdout).unwrap().replace("1700000000 +0000", "-99 +0000");
    let mut hash = Command::new("git")
        .arg("-C")
        .arg(repository.path())
        .args(["hash-object", "-t", "commit", "-w", "--stdin", "--literally"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    hash.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let id = String::from_utf8(hash.wait_with_output().unwrap().stdout).unwrap();
    git(&repository, &["update-ref", "HEAD", id.trim()]);
    let node = Node::with_space();
    let report = node.json(["import-git", repository.path().to_str().unwrap()]);
    assert_eq!(report["odd_dates"], 3, "{report}");
    assert_state_is_head(&node, &repository);
    node.run(["put", "later", "op"]).ok();
}

/// C25: a shallow clone.
#[test]
fn c25_a_shallow_clone_is_named() {
    let repository = cli_support::some_history(6, 4);
    let folder = tempfile::tempdir().unwrap();
    let clone = folder.path().join("clone");
    let from = format!("file://{}", repository.path().display());
    let cloned =
        Command::new("git").args(["clone", "-q", "--depth", "2", &from]).arg(&clone).status();
    assert!(cloned.unwrap().success());
    let linked = folder.path().join("linked");
    let added = Command::new("git")
        .arg("-C")
        .arg(&clone)
        .args(["worktree", "add", "-q"])
        .arg(&linked)
        .status();
    assert!(added.unwrap().success());
    for path in [&clone, &linked] {
        let node = Node::with_space();
        let path = path.to_str().unwrap();
        assert!(node.run(["import-git", path]).ok().contains("shallow clone"));
        assert_eq!(node.json(["import-git", path])["shallow"], true);
    }
    let node = Node::with_space();
    assert_eq!(node.json(["import-git", repository.path().to_str().unwrap()])["shallow"], false);
}

/// C26: a merge of so many branches that its header is longer than 64 KiB.
#[test]
fn c26_a_very_wide_merge() {
    let mut repository = Repository::new();
    repository.write("base", "0");
    repository.commit("a@example.org");
    let root = repository.path().to_owned();
    let plumb = |arguments: &[&str]| {
        let output = Command::new("git")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .args(["-c", "user.name=A", "-c", "user.email=a@example.org", "-C"])
            .arg(&root)
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let (tree, base) = (plumb(&["rev-parse", "HEAD^{tree}"]), plumb(&["rev-parse", "HEAD"]));
    let mut commit = format!("tree {tree}\nparent {base}\n");
    // Parents need not exist as branches; the same commits are written as loose objects.
    let made: Vec<String> = (0..40)
        .map(|i| plumb(&["commit-tree", &tree, "-p", &base, "-m", &format!("{i}")]))
        .collect();
    for index in 0..1_700 {
        commit += &format!("parent {}\n", made[index % made.len()]);
    }
    commit += "author A <mailto:a@example.org> 1700009999 +0000\ncommitter A <a@example.org> 1700009999 +0000\n\nwide\n";
    let mut hash = Command::new("git")
        .arg("-C")
        .arg(&root)
        .args(["hash-object", "-t", "commit", "-w", "--stdin", "--literally"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    hash.stdin.take().unwrap().write_all(commit.as_bytes()).unwrap();
    let id = String::from_utf8(hash.wait_with_output().unwrap().stdout).unwrap();
    plumb(&["update-ref", "HEAD", id.trim()]);
    let node = Node::with_space();
    node.run(["import-git", root.to_str().unwrap()]).ok();
    assert_state_is_head(&node, &repository);
}

/// C27: paths longer than a key.
#[test]
fn c27_long_paths_are_found() {
    let mut repository = Repository::new();
    let long = format!("folder/{}/file", "long".repeat(30));
    repository.write(&long, "far down");
    repository.write("folder/short", "up here");
    repository.commit("a@example.org");
    let node = Node::with_space();
    let report = node.json(["import-git", repository.path().to_str().unwrap()]);
    assert_eq!(report["cut_keys"][0]["path"], long.as_str());
    assert_eq!(node.run(["get", &long]).ok(), "far down");
    let listed = node.json(["scan", "--prefix", "folder/"]);
    assert_eq!(listed["entries"].as_array().unwrap().len(), 2);
    assert_state_is_head(&node, &repository);
}
