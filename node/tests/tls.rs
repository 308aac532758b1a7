//! TLS and mutual TLS between nodes, with certificates made here.

#![allow(clippy::unwrap_used)]

mod cli_support;

use std::{
    fs,
    io::Read,
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use cli_support::{Node, Served};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// An authority, and a folder for what it signs.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Authority { issuer, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn ca(&self) -> String {
        text(&self.path("ca.pem"))
    }

    /// Signs a certificate for `host`; with its key it is in two files.
    fn sign(&self, name: &str, host: &str, until: (i32, u8)) -> (String, String) {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(until.0, until.1, 1);
        let key = KeyPair::generate().unwrap();
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        let (cert, secret) = (self.path(&format!("{name}.pem")), self.path(&format!("{name}.key")));
        fs::write(&cert, signed.pem()).unwrap();
        fs::write(&secret, key.serialize_pem()).unwrap();
        fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
        (text(&cert), text(&secret))
    }

    fn good(&self, name: &str) -> (String, String) {
        self.sign(name, "127.0.0.1", (2120, 1))
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn serve(node: &Node, options: &[&str]) -> Served {
    node.serve_with("", options)
}

/// Bootstraps a new node from an address, and returns what went wrong.
fn refused(address: &str, invite: &str, options: &[&str]) -> String {
    let node = Node::new();
    let mut arguments = options.to_vec();
    arguments.extend(["bootstrap", "--from", address, "--invite", invite]);
    let ran = node.run(arguments);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains(address), "the peer is named: {}", ran.stderr);
    ran.stderr
}

fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let began = Instant::now();
    while !reached() {
        assert!(began.elapsed() < Duration::from_secs(20), "not within 20 s: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn two_nodes_follow_each_other_over_mutual_tls() {
    let authority = Authority::new();
    let ca = authority.ca();
    let ((cert, key), (client, secret)) = (authority.good("server"), authority.good("client"));
    let identity = ["--tls-ca", &ca, "--tls-client-cert", &client, "--tls-client-key", &secret];
    let tls = ["--tls-cert", &cert, "--tls-key", &key, "--tls-client-ca", &ca];
    let a = Node::with_space();
    let served = serve(&a, &tls);
    assert!(served.address.starts_with("https://127.0.0.1:"), "{}", served.address);
    let invite = a.json(["status"])["invite"].as_str().unwrap().to_owned();
    let b = Node::new();
    let mut bootstrap = identity.to_vec();
    bootstrap.extend(["bootstrap", "--from", &served.address, "--invite", &invite]);
    b.run(&bootstrap).ok();
    let health = [&identity[..], &["health", "--from", &served.address]].concat();
    assert!(b.run(health).ok().contains("server  SERVING"));

    let options = [&["--peer", &served.address], &tls[..], &identity[..]].concat();
    let other = serve(&b, &options);
    a.run(["put", "colour", "blue"]).ok();
    until("the op of a arrives at b", || b.run(["get", "colour"]).stdout == b"blue");
    let ben = b.json(["writer", "new", "ben"])["public_key"].as_str().unwrap().to_owned();
    a.run(["grant", &ben]).ok();
    until("the grant arrives at b", || b.run(["put", "k", "1", "--as", "ben"]).code == 0);
    until("the op of b arrives at a", || a.run(["get", "k"]).stdout == b"1");
    let peers = b.json(["peers"]);
    assert_eq!(peers["peers"][0]["address"], *served.address);
    assert_eq!(peers["peers"][0]["reachable"], true);
    // A command beside the node uses the files of its own command line.
    b.run(&bootstrap).ok();

    // Whoever has no certificate, or one of another authority, is told so.
    let said = refused(&served.address, &invite, &["--tls-ca", &ca]);
    assert!(said.contains("it wants a certificate of this node"), "{said}");
    let stranger = Authority::new();
    let (cert, key) = stranger.good("stranger");
    let options = ["--tls-ca", &ca, "--tls-client-cert", &cert, "--tls-client-key", &key];
    let said = refused(&served.address, &invite, &options);
    assert!(said.contains("it does not accept the certificate of this node"), "{said}");
    assert_eq!((other.stop(), served.stop()), (0, 0));
}

#[test]
fn each_mistake_is_named_with_the_peer() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (ca, other_ca) = (authority.ca(), other.ca());
    let a = Node::with_space();
    let invite = a.json(["status"])["invite"].as_str().unwrap().to_owned();
    let with = |(cert, key): &(String, String)| serve(&a, &["--tls-cert", cert, "--tls-key", key]);

    let served = with(&authority.good("good"));
    let plain = served.address.strip_prefix("https://").unwrap();
    let said = refused(plain, &invite, &[]);
    assert!(said.contains("a server that wants TLS, with `https://`"), "{said}");
    let said = refused(&served.address, &invite, &["--tls-ca", &other_ca]);
    assert!(said.contains("not signed by an authority that this node knows"), "{said}");
    assert_eq!(served.stop(), 0);

    let served = with(&authority.sign("old", "127.0.0.1", (2021, 1)));
    let said = refused(&served.address, &invite, &["--tls-ca", &ca]);
    assert!(said.contains("its certificate has expired"), "{said}");
    assert_eq!(served.stop(), 0);

    let served = with(&authority.sign("elsewhere", "node.example", (2120, 1)));
    let said = refused(&served.address, &invite, &["--tls-ca", &ca]);
    assert!(said.contains("its certificate is for another name"), "{said}");
    assert_eq!(served.stop(), 0);

    let served = a.serve();
    let said = refused(&format!("https://{}", served.address), &invite, &["--tls-ca", &ca]);
    assert!(said.contains("it does not speak TLS: leave `https://` out"), "{said}");
    assert_eq!(served.stop(), 0);
}

