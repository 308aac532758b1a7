//! `prove`

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use rootfold_node::{
    address::Address, bootstrap::DialAs, follow, prove::Prover, space::EpochLimits,
};
use serde_json::json;

use super::{context, failure::Failure, text, Context};

/// `prove`
#[derive(Debug, Args)]
pub struct ProveArgs {
    /// The largest number of ops per epoch.
    #[arg(long, value_name = "N", default_value_t = 64)]
    epoch: usize,
    /// The largest number of epochs [default: all].
    #[arg(long, value_name = "N")]
    epochs: Option<u64>,
    /// First goes on with a running proof that another node has exported to this file.
    #[arg(long, value_name = "FILE", conflicts_with = "restart")]
    import: Option<PathBuf>,
    /// First goes on with the running proof of the node at this address: fetches it, checks it, and fetches
    /// what this node lacks to go on.
    #[arg(long, value_name = "ADDR", value_parser = Address::of_node, conflicts_with_all = ["import", "restart"])]
    continue_from: Option<Address>,
    /// First begins again at genesis, if all ops are here: for a node that has lost its running proof.
    #[arg(long)]
    restart: bool,
    /// At the end publishes a snapshot, and writes the running proof to this file for another node.
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
}

/// Folds pending ops into the running proof.
pub fn run(context: &Context, args: &ProveArgs) -> Result<(), Failure> {
    let space = context.space()?;
    let bars = context.bars();
    let parameters = context.space_parameters(&space, &bars)?;
    let data_dir = context.data_dir();
    let mut prover = if let Some(file) = &args.import {
        Prover::import(space, &data_dir, parameters, &context.path(file))?
    } else if let Some(address) = &args.continue_from {
        let dial = Arc::new(DialAs(context.credentials()?));
        let with = follow::context(&space, context::invite(&space)?, dial);
        let address = address.to_string();
        let continued = Prover::continue_from(space, &data_dir, parameters, &address, &with, &bars);
        context::block_on(async { Ok(continued.await?) })?
    } else if args.restart {
        Prover::restart(space, &data_dir, parameters)?
    } else {
        Prover::open(space, &data_dir, parameters)?
    };
    let report = prover.prove(EpochLimits { max_ops: args.epoch }, args.epochs, &bars)?;
    if let Some(file) = &args.export {
        prover.publish(&bars)?;
        prover.export(&context.path(file))?;
    }
    bars.clear();
    let seconds = report.fold.as_secs_f64();
    let json = json!({
        "epochs": report.epochs,
        "steps": report.steps,
        "ops": report.ops,
        "fold_s": seconds,
        "root": text::field_text(&report.root),
    });
    context.output.answer(&json, || {
        format!(
            "{} ops in {} epochs, {} steps, {seconds:.1} s\nproved root  {}",
            report.ops,
            report.epochs,
            report.steps,
            text::field_text(&report.root)
        )
    })
}
