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
