//! Folding of one profile, timed phase by phase: `pipeline small|standard [ops] [epochs]`.

use std::{error::Error, path::Path, sync::Arc, time::Instant};

use rootfold_benches::workload::Workload;
use rootfold_core::step::Profile;
use rootfold_prover::{
    compress,
    engine::{load_or_generate, Engine},
};
use tracing_subscriber::{fmt::format::FmtSpan, EnvFilter};

fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .with_span_events(FmtSpan::CLOSE)
        .init();
    let name = std::env::args().nth(1).unwrap_or_else(|| "small".into());
    let number = |n: usize, default: usize| {
        std::env::args().nth(n).map_or(Ok(default), |text| text.parse::<usize>())
    };
    let (ops, epochs) = (number(2, 16)?, number(3, 2)?);
    let profile = Profile::named(&name).ok_or("no such profile")?;
    let cache = std::env::var("ROOTFOLD_PARAMS_DIR").unwrap_or_else(|_| "target/params".into());
    let clock = Instant::now();
    let parameters = Arc::new(load_or_generate(Path::new(&cache), &profile, &mut |_| {})?);
    println!(
        "parameters {:.1?}: {} constraints, {} witnesses",
        clock.elapsed(),
        parameters.constraints(),
        parameters.witnesses()
    );
    let mut load = Workload::new(1);
    let initial = parameters.verifying_key().initial_state(load.space_id);
    let mut running = Engine::new(parameters.clone(), profile, initial);
    for _ in 0..epochs {
        let clock = Instant::now();
        let (_, plan) = load.epoch(ops, &profile)?;
        println!("plan {:.1?}: {} steps, {:?}", clock.elapsed(), plan.steps.len(), plan.usage);
        for step in plan.steps {
            let clock = Instant::now();
            running.prove_step(step)?;
            println!("fold {:.3?}", clock.elapsed());
        }
    }
    let clock = Instant::now();
    let proof = compress(&parameters, running.checkpoint())?;
    println!("compress {:.2?}: {} bytes", clock.elapsed(), proof.encode().len());
    for _ in 0..3 {
        let clock = Instant::now();
        let verified =
            rootfold_verifier::verify(parameters.verifying_key(), load.space_id, &proof)?;
        println!("verify {:.1?}: {} ops", clock.elapsed(), verified.ops);
        assert_eq!(verified.root, load.state.root);
    }
    Ok(())
}
