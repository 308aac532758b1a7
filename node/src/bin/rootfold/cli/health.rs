//! `health`

use clap::Args;
use rootfold_node::{
    address::Address,
    client::{Credentials, Peer},
    server::SERVICES,
};
use serde_json::{json, Value};

use super::{
    context::block_on,
    failure::{Failure, OrFail},
    Context,
};

/// `health`
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// The node, as host or host:port.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1", value_parser = Address::of_node)]
    from: Address,
    /// Only this service [default: the server and each of its services].
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
}

/// Asks a node whether it serves; fails unless all of the services do.
pub fn run(context: &Context, args: &HealthArgs) -> Result<(), Failure> {
    let services: Vec<&str> = match &args.service {
        Some(service) => vec![service],
        None => SERVICES.to_vec(),
    };
    let states = block_on(ask(&args.from, &context.credentials()?, &services))?;
    let word = |serves: &bool| if *serves { "SERVING" } else { "NOT_SERVING" };
    let json: Vec<Value> = states
        .iter()
        .map(|(service, serves)| json!({ "service": service, "status": word(serves) }))
        .collect();
    context.output.answer(&json!({ "services": json }), || {
        let line = |(service, serves): &(&str, bool)| {
            let name = if service.is_empty() { "server" } else { *service };
            format!("{name}  {}\n", word(serves))
        };
        states.iter().map(line).collect()
    })?;
    match states.iter().all(|(_, serves)| *serves) {
        true => Ok(()),
        false => Err(Failure::unreachable(format!("the node at {} does not serve", args.from))),
    }
}

async fn ask<'a>(
    node: &Address,
    credentials: &Credentials,
    services: &[&'a str],
) -> Result<Vec<(&'a str, bool)>, Failure> {
    let asking = || format!("asking {node}");
    let peer = Peer::connect_as(&node.to_string(), credentials).await.or_unreachable(asking())?;
    let mut states = Vec::new();
    for service in services {
        states.push((*service, peer.serves(service).await.or_unreachable(asking())?));
    }
    Ok(states)
}
