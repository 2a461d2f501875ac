//! A merchant's business day as its bill has it: payments by success time, refunds by acceptance
//! time, fees by the rate; and the rows that a fault takes out, puts in or changes.

use domain::Fen;
use domain::bill::Direction;
use domain::time::{business_day, day_end, day_start};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::engine::World;
use crate::faults::{Action, Fault, Place, Subject};
use crate::random::Random;
use crate::state::{Order, Payment, Refund, Standing, fee_of};
use crate::text;

/// One row.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) direction: Direction,
    /// Success time of a payment, acceptance time of a refund.
    pub(crate) at: Timestamp,
    pub(crate) created_at: Timestamp,
    pub(crate) out_trade_no: String,
    pub(crate) trade_no: String,
    /// Empty on payments.
    pub(crate) out_refund_no: String,
    /// The provider's refund number; empty on payments.
    pub(crate) refund_no: String,
    /// Whether it is the reversal of an order at the counter.
    pub(crate) reversed: bool,
    /// Positive in both directions.
    pub(crate) amount: Fen,
    /// How much of it is a coupon of the merchant, and no money.
    pub(crate) coupon: Fen,
    /// Positive in both directions: taken of a payment, given back with a refund.
    pub(crate) fee: Fen,
    /// How it stood when the file was made.
    pub(crate) standing: Standing,
    pub(crate) subject: String,
    pub(crate) attach: String,
    pub(crate) payer: String,
    /// The provider's word for how the order is paid.
    pub(crate) product: &'static str,
    /// On whose behalf, in service-provider mode.
    pub(crate) sub_merchant: Option<String>,
    /// When the payment was made, on refunds too.
    pub(crate) paid_at: Timestamp,
    /// When it was done, if it was when the file was made.
    pub(crate) done_at: Option<Timestamp>,
}

impl Line {
    /// What is settled with the merchant: the amount without the coupon.
    pub(crate) fn settled(&self) -> Fen {
        self.amount.minus(self.coupon).unwrap_or(self.amount)
    }
}

/// A day's rows and what else a fault does to the file.
pub(crate) struct DayBill {
    pub(crate) lines: Vec<Line>,
    /// What each fault that struck does to the file as a whole.
    pub(crate) actions: Vec<Action>,
}

impl DayBill {
    /// Whether a fault does this to the file.
    pub(crate) fn has(&self, action: Action) -> bool {
        self.actions.contains(&action)
    }
}

/// The hour in Beijing from which the last day's bill is there.
const READY_HOURS: i64 = 9;

/// When the bill of a day is ready: at nine on the next morning.
pub(crate) fn ready_at(day: Date) -> Timestamp {
    day_end(day).saturating_add(SignedDuration::from_hours(READY_HOURS)).unwrap_or(Timestamp::MAX)
}

/// The bill of a merchant's day, trade or fund flow, with the faults that strike it.
pub(crate) fn day_bill(
    world: &mut World,
    place: Place,
    merchant: &str,
    day: Date,
    rate_ppm: i64,
) -> DayBill {
    let mut lines = day_lines(world, merchant, day, rate_ppm);
    let subject = Subject { merchant, date: Some(day), ..Subject::default() };
    let faults = world.faults.strike_bill(place, &subject, world.seed);
    let date = day.to_string();
    let mut actions = Vec::new();
    for (place, fault) in faults.iter().enumerate() {
        let mut chance = Random::of(world.seed, &["row", merchant, &date, &place.to_string()]);
        match fault.action {
            Action::MissingRow => {
                if let Some(row) = chosen(&lines, fault, &mut chance) {
                    lines.remove(row);
                    // There is a file all the same, be it without rows.
                    actions.push(Action::MissingRow);
                }
            }
            Action::ChangedRow => {
                let row = chosen(&lines, fault, &mut chance);
                if let Some(line) = row.and_then(|row| lines.get_mut(row)) {
                    change(line, fault.amount_delta_fen.unwrap_or(100), rate_ppm);
                }
            }
            Action::ExtraRow => {
                let mut line = extra(fault, day, rate_ppm, &mut chance);
                if let Some(trade_no) = paid_on_another_day(world, merchant, day, &line) {
                    line.trade_no = trade_no;
                }
                lines.push(line);
            }
            other @ (Action::Truncate
            | Action::WrongHash
            | Action::Late
            | Action::EmptyDay
            | Action::ChargeTaken
            | Action::Drop
            | Action::Duplicate
            | Action::Delay
            | Action::Reorder
            | Action::Corrupt
            | Action::DropAfterCommit
            | Action::WrongSignature
            | Action::UnknownSerial
            | Action::SignTest
            | Action::XxeProbe
            | Action::Status500
            | Action::Status429
            | Action::Garbage
            | Action::NotEnough
            | Action::Abnormal
            | Action::Absent
            | Action::Closed
            | Action::Throttle
            | Action::Undelivered) => actions.push(other),
        }
    }
    lines.sort_by(|a, b| {
        (a.at, &a.out_trade_no, &a.out_refund_no).cmp(&(b.at, &b.out_trade_no, &b.out_refund_no))
    });
    DayBill { lines, actions }
}

