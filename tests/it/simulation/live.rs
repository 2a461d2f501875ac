//! Plays a plan: each step at its time, with what goes wrong around it, until everybody has come to
//! rest and every day is reconciled.

use std::collections::BTreeMap;
use std::sync::Mutex;

use domain::Clock as _;
use domain::time::from_beijing;
use jiff::SignedDuration;
use payhub::demo::{ALIPAY, WECHAT};
use payhub::refunds::{Decision, decide};
use sandbox::{Action, Place};
use serde_json::json;

use super::backend::{Answer, Ask, Known, Memory};
use super::plan::{Deed, Plan, Step, Which};
use super::scene::{Scene, told};
use super::spoil::{Planted, ends};
use super::story::Story;

/// How often the backend sends a request again before it gives up.
const PATIENCE: usize = 12;
/// How many more days everything may take to come to rest.
const REST_DAYS: usize = 6;

/// A run, as far as it is.
pub(super) struct Run<'a> {
    pub(super) plan: &'a Plan,
    pub(super) scene: Scene,
    /// What the backend knows, by case.
    pub(super) memory: BTreeMap<usize, Memory>,
    /// The refunds that finance gave in the portal: order number and amount.
    pub(super) by_hand: Vec<(String, i64)>,
    /// The rows that are wrong in the bills on purpose.
    pub(super) planted: Vec<Planted>,
    /// The fees' phones: every fee has its own.
    pub(super) phones: u32,
}

impl<'a> Run<'a> {
    /// Opens the office and lives the plan to its end.
    pub(super) async fn live(plan: &'a Plan, story: &Story) -> Result<Self, String> {
        let scene = Scene::open(plan).await?;
        let (memory, by_hand, planted) = (BTreeMap::new(), Vec::new(), Vec::new());
        let mut run = Self { plan, scene, memory, by_hand, planted, phones: 0 };
        let mut day = 0;
        for step in &plan.steps {
            // The bills of a day are spoiled once its last payment is made.
            while day < plan.days.len() && step.at >= ends(plan, day) {
                run.spoil(day).await?;
                day += 1;
            }
            let outcome = run.step(step).await?;
            story.done(outcome);
        }
        for day in day..plan.days.len() {
            run.spoil(day).await?;
        }
        story.phase("everybody comes to rest");
        run.rest().await?;
        story.phase("every day is reconciled again");
        run.reconcile().await?;
        Ok(run)
    }

    /// Plays a step; what came of it.
    async fn step(&mut self, step: &Step) -> Result<String, String> {
        self.scene.pass_until(step.at).await?;
        let engine = self.scene.office.sandbox.engine();
        for fault in &step.faults {
            engine.set_fault(fault.clone()).map_err(told)?;
        }
        let asks = self.asks(step);
        let mut outcome = self.by_hand(step)?;
        if let Some(trouble) = &step.trouble {
            self.scene.arm(trouble);
        }
        let heard: Mutex<Vec<Result<Answer, String>>> = Mutex::new(Vec::new());
        let rest = {
            let (scene, memory) = (&self.scene, &self.memory);
            let act = async {
                for ask in &asks {
                    let answer = scene.send(ask).await;
                    heard.lock().unwrap().push(answer);
                }
                quietly(scene, memory, step).await?;
                scene.bustle().await
            };
            tokio::select! {
                biased;
                () = scene.falls(step.trouble.as_ref()) => Ok(()),
                rest = act => rest,
            }
        };
        let fell = match &step.trouble {
            Some(trouble) => self.scene.recover(trouble).await?,
            None => false,
        };
        if fell {
            outcome.push_str(" IT FELL;");
            self.get_up().await?;
        } else {
            rest?;
        }
        let mut heard = heard.into_inner().unwrap().into_iter();
        for ask in &asks {
            let first = heard.next().unwrap_or_else(|| Err("never sent".to_owned()));
            let answer = self.insist(ask, first, fell).await?;
            self.check_repeat(step, ask, &answer)?;
            self.memory.entry(step.case.unwrap_or_default()).or_default().keep(ask, &answer)?;
            outcome.push_str(&format!(" {}", answer.told()));
        }
        Ok(outcome)
    }

    /// Everybody goes on after a fall. A connection that it broke may be noticed only by its use.
    async fn get_up(&self) -> Result<(), String> {
        for _ in 0..3 {
            if self.scene.bustle().await.is_ok() {
                return Ok(());
            }
        }
        self.scene.bustle().await
    }