#[test]
fn bad_files_of_tls_are_named() {
    let authority = Authority::new();
    let (cert, key) = authority.good("node");
    let (_, other) = authority.good("other");
    let node = Node::with_space();
    let serve = |options: &[&str]| {
        let mut arguments = vec!["serve", "--listen", "127.0.0.1:0"];
        arguments.extend(options);
        node.run(arguments)
    };
    serve(&["--tls-cert", &cert]).fails(2, "--tls-cert and --tls-key belong together");
    serve(&["--tls-client-ca", &cert]).fails(2, "TLS needs a certificate");
    serve(&["--metrics", "https://127.0.0.1:0"]).fails(2, "metrics have no TLS");
    node.run(["serve", "--listen", "https://127.0.0.1:0"]).fails(2, "TLS needs a certificate");
    serve(&["--tls-cert", "/nowhere/at/all", "--tls-key", &key]).fails(3, "/nowhere/at/all");
    serve(&["--tls-cert", &cert, "--tls-key", &other]).fails(3, &other);
    serve(&["--tls-cert", &key, "--tls-key", &key]).fails(3, "no certificate in it");
    fs::set_permissions(&other, PermissionsExt::from_mode(0o644)).unwrap();
    let said = format!("{other}: other users can read this secret");
    serve(&["--tls-cert", &cert, "--tls-key", &other]).fails(3, &said);
    let health = ["--tls-client-cert", &cert, "--tls-client-key", &other, "health"];
    node.run(health).fails(3, &said);
    node.run(["--tls-client-cert", &cert, "health"]).fails(2, "belong together");
}

#[test]
fn a_silent_handshake_is_closed_and_leaves_room() {
    let authority = Authority::new();
    let (cert, key) = authority.good("node");
    let node = Node::with_space();
    let options = ["--tls-cert", &cert, "--tls-key", &key, "--max-connections", "2"];
    let served = serve(&node, &options);
    let address = served.address.strip_prefix("https://").unwrap();
    let mut silent: Vec<TcpStream> = (0..2).map(|_| TcpStream::connect(address).unwrap()).collect();
    // A handshake that does not go on makes room for a client.
    thread::sleep(Duration::from_millis(300));
    let ca = authority.ca();
    node.run(["--tls-ca", &ca, "health", "--from", &served.address]).ok();
    // And ends by itself. One of the two is closed already.
    let began = Instant::now();
    for stream in &mut silent {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let read = stream.read(&mut [0; 16]);
        assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    }
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!(served.stop(), 0);
}
