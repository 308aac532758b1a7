//! How long the phases of a step take, by the spans that the prover opens around them.

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

/// The phases of what has run since the last [`Phases::take`].
#[derive(Debug, Clone, Default)]
pub struct Phases(Arc<Mutex<Totals>>);

impl Phases {
    /// How long was spent in the spans of each name, and begins anew. Spans that lie in one another
    /// or run beside one another count in full, each under its own name.
    pub fn take(&self) -> BTreeMap<&'static str, Duration> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The layer that collects them. It asks for no other spans: those that ark-relations opens
    /// for every namespace would slow down what is measured.
    pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> {
        let only_ours = Targets::new().with_target(TARGET, LevelFilter::TRACE);
        Collect(self.0.clone()).with_filter(only_ours)
    }
}

struct Collect(Arc<Mutex<Totals>>);

/// When a span was entered.
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
    fn spans_of_one_name_add_up_and_other_targets_do_not_count() {
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
