//! SIGHUP: the config of a running node.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod cli_support;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use cli_support::{Node, Served};
use rootfold_proto::v1::{self, replication_service_client::ReplicationServiceClient};
use tonic::Code;

/// Waits until `reached`.
fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let began = Instant::now();
    while !reached() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// The addresses of the peers.
fn peers(node: &Node) -> Vec<String> {
    let peers = node.json(["peers"])["peers"].clone();
    let address = |peer: &serde_json::Value| peer["address"].as_str().unwrap().to_owned();
    peers.as_array().unwrap().iter().map(address).collect()
}

/// The code with which a node refuses an empty `Submit`.
fn refusal(served: &Served) -> Code {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let address = format!("http://{}", served.address);
        let mut client = ReplicationServiceClient::connect(address).await.unwrap();
        client.submit(v1::SubmitRequest::default()).await.unwrap_err().code()
    })
}

#[test]
fn the_log_is_json_and_a_hangup_changes_its_level() {
    let node = Node::with_space();
    let (config, log) = (node.data.with_file_name("node.toml"), node.data.with_file_name("log"));
    fs::write(&config, "log-format = \"json\"\n").unwrap();
    let before = format!("exec 2> '{}'", log.display());
    let served = node.serve_with(&before, &["--config", config.to_str().unwrap()]);
    let events = || -> Vec<String> {
        let text = fs::read_to_string(&log).unwrap();
        // The last line may not be whole yet.
        let lines = text.lines().filter_map(|line| serde_json::from_str(line).ok());
        let name = |line: serde_json::Value| line["event"].as_str().unwrap().to_owned();
        lines.map(name).collect()
    };
    let hangup = || {
        let sent = Command::new("kill").args(["-HUP", &served.id().to_string()]).status();
        assert!(sent.unwrap().success());
    };
    // By default it has warnings and errors alone.
    fs::write(&config, "log-format = \"json\"\nprove = true\n").unwrap();
    hangup();
    until("a warning", || events() == ["config-restart-needed"]);
    fs::write(&config, "log-format = \"json\"\nlog-level = \"info\"\n").unwrap();
    hangup();
    until("the level changes", || events() == ["config-restart-needed", "config-reloaded"]);
    assert_eq!(served.stop(), 0);
    node.run(["--log-level", "loud=loud", "status"]).fails(2, "--log-level");
}

#[test]
fn a_hangup_reads_the_config_again() {
    let node = Node::with_space();
    node.run(["peers", "--add", "kept:1"]).ok();
    let (config, log) = (node.data.with_file_name("node.toml"), node.data.with_file_name("log"));
    let token = node.data.with_file_name("token");
    fs::write(&token, "0123456789abcdef").unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&config, "peer = [\"a:1\", \"b:1\"]\n").unwrap();
    let before = format!("export RUST_LOG=info; exec 2> '{}'", log.display());
    let served = node.serve_with(&before, &["--config", config.to_str().unwrap()]);
    assert_eq!(peers(&node), ["a:1", "b:1", "kept:1"]);
    assert_eq!(refusal(&served), Code::InvalidArgument);
    let reload = |text: &str, said: &str| {
        fs::write(&config, text).unwrap();
        let sent = Command::new("kill").args(["-HUP", &served.id().to_string()]).status();
        assert!(sent.unwrap().success());
        until(said, || fs::read_to_string(&log).unwrap().contains(said));
    };

    let whole = format!(
        "peer = [\"b:1\", \"c:1\"]\nsubmit-token-file = {:?}\n",
        token.display().to_string()
    );
    reload(&whole, "the config was read again");
    assert_eq!(peers(&node), ["b:1", "c:1", "kept:1"]);
    assert_eq!(refusal(&served), Code::Unauthenticated);

    // A config that cannot be used changes nothing, also if only a file that it names is bad.
    for (bad, said) in [
        ("peer = 7\n", "`peer`: expected a list"),
        ("peer = []\nsubmit-token-file = \"/nowhere/at/all\"\n", "token file /nowhere/at/all"),
        ("peer = []\ntls-cert = \"/nowhere/at/all\"\n", "--tls-cert and --tls-key belong together"),
    ] {
        reload(bad, said);
        assert!(fs::read_to_string(&log).unwrap().contains("goes on with the old one"));
        assert_eq!(peers(&node), ["b:1", "c:1", "kept:1"]);
        assert_eq!(refusal(&served), Code::Unauthenticated);
    }

    // What cannot change is named; the rest changes.
    let said = "these options need a restart to change: max-tail, prove";
    reload("peer = [\"c:1\"]\nprove = true\nmax-tail = 5\n", said);
    assert_eq!(peers(&node), ["c:1", "kept:1"]);
    assert_eq!(refusal(&served), Code::InvalidArgument);
    assert_eq!(served.stop(), 0);
    // A restart has the same peers.
    assert_eq!(peers(&node), ["c:1", "kept:1"]);
}
