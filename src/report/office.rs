//! What the office knows beside the bill, in the words of the paper: money at the bank (资金到账), what
//! went to the treasury (缴库), who did what (操作日志), and what a new version has otherwise (版本变更).

use std::collections::BTreeMap;

use domain::bill::Direction;
use domain::difference::DifferenceStep;
use domain::money::Fen;
use jiff::civil::Date;
use reconciliation::settlement::SettlementCause;

use super::model::{MerchantDay, Report, signed};
use super::papers::{ActPaper, OfficePaper, StandingPaper};
use super::sorted::{add, subtract};
use super::words;
use crate::fiscal::{OwedItem, RemittedItem};
use crate::reconcile::{Changes, Sums};
use crate::settlement::SettlementDay;
use crate::store::findings::SaidOf;

/// A bill day's money in the words of the paper.
pub(super) struct Settled {
    pub(super) merchant: String,
    pub(super) bill_date: String,
    pub(super) payments: Fen,
    /// Negative, as everywhere.
    pub(super) refunds: Fen,
    pub(super) fee: Fen,
    pub(super) net: Fen,
    pub(super) due_on: String,
    pub(super) serial: String,
    pub(super) value_date: String,
    /// What of the credit is this day's; `None` where nothing has come.
    pub(super) arrived: Option<Fen>,
    pub(super) apart: Option<Fen>,
    pub(super) cause: String,
    pub(super) state: &'static str,
    /// Whether it was due and nothing has come.
    pub(super) is_late: bool,
}

/// The sums of bill days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SettledSums {
    pub(super) payments: Fen,
    pub(super) refunds: Fen,
    pub(super) fee: Fen,
    pub(super) net: Fen,
    pub(super) arrived: Fen,
    pub(super) apart: Fen,
    /// What is expected still.
    pub(super) waiting: Fen,
}

impl SettledSums {
    pub(super) fn of(rows: &[Settled]) -> Self {
        let mut sums = Self::default();
        for row in rows {
            sums.payments = add(sums.payments, row.payments);
            sums.refunds = add(sums.refunds, row.refunds);
            sums.fee = add(sums.fee, row.fee);
            sums.net = add(sums.net, row.net);
            sums.arrived = add(sums.arrived, row.arrived.unwrap_or_default());
            sums.apart = add(sums.apart, row.apart.unwrap_or_default());
            if row.arrived.is_none() {
                sums.waiting = add(sums.waiting, row.net);
            }
        }
        sums
    }

    /// How the sums come to each other.
    pub(super) fn note(&self) -> String {
        format!(
            "应到账 {} 元 = 已到账 {} 元 － 差额 {} 元 ＋ 未到账 {} 元；手续费另行支付，不从本金扣收",
            self.net.yuan(),
            self.arrived.yuan(),
            self.apart.yuan(),
            self.waiting.yuan()
        )
    }
}

/// Whether any merchant's papers say what the office knows.
pub(super) fn is_known(report: &Report) -> bool {
    known(report).next().is_some()
}

fn known(report: &Report) -> impl Iterator<Item = (&MerchantDay, &OfficePaper)> {
    report.merchants.iter().filter_map(|day| {
        let office = day.papers.as_ref()?.office.as_ref()?;
        Some((day, office))
    })
}

/// The money at the bank, merchant by merchant.
pub(super) fn settled(report: &Report) -> Vec<Settled> {
    known(report)
        .flat_map(|(day, office)| {
            office.settlements.iter().map(move |it| shown(words::name(day), it))
        })
        .collect()
}

/// What came of a bill day more than was expected; `None` where nothing has come. That of a credit of
/// several days stands with its first day.
pub(super) fn apart(it: &SettlementDay) -> Option<Fen> {
    it.arrival.as_ref().map(|arrival| match arrival.days.first() {
        Some(first) if *first != it.bill_date => Fen::ZERO,
        _ => arrival.difference_fen,
    })
}

