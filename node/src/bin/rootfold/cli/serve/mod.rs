//! `serve`

mod args;
mod beside;
mod commands;
mod listen;
mod peering;
mod reload;
mod signals;

use std::sync::Arc;

use rootfold_light::invite::AddressedInvite;
use rootfold_node::{
    follow::{self, KeptConnections},
    private_file,
    server::Server,
    space::Space,
};
use rootfold_verifier::PreparedVerifyingKey;
use serde_json::json;

use super::{
    context::{self, block_on},
    failure::{Failure, OrFail},
    Context,
};
use beside::{files, keeping, publishing, start_prover, start_scrubbing};
use commands::{commands, control};
use listen::{listen, metrics};
use peering::{follow_peers, peers};
use reload::Reloading;
use signals::{interrupted, Hangups, Signals};

pub use args::ServeArgs;

/// Serves the space until Ctrl-C or SIGTERM.
pub fn run(context: &Context, args: &ServeArgs) -> Result<(), Failure> {
    let (parsed, args) = (args, &context.config.merged(args)?);
    let (tls, credentials) = (args.tls()?, context.credentials()?);
    let token = args.submit_token()?;
    let space = context.space()?;
    // It has the keys and the control socket.
    private_file::check_folder(context.data_dir().path())?;
    let addresses: Vec<String> = args.advertise.iter().map(ToString::to_string).collect();
    let invite = context::invite(&space).ok();
    let invite = invite.map(|invite| AddressedInvite { invite, addresses }.to_string());
    space.set_policy(args.policy());
    let server = Server::new(space.clone(), prepared_key(&space)?).with_limits(args.limits());
    let server = server.with_web(args.web()?);
    let server = if args.no_hand_over { server } else { server.with_proving(files(context)?) };
    let scheme = if tls.is_some() { "https://" } else { "" };
    server.live().set_tls(tls);
    server.live().set_submit_token(token);
    let dial = Arc::new(KeptConnections::with(credentials));
    if args.prove && args.keep_proof.is_some() {
        return Err(Failure::usage("prove and keep-proof: a node that proves has a running proof"));
    }
    if args.prove {
        start_prover(&space, context, args)?;
    }
    if args.scrub_rate > 0 {
        start_scrubbing(&space, args.scrub_rate << 10)?;
    }
    let peers = peers(context, args)?;
    let server = if args.no_discovery { server } else { server.with_peers(peers.clone()) };
    let reloading = Reloading {
        context,
        parsed,
        serve: args.clone(),
        live: server.live(),
        dial: dial.clone(),
        space: space.clone(),
        peers: peers.clone(),
    };
    let publishing = publishing(&space, args)?;
    let keeping = keeping(context, &space, &peers, dial.clone(), args)?;
    block_on(async {
        // Before a caller can know that this process runs.
        let signals = Signals::new().or_unreachable("waiting for signals")?;
        let hangups = Hangups::new().or_unreachable("waiting for signals")?;
        let (bound, listener) = listen(&args.listen, "").await?;
        let address = format!("{scheme}{bound}");
        let (measured, metrics) = metrics(args.metrics.as_ref(), context, &space, &peers).await?;
        // Whoever has read the next line may send commands.
        let control = control(context);
        // With port 0 the address is known only now; callers read this line.
        let line = json!({
            "address": address,
            "metrics": measured.map(|address| address.to_string()),
            "invite": invite,
        });
        context.output.answer(&line, || {
            let invite = invite.as_deref().unwrap_or("(none: this replica has no verifying key)");
            let metrics =
                measured.map_or_else(String::new, |at| format!("metrics http://{at}/metrics\n"));
            format!("serving on {address}\n{metrics}invite  {invite}")
        })?;
        let beside = commands(control, &space, &peers, context);
        let followed = context::invite(&space).ok();
        let followed = followed.map(|invite| follow::context(&space, invite, dial));
        let following =
            follow_peers(&space, peers.clone(), followed, context.data_dir(), !args.no_discovery);
        tokio::select! {
            served = server.run(listener, interrupted(signals)) => Ok(served?),
            () = beside => Ok(()),
            () = following => Ok(()),
            () = metrics => Ok(()),
            () = keeping => Ok(()),
            () = publishing => Ok(()),
            () = reloading.run(hangups) => Ok(()),
        }
    })
}

/// The verifying key of the space; `None` after a replay.
fn prepared_key(space: &Space) -> Result<Option<Arc<PreparedVerifyingKey>>, Failure> {
    let key = space.verifying_key()?.map(PreparedVerifyingKey::new).transpose();
    Ok(key.or_unreachable("the stored verifying key")?.map(Arc::new))
}
