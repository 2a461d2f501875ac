//! How a day foots: what the ledger has and what the bill has, split into agreed, differing and
//! doubtful rows, and the steps (差额调节) that lead from the one sum to the other. Refunds are
//! negative everywhere, so that whatever stands in one column may be added up; rows that pull in
//! opposite directions never share a step, so that none hides behind another.

use std::collections::BTreeMap;

use domain::bill::{BillState, Direction};
use domain::money::Fen;
use reconciliation::{Finding, Kind, LedgerState, Sides};

use super::model::{MerchantDay, Report, signed};

/// How many rows, and what they come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) count: i64,
    pub(super) fen: Fen,
}

/// Payments and refunds, the latter negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ways {
    pub(super) payments: Amount,
    pub(super) refunds: Amount,
}

/// The same rows as each side has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Both {
    pub(super) hub: Ways,
    pub(super) bill: Ways,
}

/// The findings of one sort: how many, what each side has of them, and what was charged for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) payments: i64,
    pub(super) refunds: i64,
    pub(super) both: Both,
    pub(super) fee: Fen,
    /// What they are about: the larger amount of each, never set off against each other.
    pub(super) at_stake: Fen,
}

/// What a step is made of: differences of one kind, or doubts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item {
    Difference(Kind),
    Doubt,
}

/// Whether the bill has less, as much, or more than the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pull {
    Less,
    Level,
    More,
}

/// One step from the ledger's sum to the bill's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    /// How many findings.
    pub(super) findings: i64,
    /// What the bill has more than the ledger.
    pub(super) moved: Ways,
}

/// The day, split.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Foot {
    pub(super) whole: Both,
    pub(super) agreed: Ways,
    pub(super) differing: Part,
    pub(super) doubtful: Part,
    /// Differences of earlier days, which were doubts until this day's files came: they stand on this
    /// day's list, and in no sum of it.
    pub(super) carried: Part,
    /// The provider's charges for all rows of the bill.
    pub(super) fee: Fen,
    /// What the bill lists of rows on which no money moved; in no sum.
    pub(super) void: Ways,
    pub(super) steps: BTreeMap<(Item, Pull), Step>,
}

/// What a finding has in the sums of the ledger and of the bill. What the ledger does not take for
/// money is in no sum, and what the bill lists as taken back or failed neither.
pub(super) fn booked(finding: &Finding) -> (Option<Fen>, Option<Fen>) {
    let is_booked = finding.hub_state.is_some_and(LedgerState::moves_money);
    let has_moved = finding.bill_state != Some(BillState::Failed);
    (finding.hub_amount.filter(|_| is_booked), finding.bill_amount.filter(|_| has_moved))
}

/// Whether a difference is of an earlier day: a row is in the sums of its own day alone.
pub(super) const fn is_carried(finding: &Finding) -> bool {
    finding.since.is_some()
}

/// What the bill has more than the ledger, refunds negative; zero where both have the same.
pub(super) fn apart(finding: &Finding) -> Fen {
    let (hub, bill) = booked(finding);
    let way = |amount: Option<Fen>| signed(finding.direction, amount.unwrap_or_default());
    subtract(way(bill), way(hub))
}

impl Amount {
    fn plus(self, other: Self) -> Self {
        Self { count: self.count.saturating_add(other.count), fen: add(self.fen, other.fen) }
    }

    fn minus(self, other: Self) -> Self {
        Self { count: self.count.saturating_sub(other.count), fen: subtract(self.fen, other.fen) }
    }
}

impl Ways {
    pub(super) fn of(sides: Sides) -> Self {
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        Self {
            payments: Amount { count: count(sides.payments.count), fen: sides.payments.amount_fen },
            refunds: Amount {
                count: count(sides.refunds.count),
                fen: signed(Direction::Refund, sides.refunds.amount_fen),
            },
        }
    }

    pub(super) fn one(direction: Direction, amount: Option<Fen>) -> Self {
        let one = amount.map_or(Amount::default(), |amount| Amount {
            count: 1,
            fen: signed(direction, amount),
        });
        match direction {
            Direction::Payment => Self { payments: one, ..Self::default() },
            Direction::Refund => Self { refunds: one, ..Self::default() },
        }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            payments: self.payments.plus(other.payments),
            refunds: self.refunds.plus(other.refunds),
        }
    }

    pub(super) fn minus(self, other: Self) -> Self {
        Self {
            payments: self.payments.minus(other.payments),
            refunds: self.refunds.minus(other.refunds),
        }
    }

    pub(super) fn net(self) -> Fen {
        add(self.payments.fen, self.refunds.fen)
    }
}

impl Both {
    fn plus(self, other: Self) -> Self {
        Self { hub: self.hub.plus(other.hub), bill: self.bill.plus(other.bill) }
    }
}

impl Part {
    pub(super) const fn count(&self) -> i64 {
        self.payments.saturating_add(self.refunds)
    }