/// A bill day in the words of the paper.
pub(super) fn shown(merchant: String, it: &SettlementDay) -> Settled {
    let arrival = it.arrival.as_ref();
    // What a later version of the day's run expects, beside what has arrived for another sum.
    let changed = it.changed.as_ref();
    let net = changed.map_or(it.net_fen, |changed| changed.net_fen);
    let more = it.net_fen.minus(net).unwrap_or(Fen::ZERO);
    let apart = apart(it).map(|apart| add(apart, more));
    let cause = arrival.map_or(String::new(), |arrival| {
        let mut lines: Vec<String> = arrival.cause.iter().map(|word| cause(word)).collect();
        if let [_, _, ..] = arrival.days.as_slice() {
            let days: Vec<String> = arrival.days.iter().map(Date::to_string).collect();
            lines.push(format!("{} 合并到账 {} 元", days.join("、"), arrival.credit_fen.yuan()));
        }
        if more != Fen::ZERO {
            lines.push(format!("到账后账单更正：原应到账 {} 元", it.net_fen.yuan()));
        }
        let by = [("认领", &arrival.claimed_by), ("确认", &arrival.confirmed_by)];
        let by = by.into_iter().filter_map(|(what, who)| Some((what, who.as_ref()?)));
        lines.extend(by.map(|(what, who)| format!("{what} {who}")));
        lines.join("\n")
    });
    Settled {
        merchant,
        bill_date: it.bill_date.to_string(),
        payments: changed.map_or(it.payments_fen, |changed| changed.payments_fen),
        refunds: signed(
            Direction::Refund,
            changed.map_or(it.refunds_fen, |changed| changed.refunds_fen),
        ),
        fee: changed.map_or(it.fee_fen, |changed| changed.fee_fen),
        net,
        due_on: match it.due_is_provisional {
            true => format!("{}（暂定）", it.due_on),
            false => it.due_on.to_string(),
        },
        serial: arrival.map(|arrival| arrival.bank_serial.clone()).unwrap_or_default(),
        value_date: arrival.map(|arrival| arrival.value_date.to_string()).unwrap_or_default(),
        arrived: apart.map(|apart| add(net, apart)),
        apart,
        cause,
        state: match (&apart, it.is_late) {
            (Some(Fen::ZERO), _) => "已到账",
            (Some(_), _) => "到账有差额",
            (None, true) => SettlementCause::SettlementLate.chinese(),
            (None, false) if it.net_fen == Fen::ZERO => "无需到账",
            (None, false) if it.net_fen < Fen::ZERO => "待轧差",
            (None, false) => "未到账",
        },
        is_late: apart.is_none() && it.is_late,
    }
}

/// The causes of an arrival that differs.
const CAUSES: [SettlementCause; 3] = [
    SettlementCause::SettlementShort,
    SettlementCause::SettlementOver,
    SettlementCause::FeeTakenFromPrincipal,
];

fn cause(word: &str) -> String {
    let known = CAUSES.into_iter().find(|cause| cause.as_str() == word);
    known.map_or(word.to_owned(), |cause| cause.chinese().to_owned())
}

/// What went to the treasury, each once though several merchants' papers say it: as the last says.
pub(super) fn remitted(report: &Report) -> Vec<&RemittedItem> {
    let mut rows = BTreeMap::new();
    for item in known(report).flat_map(|(_, office)| &office.remitted) {
        let key = (
            item.remitted_on,
            item.remittance_id.as_str(),
            item.fiscal_item.as_deref(),
            item.fiscal_name.as_str(),
        );
        rows.insert(key, item);
    }
    rows.into_values().collect()
}

/// What was collected and is not remitted, each item once though several merchants' papers say it: as the
/// last says.
pub(super) fn owed(report: &Report) -> Vec<&OwedItem> {
    let mut rows = BTreeMap::new();
    for item in known(report).flat_map(|(_, office)| &office.owed) {
        rows.insert((item.fiscal_item.as_deref(), item.fiscal_name.as_str()), item);
    }
    rows.into_values().collect()
}

/// An act in the words of the paper.
pub(super) struct Acted {
    pub(super) at: String,
    pub(super) by: String,
    pub(super) what: String,
    pub(super) about: String,
}

/// Who did what, in order.
pub(super) fn acts(report: &Report) -> Vec<Acted> {
    let mut all: Vec<&ActPaper> = known(report).flat_map(|(_, office)| &office.acts).collect();
    all.sort_by(|one, other| (one.at, &one.subject).cmp(&(other.at, &other.subject)));
    all.dedup();
    let acts = all.into_iter().map(|act| Acted {
        at: words::when(act.at),
        by: act.by.clone(),
        what: done(&act.action),
        about: act.number.clone().unwrap_or_else(|| act.subject.clone()),
    });
    // Signatures come after the run ended, and with it what its papers know.
    let signed = report.signatures.iter().map(|signature| Acted {
        at: words::when(signature.signed_at),
        by: signature.by.clone(),
        what: done(&format!("run.{}", signature.event)),
        about: signature.run_id.clone(),
    });
    acts.chain(signed).collect()
}

/// What people do, and how the paper says it.
const DEEDS: [(&str, &str); 18] = [
    ("run.asked_for", "要求对账"),
    ("run.prepared", "制表"),
    ("run.reviewed", "复核"),
    ("run.returned", "退回制表"),
    ("run.reopen_asked", "申请重新打开"),
    ("run.reopened", "重新打开"),
    ("refund.approved", "批准退款"),
    ("refund.declined", "不批准退款"),
    ("treasury.applied", "申请国库退付"),
    ("treasury.verified", "核实国库退付"),
    ("treasury.approved", "财政批准退付"),
    ("treasury.paid", "国库已退付"),
    ("treasury.returned", "退付被退回"),
    ("treasury.rejected", "退付被拒绝"),
    ("bank_statement.taken_in", "导入银行对账单"),
    ("settlement.confirmed", "确认到账"),
    ("settlement.unmatch_asked", "申请撤销到账匹配"),
    ("settlement.unmatched", "撤销到账匹配"),
];

