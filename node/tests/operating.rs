//! What scripts, shells and operators ask of the program.

#![allow(clippy::unwrap_used)]

mod cli_support;

use cli_support::Node;

#[test]
fn health_for_scripts() {
    let node = Node::with_space();
    let served = node.serve();
    let healthy = node.json(["health", "--from", &served.address]);
    let services = healthy["services"].as_array().unwrap();
    assert_eq!(services.len(), 4);
    assert!(services.iter().all(|service| service["status"] == "SERVING"), "{healthy}");
    let one = node.run(["health", "--from", &served.address, "--service", "rootfold.v1.Query"]);
    assert_eq!(one.ok(), "rootfold.v1.Query  SERVING\n");
    node.run(["health", "--from", &served.address, "--service", "other"]).fails(3, "NotFound");
    let address = served.address.clone();
    assert_eq!(served.stop(), 0);
    node.run(["health", "--from", &address]).fails(3, &address);
}

#[test]
fn completions_and_manual_pages() {
    let node = Node::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = node.run(["completions", shell]).ok();
        assert!(script.contains("rootfold") && script.contains("import-git"), "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    node.run(["man", folder.path().to_str().unwrap()]).ok();
    let page = std::fs::read_to_string(folder.path().join("rootfold-serve.1")).unwrap();
    assert!(page.contains("max\\-connections"), "{page}");
    node.run(["man", "/nowhere/at/all"]).fails(3, "/nowhere/at/all");
}

#[test]
fn options_of_serve_have_variables() {
    let node = Node::with_space();
    let mut serve = node.command(["serve", "--json"]);
    serve.env("ROOTFOLD_LISTEN", "localhost:notaport");
    let ran = serve.output().unwrap();
    assert_eq!(ran.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("notaport"), "{ran:?}");
    // A flag wins, and a list has commas.
    let served = node.serve_with("export ROOTFOLD_LISTEN=nonsense: ROOTFOLD_PEER=a:1,b:2", &[]);
    let peers = node.json(["peers"]);
    assert_eq!(peers["peers"][0]["address"], "a:1");
    assert_eq!(peers["peers"][1]["address"], "b:2");
    assert_eq!(served.stop(), 0);
    let other = Node::new();
    let mut status = other.command(["help"]);
    status.env("ROOTFOLD_PROVE", "maybe");
    assert!(status.output().unwrap().status.success(), "other commands do not read it");
}
