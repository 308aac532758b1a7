//! A space as plain files: published to a folder, read from the folder and over HTTP, and refused where a host
//! alters or withholds something.

#![allow(clippy::unwrap_used)]

mod cli_support;

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use cli_support::Node;
use serde_json::Value;

/// A publisher with a proved state that has marks and a value too long for a page, and an op after it.
struct Published {
    node: Node,
    folder: PathBuf,
    invite: String,
}

impl Published {
    fn new() -> Published {
        let node = Node::with_space();
        for (key, tag) in [("post1", "cats"), ("post2", "dogs"), ("post3", "cats")] {
            node.run(["put", key, key, "--own", "--tag", tag, "--order", key]).ok();
        }
        node.run(["put", "long", &"long ".repeat(4_000)]).ok();
        node.run(["prove"]).ok();
        let folder = node.data.with_file_name("published");
        let invite = node.json(["status"])["invite"].as_str().unwrap().to_owned();
        let published = Published { node, folder, invite };
        published.publish();
        published.node.run(["put", "late", "after the proof"]).ok();
        published.publish();
        published
    }

    fn publish(&self) -> Value {
        let to = self.folder.to_str().unwrap();
        self.node.json(["publish", "--to", to])["files"].clone()
    }

    fn url(&self) -> String {
        format!("file://{}", self.folder.to_str().unwrap())
    }

    fn root(&self) -> Value {
        self.node.json(["status"])["root"].clone()
    }

    /// A copy of the files, which the caller changes.
    fn copy(&self, name: &str) -> PathBuf {
        let copy = self.folder.with_file_name(name);
        cli_support::copy_folder(&self.folder, &copy);
        copy
    }
}

fn files(folder: &Path, kind: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder.join(kind)).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_replica_starts_from_files_of_any_host() {
    let published = Published::new();
    let replica = Node::new();
    let from =
        |url: &str| replica.json(["bootstrap", "--from", url, "--invite", &published.invite]);
    let booted = from(&published.url());
    assert_eq!(booted["root"], published.root());
    assert_eq!(booted["tail_ops"], 1);
    assert_eq!(booted["faults"], serde_json::json!([]));
    assert_eq!(replica.run(["get", "late"]).stdout, b"after the proof");
    assert_eq!(replica.run(["get", "long"]).stdout.len(), 20_000);
    let found = replica.json(["find", "cats"]);
    assert_eq!(found["entries"].as_array().unwrap().len(), 2, "{found}");

    // Any web server does. This one belongs to another space.
    let host = Node::with_space();
    let parent = published.folder.parent().unwrap().to_str().unwrap().to_owned();
    let served = host.serve_with("", &["--web", &parent]);
    published.node.run(["put", "late", "later"]).ok();
    let again = published.publish();
    assert!(again["written"].as_u64().unwrap() <= 3, "a tail, a frontier, the pointer: {again}");
    let booted = from(&format!("http://{}/published", served.address));
    assert_eq!(booted["root"], published.root());
    assert_eq!(replica.run(["get", "late"]).stdout, b"later");
    let fresh = Node::new();
    let addressed = format!("{}@http://{}/published", published.invite, served.address);
    let booted = fresh.json(["bootstrap", "--invite", &addressed]);
    assert_eq!(booted["root"], published.root());
    // What a page that pins the space ships.
    let url = format!("http://{}/published", served.address);
    let pin = published.node.json(["invite", "--at", &url, "--pin"]);
    assert_eq!(pin["invite"], addressed);
    assert_eq!(pin["ops"], booted["snapshot_ops"]);
    assert_eq!(served.stop(), 0);
}