fn day_lines(world: &World, merchant: &str, day: Date, rate_ppm: i64) -> Vec<Line> {
    let made_at = ready_at(day);
    let mut lines = Vec::new();
    for order in world.book.orders.values().filter(|order| order.merchant == merchant) {
        let paid = order.payments.iter().filter(|payment| business_day(payment.paid_at) == day);
        lines.extend(paid.map(|payment| payment_line(order, payment, rate_ppm)));
        let refunds = world.book.refunds_of(order);
        let refunds = refunds.filter(|refund| business_day(refund.accepted_at) == day);
        lines.extend(refunds.map(|refund| refund_line(order, refund, rate_ppm, made_at)));
    }
    lines.sort_by(|a, b| {
        (a.at, &a.out_trade_no, &a.out_refund_no).cmp(&(b.at, &b.out_trade_no, &b.out_refund_no))
    });
    lines
}

fn payment_line(order: &Order, payment: &Payment, rate_ppm: i64) -> Line {
    Line {
        direction: Direction::Payment,
        at: payment.paid_at,
        created_at: order.scanned_at.unwrap_or(order.created_at),
        out_trade_no: order.out_trade_no.clone(),
        trade_no: payment.trade_no.clone(),
        out_refund_no: String::new(),
        refund_no: String::new(),
        reversed: false,
        amount: payment.amount,
        coupon: payment.coupon,
        fee: fee_of(payment.amount.minus(payment.coupon).unwrap_or(payment.amount), rate_ppm),
        standing: Standing::Success,
        subject: order.subject.clone(),
        attach: order.attach.clone().unwrap_or_default(),
        payer: payment.payer.clone(),
        product: order.product,
        sub_merchant: order.sub.as_ref().map(|sub| sub.mchid.clone()),
        paid_at: payment.paid_at,
        done_at: Some(payment.paid_at),
    }
}

fn refund_line(order: &Order, refund: &Refund, rate_ppm: i64, made_at: Timestamp) -> Line {
    let payment = order.payment(Some(&refund.trade_no));
    let standing = refund.standing(made_at);
    Line {
        direction: Direction::Refund,
        at: refund.accepted_at,
        created_at: order.scanned_at.unwrap_or(order.created_at),
        out_trade_no: order.out_trade_no.clone(),
        trade_no: refund.trade_no.clone(),
        out_refund_no: refund.out_refund_no.clone(),
        refund_no: refund.refund_no.clone(),
        reversed: refund.reversal,
        amount: refund.amount,
        coupon: refund.coupon,
        fee: fee_of(refund.amount.minus(refund.coupon).unwrap_or(refund.amount), rate_ppm),
        standing,
        subject: order.subject.clone(),
        attach: order.attach.clone().unwrap_or_default(),
        payer: payment.map(|payment| payment.payer.clone()).unwrap_or_default(),
        product: order.product,
        sub_merchant: refund.sub.as_ref().map(|sub| sub.mchid.clone()),
        paid_at: payment.map_or(refund.accepted_at, |payment| payment.paid_at),
        done_at: (standing == Standing::Success).then_some(refund.done_at),
    }
}

