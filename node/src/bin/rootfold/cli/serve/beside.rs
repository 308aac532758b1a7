//! What a node does beside serving: it proves or keeps a running proof, and checks its store.

use std::{sync::Arc, time::Duration};

use rootfold_node::{
    files::{publish_beside, FilesUrl, Publisher},
    follow::{self, KeptConnections},
    peers::Peers,
    prove::{keep_proof, prove_beside, Keeping, Prover, Publishing},
    server::ProvingFiles,
    space::{scrub::scrub_beside, Space},
};

use super::{
    super::{
        context,
        failure::{Failure, OrFail},
        Context,
    },
    args::ServeArgs,
};

/// The files that other provers need.
pub(super) fn files(context: &Context) -> Result<ProvingFiles, Failure> {
    let parameters = context.parameters()?.path().to_owned();
    Ok(ProvingFiles { parameters, data_dir: context.data_dir() })
}

/// What keeps a copy of the running proof of peers, and never ends.
pub(super) fn keeping(
    context: &Context,
    space: &Space,
    peers: &Peers,
    dial: Arc<KeptConnections>,
    args: &ServeArgs,
) -> Result<impl std::future::Future<Output = ()>, Failure> {
    let keeping = match args.keep_proof {
        Some(seconds) => Some(Keeping {
            space: space.clone(),
            data_dir: context.data_dir(),
            parameters: context.parameters()?.path().to_owned(),
            peers: peers.clone(),
            context: follow::context(space, context::invite(space)?, dial),
            every: Duration::from_secs(seconds.max(1)),
        }),
        None => None,
    };
    Ok(async move {
        match keeping {
            Some(keeping) => keep_proof(keeping).await,
            None => std::future::pending().await,
        }
    })
}

/// What keeps the published files of the space current, and never ends.
pub(super) fn publishing(
    space: &Space,
    args: &ServeArgs,
) -> Result<impl std::future::Future<Output = ()>, Failure> {
    let url = args.publish_to.as_ref().map(|to| to.parse::<FilesUrl>()).transpose();
    let publisher = match url.or_usage("--publish-to")? {
        Some(url) => Some(Publisher::new(space.clone(), &url).or_unreachable(url.to_string())?),
        None => None,
    };
    Ok(async move {
        match publisher {
            Some(publisher) => publish_beside(publisher).await,
            None => std::future::pending().await,
        }
    })
}

/// Proves pending ops on threads of their own, and publishes.
pub(super) fn start_prover(
    space: &Space,
    context: &Context,
    args: &ServeArgs,
) -> Result<(), Failure> {
    let parameters = context.space_parameters(space, &context.bars())?;
    let data_dir = context.data_dir();
    let prover = Prover::open(space.clone(), &data_dir, parameters)?;
    let after = Duration::from_secs(args.publish_after);
    let publishing = Publishing { every: args.publish_every, after };
    std::thread::Builder::new()
        .name("prover".to_owned())
        .spawn(move || prove_beside(prover, &data_dir, publishing))
        .or_unreachable("starting the prover")?;
    Ok(())
}

/// Checks the store on a thread of its own.
pub(super) fn start_scrubbing(space: &Space, bytes_per_second: usize) -> Result<(), Failure> {
    let space = space.clone();
    std::thread::Builder::new()
        .name("scrub".to_owned())
        .spawn(move || scrub_beside(&space, bytes_per_second))
        .or_unreachable("starting the scrub")?;
    Ok(())
}