fn done(word: &str) -> String {
    if let Some((_, known)) = DEEDS.iter().find(|(known, _)| *known == word) {
        return (*known).to_owned();
    }
    let step = word
        .strip_prefix("difference.")
        .and_then(|word| DifferenceStep::ALL.into_iter().find(|step| step.as_str() == word));
    step.map_or(word.to_owned(), |step| format!("差错{}", step.chinese()))
}

/// How far a difference is worked on, a line each: state, who has it, what is proposed.
pub(super) fn standing(standing: Option<&StandingPaper>) -> Vec<String> {
    let Some(standing) = standing else { return vec!["待处理".to_owned()] };
    let mut lines = vec![standing.status.chinese().to_owned()];
    lines.extend(standing.owner.iter().cloned());
    lines.extend(standing.remedy.map(|remedy| format!("拟{}", remedy.chinese())));
    lines
}

/// What a version has otherwise than the one that was signed before it.
pub(super) struct Changed {
    pub(super) head: String,
    /// Name, before, after.
    pub(super) sums: Vec<[String; 3]>,
    /// What, order and refund, both sides before, both sides after.
    pub(super) rows: Vec<[String; 4]>,
}

/// What each merchant's version has otherwise.
pub(super) fn changed(report: &Report) -> Vec<Changed> {
    let known = report.merchants.iter().filter_map(|day| {
        let changes = day.papers.as_ref()?.changes.as_ref()?;
        Some(version(day, changes))
    });
    known.collect()
}

fn version(day: &MerchantDay, changes: &Changes) -> Changed {
    let Changes { before, after, gone, new, changed } = changes;
    let head = format!(
        "{}：第 {} 版已签后重新打开，第 {} 版与之相比：差错消除 {} 笔，新增 {} 笔，变动 {} 笔",
        words::name(day),
        before.version,
        after.version,
        gone.len(),
        new.len(),
        changed.len()
    );
    let total =
        |total: domain::bill::Total| format!("{} 笔 {} 元", total.count, total.amount_fen.yuan());
    let pair = |name: &str, of: fn(&Sums) -> domain::bill::Total, [old, new]: [&Sums; 2]| {
        [name.to_owned(), total(of(old)), total(of(new))]
    };
    let (hubs, bills) = ([&before.hub, &after.hub], [&before.bill, &after.bill]);
    let count = |name: &str, [old, new]: [u64; 2]| {
        [name.to_owned(), format!("{old} 笔"), format!("{new} 笔")]
    };
    let sums = vec![
        pair("系统支付", |sums| sums.payments, hubs),
        pair("系统退款", |sums| sums.refunds, hubs),
        pair("账单支付", |sums| sums.payments, bills),
        pair("账单退款", |sums| sums.refunds, bills),
        count("差错", [before.differences, after.differences]),
        count("存疑", [before.doubts, after.doubts]),
    ];
    let row = |what: &str, before: Option<&SaidOf>, after: Option<&SaidOf>| {
        let numbers = before.or(after).map(numbers).unwrap_or_default();
        let said = |of: Option<&SaidOf>| of.map(said).unwrap_or_default();
        [what.to_owned(), numbers, said(before), said(after)]
    };
    let gone = gone.iter().map(|it| row("消除", Some(it), None));
    let new = new.iter().map(|it| row("新增", None, Some(it)));
    let moved = changed.iter().map(|it| row("变动", Some(&it.before), Some(&it.after)));
    Changed { head, sums, rows: gone.chain(new).chain(moved).collect() }
}

fn numbers(said: &SaidOf) -> String {
    let refund = said.out_refund_no.iter().map(|number| format!("\n{number}"));
    refund.fold(said.out_trade_no.clone(), |all, number| all + &number)
}

fn said(said: &SaidOf) -> String {
    let way = |fen: Fen| signed(said.direction, fen);
    let yuan = |fen: Option<Fen>| fen.map_or("无".to_owned(), |fen| way(fen).yuan());
    let (hub, bill) = (said.hub_amount_fen, said.bill_amount_fen);
    let apart = subtract(way(bill.unwrap_or_default()), way(hub.unwrap_or_default()));
    format!("系统 {}，账单 {}，差 {}", yuan(hub), yuan(bill), apart.yuan())
}

/// How far a merchant's difference is worked on; `None` where nobody has begun.
pub(super) fn begun(day: &MerchantDay, place: usize) -> Option<&StandingPaper> {
    day.papers.as_ref()?.standing.get(place)?.as_ref()
}
