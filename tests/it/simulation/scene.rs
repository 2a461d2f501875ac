//! The place of a run: an office whose hub, or two of them, reach their database over wires that can
//! be cut, and the clock that they all go by. Time goes from one thing that is due to the next.

use std::sync::Mutex;

use domain::Clock as _;
use domain::time::{beijing, from_beijing};
use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};
use payhub::demo::{Office, Opening, Twin};
use sandbox::{SandboxConfig, Verification};
use tokio_postgres::{Client, Row};

use super::plan::{Plan, Rules};
use crate::harness::cluster::Lent;
use crate::harness::wire::Wire;

/// How often everybody is asked again at one moment before the office counts as restless.
const ROUNDS: usize = 200;
/// When bills are asked for.
const BILLS: Time = Time::constant(10, 0, 0, 0);
/// The earliest of what waits for its time.
const NEXT_DUE: &str = "
    SELECT min(due) FROM (
        SELECT min(next_query_at) AS due FROM orders UNION ALL
        SELECT min(next_query_at) FROM combined_orders UNION ALL
        SELECT min(next_query_at) FROM refunds UNION ALL
        SELECT min(next_at) FROM deliveries WHERE state IN ('due', 'sending', 'querying') UNION ALL
        SELECT min(next_at) FROM runs) AS all_due";

/// The place.
pub(super) struct Scene {
    pub(super) office: Office,
    pub(super) database: Lent,
    twin: Option<Twin>,
    wires: [Wire; 2],
    /// A connection of the test's own, past the wires.
    eye: Mutex<Option<Client>>,
}

/// Any error as a text.
pub(super) fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn as_usual(_providers: &mut SandboxConfig) {}

/// WeChat Pay on the way from certificates to the public key.
fn with_both_keys(providers: &mut SandboxConfig) {
    for merchant in &mut providers.wechat {
        merchant.verification = Verification::Both;
    }
}

fn policy(rules: Rules) -> String {
    let back = |is: bool, otherwise| if is { "refund" } else { otherwise };
    let mut text = format!(
        "[policy]\nlate_payment = \"{}\"\nsurplus_payment = \"{}\"\n",
        back(rules.late_goes_back, "accept"),
        back(rules.duplicates_go_back, "propose"),
    );
    if let Some(fen) = rules.second_person_from {
        text.push_str(&format!("refund_approval = \"{fen}\"\n"));
    }
    text
}

impl Scene {
    /// Opens the office of a plan, at nine on its first day.
    pub(super) async fn open(plan: &Plan) -> Result<Self, String> {
        let database =
            if plan.rules.database_dies { Lent::alone().await } else { Lent::new().await };
        let folder = database.socket_folder();
        let wires = [Wire::to(&folder).await, Wire::to(&folder).await];
        let opening = Opening {
            now: from_beijing(plan.days[0].at(9, 0, 0, 0)),
            listen: ([127, 0, 0, 1], 0).into(),
            seed: plan.seed,
            more: &policy(plan.rules),
            arrange: if plan.rules.keys_change { with_both_keys } else { as_usual },
        };
        let settings = database.settings_over(&wires[0]);
        let office = Office::open_apart(settings, &opening).await.map_err(told)?;
        let mut scene = Self { office, database, twin: None, wires, eye: Mutex::new(None) };
        if plan.rules.two_hubs {
            scene.restart_second().await?;
        }
        scene.bustle().await?;
        Ok(scene)
    }

    /// Whether the second hub is meant, and there is one.
    fn is_second(&self, second: bool) -> bool {
        second && self.twin.is_some()
    }

    /// The wire of a hub.
    pub(super) fn wire(&self, of_second: bool) -> &Wire {
        &self.wires[usize::from(self.is_second(of_second))]
    }

    /// A hub's URL for a path.
    pub(super) fn url(&self, at_second: bool, path: &str) -> String {
        match &self.twin {
            Some(twin) if at_second => twin.url(path),
            Some(_) | None => self.office.url(path),
        }
    }

    /// Another hub takes the place of one that died, whose leases have run out by then.
    pub(super) async fn restart(&mut self, second: bool) -> Result<(), String> {
        if self.is_second(second) {
            return self.restart_second().await;
        }
        self.office.kill().await;
        self.wires[0].mend();
        self.database.end_leases().await;
        let settings = self.database.settings_over(&self.wires[0]);
        self.office.start_again(settings).await.map_err(told)
    }

    async fn restart_second(&mut self) -> Result<(), String> {
        if let Some(twin) = self.twin.take() {
            twin.kill().await;
        }
        self.wires[1].mend();
        self.database.end_leases().await;
        let settings = self.database.settings_over(&self.wires[1]);
        self.twin = Some(self.office.twin_apart(settings).await.map_err(told)?);
        Ok(())
    }

    /// Everything happens that is due now: callbacks, and what the workers do about them.
    pub(super) async fn bustle(&self) -> Result<(), String> {
        for _ in 0..ROUNDS {
            let delivered = self.office.sandbox.deliver_due().await;
            let done = match &self.twin {
                None => self.office.work().await.map_err(told)?,
                Some(twin) => {
                    let (one, two) = tokio::join!(self.office.work(), twin.work());
                    one.map_err(told)? + two.map_err(told)?
                }
            };
            if delivered.sent == 0 && delivered.dropped == 0 && done == 0 {
                return Ok(());
            }
        }
        Err("the office does not come to rest: something is due again and again".to_owned())
    }

    /// Time passes, and things happen when they are due, or soon after where that is long to wait.
    pub(super) async fn pass_until(&self, end: Timestamp) -> Result<(), String> {
        let clock = &self.office.clock;
        let (shortest, longest) = (SignedDuration::from_secs(1), SignedDuration::from_mins(45));
        while clock.now() < end {
            let now = clock.now();
            let grain = (end.duration_since(now) / 4).clamp(shortest, longest);
            let due = self.next_due(now).await?.unwrap_or(end);
            clock.set(due.max(now + grain).min(end));
            self.bustle().await?;
        }
        Ok(())
    }

    /// When the next thing is due; `None`: nothing waits.
    pub(super) async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, String> {
        let known: Option<std::time::SystemTime> = self.rows(NEXT_DUE).await?[0].get(0);
        let known = known.map(|due| Timestamp::try_from(due).unwrap());
        let today = beijing(now).date();
        let bills =
            [today, today.tomorrow().unwrap()].map(|day| from_beijing(day.to_datetime(BILLS)));
        let bills = bills.into_iter().find(|at| *at > now);
        let callback = self.office.sandbox.engine().next_due();
        Ok(known.into_iter().chain(callback).chain(bills).min())
    }

    /// The rows of a query, past the wires.
    pub(super) async fn rows(&self, query: &str) -> Result<Vec<Row>, String> {
        for last in [false, true] {
            let kept = self.eye.lock().unwrap().take().filter(|client| !client.is_closed());
            let client = match kept {
                Some(client) => client,
                None => self.database.connect().await,
            };
            match client.query(query, &[]).await {
                // A server that died takes the connection with it.
                Err(error) if error.is_closed() && !last => {}
                Err(error) => return Err(format!("{query}: {error}")),
                Ok(rows) => {
                    *self.eye.lock().unwrap() = Some(client);
                    return Ok(rows);
                }
            }
        }
        Err(format!("{query}: no connection lasts"))
    }

    /// Closes it.
    pub(super) async fn close(self) {
        if let Some(twin) = self.twin {
            twin.close().await;
        }
        self.office.close().await;
        drop(self.eye);
        self.database.give_back().await;
    }
}