    /// Sends a request again until the backend has a final answer, or gives up.
    async fn insist(
        &self,
        ask: &Ask,
        first: Result<Answer, String>,
        fell: bool,
    ) -> Result<Answer, String> {
        let mut answer = first;
        for _ in 0..PATIENCE {
            match &answer {
                Ok(answer) if answer.is_final() => return Ok(answer.clone()),
                Ok(told) if told.status >= 500 && !fell => {
                    return Err(format!("{} gave {} without need", ask.path, told.told()));
                }
                Err(error) if !fell => return Err(format!("{}: {error}", ask.path)),
                Ok(_) | Err(_) => {}
            }
            let soon = self.scene.office.clock.now() + SignedDuration::from_secs(3);
            self.scene.pass_until(soon).await?;
            answer = self.scene.send(ask).await;
        }
        // What its provider does not tell for so long, the backend asks for another time.
        answer.map_err(|error| format!("{}: {error}", ask.path))
    }

    /// The same request under the same key has the same answer, byte for byte.
    fn check_repeat(&self, step: &Step, ask: &Ask, answer: &Answer) -> Result<(), String> {
        let Deed::Repeat = step.deed else { return Ok(()) };
        let Some((_, before)) = self.case(step).and_then(|case| case.last.as_ref()) else {
            return Ok(());
        };
        if before.is_final() && (before.status, &before.bytes) != (answer.status, &answer.bytes) {
            let [before, after] = [before, answer].map(|it| String::from_utf8_lossy(&it.bytes));
            return Err(format!("{} was answered {before}, now {after}", ask.path));
        }
        Ok(())
    }

    pub(super) fn case(&self, step: &Step) -> Option<&Memory> {
        self.memory.get(&step.case?)
    }

    pub(super) fn chosen(&self, step: &Step, which: Which) -> Option<&Known> {
        let orders = &self.case(step)?.orders;
        match which {
            Which::First => orders.first(),
            Which::Last => orders.last(),
        }
    }

    /// The weather clears for good, everybody is there, and time passes until nothing waits.
    async fn rest(&mut self) -> Result<(), String> {
        let engine = self.scene.office.sandbox.engine();
        for rule in engine.state().faults {
            // What is late comes at last; what is wrong in a bill stays wrong.
            if rule.fault.on != Place::Bill || rule.fault.action == Action::Late {
                engine.lift_faults(Some(rule.id));
            }
        }
        self.scene.office.receiver.answer_with(204);
        let last = *self.plan.days.last().unwrap();
        let mut morning = last;
        for _ in 0..REST_DAYS {
            morning = morning.tomorrow().unwrap();
            self.scene.pass_until(from_beijing(morning.at(14, 0, 0, 0))).await?;
            if self.scene.is_quiet().await? {
                return Ok(());
            }
        }
        Err(format!("six days later something still waits: {}", self.scene.waiting().await?))
    }

    /// Finance has every day reconciled once more, now that everything is known.
    async fn reconcile(&mut self) -> Result<(), String> {
        for day in &self.plan.days {
            for merchant in [WECHAT, ALIPAY] {
                let body = json!({"merchant_id": merchant, "date": day});
                let asked = self.scene.office.post("/v1/reconciliations", &body).await;
                let (status, run) = asked.map_err(told)?;
                if status != 202 {
                    return Err(format!("reconciling {merchant} {day} gave {status} {run}"));
                }
            }
        }
        let later = self.scene.office.clock.now() + SignedDuration::from_hours(2);
        self.scene.pass_until(later).await
    }
}

/// What is done through the hub without an answer that the backend keeps.
async fn quietly(
    scene: &Scene,
    memory: &BTreeMap<usize, Memory>,
    step: &Step,
) -> Result<(), String> {
    let case = step.case.and_then(|case| memory.get(&case));
    match (&step.deed, case) {
        (Deed::Wait(minutes), _) => {
            let end = step.at + SignedDuration::from_mins(*minutes);
            scene.pass_until(end).await
        }
        (Deed::Look, Some(case)) => {
            if let Some(order) = case.orders.last() {
                scene
                    .office
                    .get(&format!("/v1/orders/{}?refresh=true", order.id))
                    .await
                    .map_err(told)?;
            }
            Ok(())
        }
        (Deed::Decide { agrees }, Some(case)) => {
            let decision = if *agrees { Decision::Approve } else { Decision::Decline };
            for refund in &case.refunds {
                // Most wait for nobody, and then nothing happens.
                let _decided = decide(&scene.office.hub, &refund.id, decision, "chief").await;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
