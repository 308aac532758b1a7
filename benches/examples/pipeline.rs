//! The whole proving pipeline of one profile, timed: `pipeline small|standard`.

use std::{error::Error, sync::Arc, time::Instant};

use rand::rngs::OsRng;
use rootfold_benches::workload::Workload;
use rootfold_core::step::Profile;
use rootfold_prover::{
    compress,
    engine::{generate, Engine},
};

fn main() -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "small".into());
    let profile = Profile::named(&name).ok_or("no such profile")?;
    let clock = Instant::now();
    let parameters = generate(&profile, OsRng, &mut |_| ())?;
    println!(
        "setup {:.1?}: {} constraints, {} witnesses",
        clock.elapsed(),
        parameters.constraints(),
        parameters.witnesses()
    );
    let parameters = Arc::new(parameters);
    let mut load = Workload::new(1);
    let initial = parameters.verifying_key().initial_state(load.space_id);
    let mut running = Engine::new(parameters.clone(), profile, initial);
    for _ in 0..2 {
        let clock = Instant::now();
        let (_, plan) = load.epoch(16, &profile)?;
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
