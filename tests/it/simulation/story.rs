//! What is told of a run that failed: its plan as a script, how far it came, and how it is replayed.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use super::plan::Plan;

/// The story of a run, told while it goes on; it outlives a run that panics.
#[derive(Clone, Default)]
pub(super) struct Story(Arc<Mutex<Told>>);

#[derive(Default)]
struct Told {
    seed: u64,
    head: Vec<String>,
    script: Vec<String>,
    /// What came of the steps so far.
    outcomes: Vec<String>,
    /// What is being done behind the last step.
    phase: Option<&'static str>,
}

impl Story {
    /// Begins the story of a plan.
    pub(super) fn begin(&self, plan: &Plan) {
        let mut told = self.told();
        told.seed = plan.seed;
        let days: Vec<String> = plan.days.iter().map(ToString::to_string).collect();
        told.head = vec![format!("{}; {}", days.join(", "), plan.rules)];
        told.head.extend(plan.bills.iter().map(ToString::to_string));
        told.script = plan.steps.iter().map(ToString::to_string).collect();
    }

    /// A step is over.
    pub(super) fn done(&self, outcome: String) {
        self.told().outcomes.push(outcome);
    }

    /// The steps are over, and this begins.
    pub(super) fn phase(&self, phase: &'static str) {
        self.told().phase = Some(phase);
    }

    /// The story with the reason for which it ended.
    pub(super) fn failed(&self, why: &str) -> String {
        let told = self.told();
        let mut text = format!("\nseed {}: {}\n", told.seed, told.head.join("\n  "));
        let came = told.outcomes.len();
        for (number, line) in told.script.iter().enumerate() {
            match told.outcomes.get(number) {
                Some(outcome) => writeln!(text, "  {line}  ->  {outcome}").unwrap(),
                None if number == came => writeln!(text, "> {line}  <- STOPPED HERE").unwrap(),
                None => writeln!(text, "  {line}").unwrap(),
            }
        }
        if let Some(phase) = told.phase {
            writeln!(text, "> {phase}  <- STOPPED HERE").unwrap();
        }
        writeln!(text, "\nseed {}: {why}", told.seed).unwrap();
        write!(text, "replay it: PAYHUB_SIMULATION_SEED={} ./dev simulate", told.seed).unwrap();
        text
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
