//! Owned keys, tags and batches in the program, with and without a running node.

#![allow(clippy::unwrap_used)]

mod cli_support;

use cli_support::Node;
use serde_json::{json, Value};

/// A node with the keys of the owner (writer 0) and of ben (writer 1).
fn two_writers(options: &[&str]) -> Node {
    let node = Node::new();
    node.run([&["space", "new"], options].concat()).ok();
    node.run(["writer", "new", "ben"]).ok();
    node.run(["grant", "ben"]).ok();
    node
}

/// The texts of the keys that `find` prints.
fn found(node: &Node, arguments: &[&str]) -> Vec<String> {
    let found = node.json([&["find"], arguments].concat());
    let entries = found["entries"].as_array().unwrap().clone();
    entries.iter().map(|entry| entry["key"]["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn records_belong_to_their_author() {
    let node = two_writers(&[]);
    node.run(["put", "--own", "post", "by the owner"]).ok();
    node.run(["put", "--own", "post", "by ben", "--as", "ben"]).ok();
    assert_eq!(node.run(["get", "@0/post"]).ok(), "by the owner");
    assert_eq!(node.run(["get", "@1/post"]).ok(), "by ben");
    node.run(["put", "@1/post", "as if by ben"]).fails(1, "belongs to writer 1");
    node.run(["del", "@1/post"]).fails(1, "only they may write it");
    assert_eq!(node.run(["get", "@1/post"]).ok(), "by ben");
    // A shared key of the same name, and one that looks like an owned one.
    node.run(["put", "post", "shared"]).ok();
    node.run(["put", "@/@1/post", "odd"]).ok();
    let scanned = node.run(["scan"]).ok();
    assert_eq!(scanned, "@/@1/post\todd\npost\tshared\n@0/post\tby the owner\n@1/post\tby ben\n");
    assert_eq!(node.run(["scan", "--prefix", "@1/"]).ok(), "@1/post\tby ben\n");
    node.run(["get", "@post"]).fails(2, "write @ID/KEY");
    let long = "k".repeat(88);
    node.run(["put", "--own", &long, "x"]).fails(2, "longer than 87");
    assert_eq!(
        node.json(["get", "@1/post"])["key"],
        json!({ "text": "post", "hex": "706f7374", "owner": 1 })
    );
}

#[test]
fn shared_keys_can_be_the_owners() {
    let node = two_writers(&["--shared", "owner"]);
    node.run(["put", "news", "from the owner"]).ok();
    node.run(["put", "news", "from ben", "--as", "ben"]).fails(1, "only their own keys");
    node.run(["put", "--own", "news", "mine", "--as", "ben"]).ok();
    node.run(["writer", "new", "moderator"]).ok();
    assert_eq!(node.json(["grant", "moderator", "--shared", "true"])["shared"], true);
    node.run(["put", "news", "moderated", "--as", "moderator"]).ok();
    assert_eq!(node.run(["get", "news"]).ok(), "moderated");
}

#[test]
fn posts_are_found_by_their_tags() {
    let node = two_writers(&[]);
    for (writer, name, tags, order) in [
        ("owner", "a", &["cats", "dogs"][..], "1"),
        ("ben", "b", &["cats"], "2"),
        ("owner", "c", &["cats"], "3"),
        ("ben", "d", &["birds"], "4"),
    ] {
        let tags = tags.iter().flat_map(|tag| ["--tag", tag]);
        let put = ["put", "--own", name, name, "--as", writer, "--order", order];
        node.run(put.into_iter().chain(tags)).ok();
    }
    assert_eq!(found(&node, &["cats"]), ["a", "b", "c"]);
    assert_eq!(found(&node, &["cats", "--limit", "2", "--newest-first"]), ["c", "b"]);
    assert_eq!(found(&node, &["dogs"]), ["a"]);
    assert_eq!(found(&node, &["fish"]), [""; 0]);
    // An edit withdraws the tags that it does not give again; a deletion withdraws all.
    node.run(["put", "--own", "a", "edited", "--tag", "dogs", "--order", "1"]).ok();
    node.run(["del", "--own", "b", "--as", "ben"]).ok();
    assert_eq!(found(&node, &["cats"]), ["c"]);
    assert_eq!(node.run(["find", "dogs"]).ok(), "@0/a\tedited\n");
    // The same beside a node, and from the proof.
    let served = node.serve();
    assert_eq!(found(&node, &["cats"]), ["c"]);
    node.run(["prove"]).ok();
    node.run(["publish"]).ok();
    let entry = node.json(["find", "cats"])["entries"][0].clone();
    assert_eq!(entry["vouched_by"], "proven");
    let invite = node.json(["status"])["invite"].as_str().unwrap().to_owned();
    let replica = Node::new();
    replica.run(["bootstrap", "--from", &served.address, "--invite", &invite]).ok();
    assert_eq!(found(&replica, &["cats"]), ["c"]);
    assert_eq!(found(&replica, &["dogs"]), ["a"]);
    assert_eq!(served.stop(), 0);
}

#[test]
fn a_batch_is_written_as_a_whole() {
    let node = two_writers(&[]);
    let lines = concat!(
        "{\"key\":\"account/a\",\"value\":\"70\"}\n",
        "{\"key\":\"account/b\",\"value_hex\":\"00ff\"}\n\n",
        "{\"key\":\"note\",\"own\":true,\"value\":\"paid\",\"tags\":[\"payment\"],\"order\":\"1\"}\n",
        "{\"key\":\"draft\"}\n",
    );
    let Value::Object(written) = node.run_with(lines.as_bytes(), ["--json", "batch", "-"]).json()
    else {
        panic!("not an object")
    };
    // Four changes, a tag, and the grant before.
    assert_eq!((&written["changes"], &written["seq"]), (&json!(4), &json!(6)));
    assert_eq!(node.run(["get", "account/a"]).ok(), "70");
    assert_eq!(found(&node, &["payment"]), ["note"]);
    let log = node.json(["log", "--writer", "0"]);
    let more: Vec<bool> =
        log["ops"].as_array().unwrap().iter().map(|op| op["more"].as_bool().unwrap()).collect();
    assert_eq!(more, [false, true, true, true, true, false]);

    // One bad line, and nothing is written.
    for (lines, code, words) in [
        (
            "{\"key\":\"x\",\"value\":\"1\"}\n{\"key\":\"@1/y\",\"value\":\"2\"}\n",
            1,
            "belongs to writer 1",
        ),
        ("{\"key\":\"x\",\"value\":\"1\"}\n{\"kee\":\"y\"}\n", 2, "line 2"),
        ("{\"key\":\"x\",\"value\":\"1\",\"value_hex\":\"00\"}\n", 2, "not both"),
        ("\n\n", 2, "1 to 4096"),
    ] {
        node.run_with(lines.as_bytes(), ["batch", "-"]).fails(code, words);
        assert_eq!(node.run(["get", "x"]).code, 5, "{lines}");
    }
    let many: String =
        (0..4096).map(|n| format!("{{\"key\":\"k{n}\",\"value\":\"{n}\"}}\n")).collect();
    let served = node.serve();
    node.run_with(many.as_bytes(), ["batch", "-"]).ok();
    assert_eq!(node.run(["get", "k4095"]).ok(), "4095");
    let more = format!("{many}{{\"key\":\"one more\"}}\n");
    node.run_with(more.as_bytes(), ["batch", "-"]).fails(2, "this one has 4097");
    assert_eq!(served.stop(), 0);
}
