//! `serve`

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use clap::Args;
use rootfold_node::{server::Server, space::Space, DEFAULT_PORT};
use rootfold_verifier::PreparedVerifyingKey;
use serde_json::json;
use tokio::net::TcpListener;

use super::{
    context::{self, block_on},
    failure::{Failure, OrFail},
    Context,
};

/// `serve`
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The address to listen on; port 0 picks a free port, which is printed.
    #[arg(long, value_name = "ADDR", default_value_t = (Ipv4Addr::LOCALHOST, DEFAULT_PORT).into())]
    listen: SocketAddr,
}

/// Serves the space until Ctrl-C or SIGTERM.
pub fn run(context: &Context, args: &ServeArgs) -> Result<(), Failure> {
    let space = context.space()?;
    let invite = context::invite(&space).ok().map(|invite| invite.to_string());
    let server = Server::new(space.clone(), prepared_key(&space)?);
    block_on(async {
        let doing = || format!("listening on {}", args.listen);
        let listener = TcpListener::bind(args.listen).await.or_unreachable(doing())?;
        let address = listener.local_addr().or_unreachable(doing())?;
        // With port 0 the address is known only now; callers read this line.
        let line = json!({ "address": address.to_string(), "invite": invite });
        context.output.answer(&line, || {
            let invite = invite.as_deref().unwrap_or("(none: this replica has no verifying key)");
            format!("serving on {address}\ninvite  {invite}")
        })?;
        Ok(server.run(listener, interrupted()).await?)
    })
}

/// The verifying key of the space; `None` after a replay.
fn prepared_key(space: &Space) -> Result<Option<Arc<PreparedVerifyingKey>>, Failure> {
    let key = space.verifying_key()?.map(PreparedVerifyingKey::new).transpose();
    Ok(key.or_unreachable("the stored verifying key")?.map(Arc::new))
}

/// Waits for Ctrl-C or SIGTERM.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{signal, SignalKind};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a handler the signal kills the process. The store is safe then: every ingest is one
    // atomic batch.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