    fn take(&mut self, finding: &Finding) {
        let (hub, bill) = booked(finding);
        let count = match finding.direction {
            Direction::Payment => &mut self.payments,
            Direction::Refund => &mut self.refunds,
        };
        *count = count.saturating_add(1);
        self.both = self.both.plus(Both {
            hub: Ways::one(finding.direction, hub),
            bill: Ways::one(finding.direction, bill),
        });
        self.fee = add(self.fee, finding.fee.unwrap_or_default());
        self.at_stake =
            add(self.at_stake, finding.hub_amount.max(finding.bill_amount).unwrap_or_default());
    }

    fn plus(&self, other: &Self) -> Self {
        Self {
            payments: self.payments.saturating_add(other.payments),
            refunds: self.refunds.saturating_add(other.refunds),
            both: self.both.plus(other.both),
            fee: add(self.fee, other.fee),
            at_stake: add(self.at_stake, other.at_stake),
        }
    }
}

impl Foot {
    /// One merchant's day.
    pub(super) fn of(day: &MerchantDay) -> Self {
        let sums = &day.result.sums;
        let mut foot = Self {
            whole: Both { hub: Ways::of(sums.hub), bill: Ways::of(sums.bill) },
            agreed: Ways::of(sums.matched),
            fee: sums.fee,
            ..Self::default()
        };
        foot.leave_void(day);
        for finding in &day.result.differences {
            if is_carried(finding) {
                foot.carried.take(finding);
                continue;
            }
            foot.differing.take(finding);
            foot.step(Item::Difference(finding.kind), finding);
        }
        for finding in &day.result.doubts {
            foot.doubtful.take(finding);
            foot.step(Item::Doubt, finding);
        }
        foot
    }

    /// Takes the rows out of the sums on which no money moved: both sides count whatever is listed.
    fn leave_void(&mut self, day: &MerchantDay) {
        for row in day.result.matched.iter().filter(|row| row.is_void) {
            let one = Ways::one(row.direction, Some(row.amount));
            self.whole.hub = self.whole.hub.minus(one);
            self.agreed = self.agreed.minus(one);
            self.void = self.void.plus(one);
        }
        let own = day.result.differences.iter().filter(|found| !is_carried(found));
        let failed = |found: &&Finding| found.bill_state == Some(BillState::Failed);
        for finding in own.chain(&day.result.doubts).filter(failed) {
            self.void = self.void.plus(Ways::one(finding.direction, finding.bill_amount));
        }
        self.whole.bill = self.whole.bill.minus(self.void);
    }

    /// All merchants together.
    pub(super) fn of_all(report: &Report) -> Self {
        let mut all = Self::default();
        for foot in report.merchants.iter().map(Self::of) {
            all.whole = all.whole.plus(foot.whole);
            all.agreed = all.agreed.plus(foot.agreed);
            all.differing = all.differing.plus(&foot.differing);
            all.doubtful = all.doubtful.plus(&foot.doubtful);
            all.carried = all.carried.plus(&foot.carried);
            all.fee = add(all.fee, foot.fee);
            all.void = all.void.plus(foot.void);
            for (key, step) in foot.steps {
                all.steps.entry(key).or_default().take(step.findings, step.moved);
            }
        }
        all
    }

    fn step(&mut self, item: Item, finding: &Finding) {
        let (hub, bill) = booked(finding);
        let pull = match bill.cmp(&hub) {
            std::cmp::Ordering::Less => Pull::Less,
            std::cmp::Ordering::Equal => Pull::Level,
            std::cmp::Ordering::Greater => Pull::More,
        };
        let way = |amount| Ways::one(finding.direction, amount);
        self.steps.entry((item, pull)).or_default().take(1, way(bill).minus(way(hub)));
    }

    /// Everything on the list of differences.
    pub(super) fn listed(&self) -> Part {
        self.differing.plus(&self.carried)
    }

    /// The charges for rows that agree.
    pub(super) fn agreed_fee(&self) -> Fen {
        subtract(self.fee, add(self.differing.fee, self.doubtful.fee))
    }

    /// The bill's sum as the steps lead to it.
    pub(super) fn reconciled(&self) -> Ways {
        self.steps.values().fold(self.whole.hub, |sum, step| sum.plus(step.moved))
    }

    /// What the steps leave unexplained; anything but zero is a fault of the report itself.
    pub(super) fn residue(&self) -> Ways {
        self.whole.bill.minus(self.reconciled())
    }

    /// Whether both sides are what their parts come to, and the steps lead from one to the other.
    pub(super) fn holds(&self) -> bool {
        let parts = self.differing.both.plus(self.doubtful.both);
        let whole = Both { hub: self.agreed.plus(parts.hub), bill: self.agreed.plus(parts.bill) };
        whole == self.whole && self.residue() == Ways::default()
    }
}

impl Step {
    fn take(&mut self, findings: i64, moved: Ways) {
        self.findings = self.findings.saturating_add(findings);
        self.moved = self.moved.plus(moved);
    }
}

fn add(one: Fen, other: Fen) -> Fen {
    Fen::new(one.get().saturating_add(other.get()))
}

fn subtract(one: Fen, other: Fen) -> Fen {
    Fen::new(one.get().saturating_sub(other.get()))
}