#[test]
fn what_a_host_alters_is_refused_and_what_it_withholds_is_named() {
    let published = Published::new();
    let refused = |folder: &Path, said: &str| {
        let url = format!("file://{}", folder.to_str().unwrap());
        let node = Node::new();
        let ran = node.run(["bootstrap", "--from", &url, "--invite", &published.invite]);
        assert_ne!(ran.code, 0, "{}", folder.display());
        assert!(ran.stderr.contains(&url), "the host is named: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{said:?}: {}", ran.stderr);
    };
    for (index, file) in files(&published.folder, "objects").iter().enumerate() {
        let copy = published.copy(&format!("objects{index}"));
        let name = file.file_name().unwrap();
        flip(&copy.join("objects").join(name));
        // Objects of before are not read.
        let url = format!("file://{}", copy.to_str().unwrap());
        let ran = Node::new().run(["bootstrap", "--from", &url, "--invite", &published.invite]);
        let altered = ran.stderr.contains("was altered") && ran.stderr.contains(&url);
        assert!(altered || ran.code == 0, "{}: {}", file.display(), ran.stderr);
    }
    let copy = published.copy("altered-pages");
    files(&copy, "pages").iter().for_each(|file| flip(file));
    refused(&copy, "bad page");
    // A value that nobody has is a hole; one that was altered is a fault too.
    let copy = published.copy("altered-values");
    files(&copy, "values").iter().for_each(|file| flip(file));
    let (url, node) = (format!("file://{}", copy.to_str().unwrap()), Node::new());
    let booted = node.json(["bootstrap", "--from", &url, "--invite", &published.invite]);
    let faults = booted["faults"].to_string();
    assert!(faults.contains("bad value") && faults.contains(&url), "{booted}");
    assert_ne!(node.run(["get", "long"]).code, 0);
    for (kind, said) in [("pages", "did not send"), ("objects", "is missing")] {
        let copy = published.copy(&format!("without-{kind}"));
        files(&copy, kind).iter().for_each(|file| fs::remove_file(file).unwrap());
        refused(&copy, said);
    }
    let copy = published.copy("without-pointer");
    fs::remove_file(copy.join("published")).unwrap();
    refused(&copy, "published is missing");
    fs::write(copy.join("published"), b"not a pointer").unwrap();
    refused(&copy, "published");
    fs::write(copy.join("published"), vec![0; 1 << 20]).unwrap();
    refused(&copy, "more than");
}

#[test]
fn files_are_written_once_and_removed_when_nobody_needs_them() {
    let published = Published::new();
    let unchanged = published.publish();
    // The frontier and the ops are the same, so only the pointer is new.
    assert_eq!(unchanged["written"], 1, "{unchanged}");
    assert_eq!(unchanged["removed"], 0);

    // A cut upload goes on: a page without which the pointer is not written.
    let lost = &files(&published.folder, "pages")[0];
    fs::remove_file(lost).unwrap();
    assert_eq!(published.publish()["written"], 2);
    assert!(lost.exists());

    // Objects of former states go, not at once but the next time.
    let to = published.folder.to_str().unwrap();
    let before = files(&published.folder, "objects").len();
    let mut removed = 0;
    for value in ["1", "2", "3"] {
        published.node.run(["put", "late", value]).ok();
        let report = published.node.json(["publish", "--to", to, "--keep", "0"]);
        removed += report["files"]["removed"].as_u64().unwrap();
    }
    assert!(removed > 0);
    assert!(files(&published.folder, "objects").len() <= before + 2);
    let replica = Node::new();
    let booted =
        replica.json(["bootstrap", "--from", &published.url(), "--invite", &published.invite]);
    assert_eq!(booted["root"], published.root());

    // The files of another space are not overwritten.
    let other = Node::with_space();
    other.run(["put", "a", "1"]).ok();
    other.run(["prove"]).ok();
    other.run(["publish", "--to", to]).fails(3, "these are the files of");
    other.run(["publish", "--to", "ftp://host/path"]).fails(2, "expected file:///PATH");
}

#[test]
fn a_node_keeps_its_files_current() {
    let published = Published::new();
    let served = published.node.serve_with("", &["--publish-to", &published.url()]);
    published.node.run(["put", "late", "by the node"]).ok();
    let replica = Node::new();
    let began = Instant::now();
    loop {
        replica.run(["bootstrap", "--from", &published.url(), "--invite", &published.invite]).ok();
        if replica.run(["get", "late"]).stdout == b"by the node" {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "not within a minute");
        thread::sleep(Duration::from_millis(500));
    }
    assert_eq!(served.stop(), 0);
}
