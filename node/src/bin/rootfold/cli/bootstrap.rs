//! `bootstrap`

use std::sync::Arc;

use clap::Args;
use rootfold_core::field;
use rootfold_light::invite::{AddressedInvite, Invite};
use rootfold_node::{
    bootstrap::{self, Bootstrap, BootstrapReport, DialAs, SyncContext},
    peers,
    space::{Policy, Space},
};
use serde_json::json;

use super::{
    context::block_on,
    failure::{Failure, OrFail},
    forks,
    progress::Bars,
    source::Source,
    text, Context,
};

/// `bootstrap`
#[derive(Debug, Args)]
pub struct BootstrapArgs {
    /// A peer, as host or host:port, or published files, as https://HOST/PATH, s3://BUCKET/PATH or file:///PATH;
    /// may be given several times [default: those in the invite].
    #[arg(long, value_name = "ADDR", value_parser = Source::of)]
    from: Vec<Source>,
    /// The invite to the space. The data directory remembers addresses in it as peers.
    #[arg(long)]
    invite: String,
}

impl BootstrapArgs {
    /// The invite, the nodes that it names, and all addresses to ask.
    fn peers(&self) -> Result<(Invite, Vec<String>, Vec<String>), Failure> {
        let AddressedInvite { invite, addresses } = text::addressed_invite_of(&self.invite)?;
        let parsed: Result<Vec<Source>, _> =
            addresses.iter().map(|address| Source::of(address)).collect();
        let parsed = parsed.or_usage("--invite")?;
        let nodes = parsed.iter().filter(|source| matches!(source, Source::Node(_)));
        let named: Vec<String> = nodes.map(Source::text).collect();
        let mut all: Vec<String> = Vec::new();
        for address in self.from.iter().chain(&parsed).map(Source::text) {
            if !all.contains(&address) {
                all.push(address);
            }
        }
        if all.is_empty() {
            return Err(Failure::usage(
                "no peer: give --from ADDR, or an invite with addresses (`rootfold invite --at ADDR`)",
            ));
        }
        Ok((invite, named, all))
    }
}

/// Creates a replica from a snapshot, or resumes.
pub fn run(context: &Context, args: &BootstrapArgs) -> Result<(), Failure> {
    let (invite, named, peers) = args.peers()?;
    let bars = context.bars();
    let dial = Arc::new(DialAs(context.credentials()?));
    let report = match context.served_space() {
        Some(space) => sync(&space, &peers, invite, dial, &bars)?,
        None => {
            let job = Bootstrap { peers, invite, data_dir: context.data_dir(), key: None };
            block_on(async { Ok(bootstrap::run_with(job, dial, &bars).await?) })?
        }
    };
    bars.clear();
    context.mark_folder();
    remember(context, &named)?;
    let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    let ms = report.elapsed.as_secs_f64() * 1000.0;
    let verify_ms = report.verify.as_secs_f64() * 1000.0;
    let json = json!({
        "root": field::to_hex(&report.root),
        "source_root": report.source_root.as_ref().map(field::to_hex),
        "snapshot_ops": report.header.ops,
        "steps": report.header.steps,
        "tail_ops": report.tail_ops,
        "pages": report.pages,
        "values": report.values,
        "bytes": report.bytes,
        "proof_bytes": report.proof_bytes,
        "verify_ms": verify_ms,
        "ms": ms,
        "faults": faults,
        "forks": report.forks.keys().collect::<Vec<_>>(),
        "held_back": report.held_back.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "missing_values": report.holes,
        "elsewhere": report.elsewhere.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    context.output.answer_done("the replica is synced", &json, || {
        let mut text = format!(
            "proof of {} ops verified in {verify_ms:.1} ms\n{} pages, {} values and {} later ops: \
             {} in {ms:.1} ms\nroot  {}\n",
            report.header.ops,
            report.pages,
            report.values,
            report.tail_ops,
            text::bytes_text(report.bytes),
            field::to_hex(&report.root)
        );
        text.extend(faults.iter().map(|fault| format!("fault: {fault}\n")));
        text.extend(report.held_back.iter().map(|held| format!("held back: {held}\n")));
        if report.holes > 0 {
            text += &format!("missing: {} values that no peer sent; run it again\n", report.holes);
        }
        text.extend(report.forks.values().map(|fork| forks::fork_text(fork, false)));
        text
    })?;
    verdict(&report)
}

/// Remembers the addresses of an invite as peers.
fn remember(context: &Context, named: &[String]) -> Result<(), Failure> {
    peers::remember_more(&context.data_dir(), named).or_unreachable("the file of peers")?;
    if let Some(peers) = context.served_peers() {
        named.iter().for_each(|address| peers.add(address.clone()));
    }
    Ok(())
}

/// Fetches what is newer into the space of a node that serves.
fn sync(
    space: &Space,
    peers: &[String],
    invite: Invite,
    dial: Arc<DialAs>,
    bars: &Bars,
) -> Result<BootstrapReport, Failure> {
    let policy = Policy::clone(&space.policy());
    let context = SyncContext { invite, dial, policy };
    block_on(async { Ok(bootstrap::sync(space, peers, &context, bars).await?) })
}

/// Fails if the replica is not where its peers are.
fn verdict(report: &BootstrapReport) -> Result<(), Failure> {
    if let Some((writer, fork)) = report.forks.first_key_value() {
        return Err(Failure::refused(format!(
            "{} forked logs, the first of writer {writer} after op {}; all other logs are synced. \
             `rootfold forks` shows the evidence",
            report.forks.len(),
            fork.shared()
        )));
    }
    match report.elsewhere.first() {
        None => Ok(()),
        Some(elsewhere) => Err(Failure::differs(format!(
            "this replica has root {}, but {elsewhere}: one of them does not follow the rules, or the two \
             run different versions",
            field::to_hex(&report.root)
        ))),
    }
}
