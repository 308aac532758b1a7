//! `serve`

use std::sync::Arc;

use rootfold_node::{server::Server, space::Space};
use rootfold_verifier::PreparedVerifyingKey;
use serde_json::json;
use tokio::net::TcpListener;

use super::{
    args::ServeArgs,
    context::{self, block_on},
    failure::{Failure, OrFail},
    Context,
};

/// Serves the space until interrupted.
pub fn run(context: &Context, args: &ServeArgs) -> Result<(), Failure> {
    let space = context.space()?;
    let invite = context::invite(&space).ok().map(|invite| invite.to_string());
    let server = Server::new(space.clone(), prepared_key(&space)?);
    block_on(async {
        let doing = || format!("listening on {}", args.listen);
        let listener = TcpListener::bind(args.listen).await.or_unreachable(doing())?;
        let address = listener.local_addr().or_unreachable(doing())?;
        // The port is known only now; whoever started this reads the line.
        let line = json!({ "address": address.to_string(), "invite": invite });
        context.output.answer(&line, || {
            let invite = invite.as_deref().unwrap_or("(none: this replica has no verifying key)");
            format!("serving on {address}\ninvite  {invite}")
        })?;
        Ok(server.run(listener, interrupted()).await?)
    })
}

/// The key that is handed to replicas; none where the space came here without a proof.
fn prepared_key(space: &Space) -> Result<Option<Arc<PreparedVerifyingKey>>, Failure> {
    let key = space.verifying_key()?.map(PreparedVerifyingKey::new).transpose();
    Ok(key.or_unreachable("the verifying key")?.map(Arc::new))
}

/// Ends at Ctrl-C or SIGTERM.
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
    // Without a handler the signal ends the process, which loses nothing.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
