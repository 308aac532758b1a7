//! The commands of other processes, which run in the node that serves.

use rootfold_node::{peers::Peers, space::Space};

use super::super::Context;
#[cfg(unix)]
use crate::socket::{Control, Runner, Serving};

/// The socket for commands of other processes, and what runs them; `None` if there can be none.
#[cfg(unix)]
pub(super) fn control(context: &Context) -> Option<(Control, Runner)> {
    let runner = context.runner()?;
    let control = Control::bind(context.data_dir().path()).inspect_err(|e| {
        tracing::warn!(event = "control-socket-failed", error = %e, "no control socket: other commands cannot use this directory");
    });
    Some((control.ok()?, runner))
}

/// Runs the commands of other processes on this data directory.
#[cfg(unix)]
pub(super) async fn commands(
    control: Option<(Control, Runner)>,
    space: &Space,
    peers: &Peers,
    context: &Context,
) {
    match control {
        Some((control, runner)) => {
            let data = context.data_dir().path().to_owned();
            control.run(runner, Serving { space: space.clone(), data, peers: peers.clone() }).await;
        }
        None => std::future::pending().await,
    }
}

#[cfg(not(unix))]
pub(super) fn control(_: &Context) -> Option<()> {
    None
}

#[cfg(not(unix))]
pub(super) async fn commands(_: Option<()>, _: &Space, _: &Peers, _: &Context) {
    std::future::pending().await
}