/// The row that a fault means: by its numbers, else by chance among the payments.
fn chosen(lines: &[Line], fault: &Fault, chance: &mut Random) -> Option<usize> {
    let of = &fault.of;
    if let Some(no) = &of.out_refund_no {
        return lines.iter().position(|line| line.out_refund_no == *no);
    }
    if let Some(no) = &of.out_trade_no {
        return lines
            .iter()
            .position(|line| line.out_trade_no == *no && line.direction == Direction::Payment);
    }
    let payments: Vec<usize> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.direction == Direction::Payment)
        .map(|(row, _)| row)
        .collect();
    payments.get(chance.place(payments.len())).copied()
}

fn change(line: &mut Line, delta_fen: i64, rate_ppm: i64) {
    let changed = line.amount.plus(Fen::new(delta_fen)).unwrap_or(line.amount);
    line.amount = changed.max(Fen::new(1));
    line.fee = fee_of(line.settled(), rate_ppm);
}

/// A payment that nobody asked for, at noon unless the fault names its order.
fn extra(fault: &Fault, day: Date, rate_ppm: i64, chance: &mut Random) -> Line {
    let noon = day_start(day).saturating_add(SignedDuration::from_hours(12));
    let at = noon.unwrap_or(Timestamp::MAX);
    let amount = Fen::new(fault.amount_delta_fen.unwrap_or(8000).max(1));
    let made_up = || format!("STRAY{}", chance_digits(chance));
    let out_trade_no = fault.of.out_trade_no.clone().unwrap_or_else(made_up);
    Line {
        direction: Direction::Payment,
        at,
        created_at: at,
        trade_no: text::number(0, &["extra", &out_trade_no], at, ("42009", 5, 10)),
        out_trade_no,
        out_refund_no: String::new(),
        refund_no: String::new(),
        reversed: false,
        amount,
        coupon: Fen::ZERO,
        fee: fee_of(amount, rate_ppm),
        standing: Standing::Success,
        subject: "不动产登记费".to_owned(),
        attach: String::new(),
        payer: String::new(),
        product: "NATIVE",
        sub_merchant: None,
        paid_at: at,
        done_at: Some(at),
    }
}

/// The number of the payment that a row too many lists on another day than its own.
fn paid_on_another_day(world: &World, merchant: &str, day: Date, line: &Line) -> Option<String> {
    let is_it =
        |order: &&Order| order.merchant == merchant && order.out_trade_no == line.out_trade_no;
    let order = world.book.orders.values().find(is_it)?;
    let mut paid = order.payments.iter();
    let first = paid.next().filter(|payment| business_day(payment.paid_at) != day)?;
    paid.next().is_none().then(|| first.trade_no.clone())
}

fn chance_digits(chance: &mut Random) -> String {
    chance.digits(15)
}

/// Sums over rows, in fen.
#[derive(Default)]
pub(crate) struct Sums {
    pub(crate) payments: usize,
    pub(crate) refunds: usize,
    pub(crate) paid: Fen,
    pub(crate) refunded: Fen,
    /// What is settled of the payments: less than paid by the coupons.
    pub(crate) settled: Fen,
    /// What is taken back of the settlement.
    pub(crate) settled_back: Fen,
    /// Taken less given back.
    pub(crate) fee: Fen,
}

impl Sums {
    pub(crate) fn of(lines: &[Line]) -> Self {
        let mut sums = Self::default();
        let add = |to: &mut Fen, amount: Fen| *to = to.plus(amount).unwrap_or(*to);
        for line in lines {
            match line.direction {
                Direction::Payment => {
                    sums.payments = sums.payments.saturating_add(1);
                    add(&mut sums.paid, line.amount);
                    add(&mut sums.settled, line.settled());
                    add(&mut sums.fee, line.fee);
                }
                Direction::Refund => {
                    sums.refunds = sums.refunds.saturating_add(1);
                    add(&mut sums.refunded, line.amount);
                    add(&mut sums.settled_back, line.settled());
                    sums.fee = sums.fee.minus(line.fee).unwrap_or(sums.fee);
                }
            }
        }
        sums
    }
}
