//! Measures the phases of a step, which are tracing spans of the prover.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tracing::{span, Subscriber};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::Context,
    registry::LookupSpan,
    Layer,
};

/// The target of the prover's spans.
pub const TARGET: &str = "rootfold_prover::step";

type Totals = BTreeMap<&'static str, Duration>;

/// The total time of each phase since the last [`Phases::take`].
#[derive(Debug, Clone, Default)]
pub struct Phases(Arc<Mutex<Totals>>);

impl Phases {
    /// Returns the total time of the spans of each name, and resets all totals to zero. Nested and
    /// concurrent spans count in full, each under its own name.
    pub fn take(&self) -> BTreeMap<&'static str, Duration> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The layer that collects the times. It is disabled for the spans of other targets:
    /// ark-relations opens one for every namespace, which would slow down the measured code.
    pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> {
        let only_ours = Targets::new().with_target(TARGET, LevelFilter::TRACE);
        Collect(self.0.clone()).with_filter(only_ours)
    }
}

struct Collect(Arc<Mutex<Totals>>);

/// The time at which a span was entered.
struct Entered(Instant);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Collect {
    fn on_enter(&self, id: &span::Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            span.extensions_mut().replace(Entered(Instant::now()));
        }
    }

    fn on_exit(&self, id: &span::Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let Some(Entered(since)) = span.extensions_mut().remove::<Entered>() else { return };
        let mut totals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *totals.entry(span.name()).or_default() += since.elapsed();
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn spans_of_one_name_are_added_and_other_targets_are_ignored() {
        let phases = Phases::default();
        let subscriber = tracing_subscriber::registry().with(phases.layer());
        let pause = Duration::from_millis(3);
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..2 {
                tracing::debug_span!(target: TARGET, "witness")
                    .in_scope(|| std::thread::sleep(pause));
            }
            tracing::debug_span!("elsewhere").in_scope(|| std::thread::sleep(pause));
        });
        let taken = phases.take();
        assert_eq!(taken.keys().copied().collect::<Vec<_>>(), ["witness"]);
        assert!(taken["witness"] >= 2 * pause);
        assert!(phases.take().is_empty());
    }
}
