//! The fund flow bill beside the trade bill (资金账单): the account's changes, its balances, and the
//! rows of either that the other has not.

use adapters::bill::FundFlow;
use domain::bill::{BillTotals, Direction, Total};
use domain::fund::FundKind;
use domain::money::Fen;
use reconciliation::fund::{Account, BalanceGap, FundFinding, FundResult};
use serde::{Deserialize, Serialize};

use super::model::{FileStamp, MerchantDay};

/// The fund flow bill of a day, held against its trade bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundCheck {
    /// The file; `None` on a day for which the provider has none.
    pub file: Option<FileStamp>,
    /// Everything that came in.
    pub income: Total,
    /// Everything that went out.
    pub expense: Total,
    /// What payments, refunds and charges changed the balance by.
    pub from_trade: Fen,
    /// What the trade bill lets expect in sum: settled payments less refunds less charges.
    pub expected: Fen,
    /// The file's own totals as parsed.
    pub footer: Vec<(String, i64)>,
    /// What the rows gave, one by one.
    pub result: FundResult,
}

impl FundCheck {
    /// The fund flow beside the bill with these totals.
    #[must_use]
    pub fn new(
        file: Option<FileStamp>,
        flow: FundFlow,
        totals: &BillTotals,
        result: FundResult,
    ) -> Self {
        let stated =
            |name: &str| totals.footer.iter().find(|(known, _)| known == name).map(|(_, fen)| *fen);
        let settled = stated("settlement_total_fen").unwrap_or(totals.payments.amount_fen.get());
        let refunded = stated("refund_total_fen").unwrap_or(totals.refunds.amount_fen.get());
        let expected = settled.saturating_sub(refunded).saturating_sub(totals.fee.get());
        Self {
            file,
            income: flow.income,
            expense: flow.expense,
            from_trade: flow.from_trade,
            expected: Fen::new(expected),
            footer: flow.footer,
            result,
        }
    }

    /// Whether the sums are those that the trade bill lets expect. It decides nothing: the rows do.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.from_trade == self.expected
    }
}

/// The balances that a reader found, for the matcher.
#[must_use]
pub fn account(flow: &FundFlow) -> Account {
    let gap = |gap: &adapters::bill::balance::Gap| BalanceGap {
        line: gap.line,
        expected: gap.expected,
        stated: gap.stated,
    };
    Account {
        ends: flow.ends.map(|ends| (ends.opening, ends.closing)),
        gaps: flow.gaps.iter().map(gap).collect(),
    }
}

/// What a kind of change is called.
pub(super) const fn kind(kind: FundKind) -> &'static str {
    match kind {
        FundKind::Payment => "支付",
        FundKind::Refund => "退款",
        FundKind::Charge => "手续费",
        FundKind::ChargeBack => "手续费退回",
        FundKind::Withdrawal => "提现",
        FundKind::TopUp => "充值",
        FundKind::Other => "其他",
    }
}

/// What the cover says of the fund flow, a line each; nothing where nobody asked for it.
pub(super) fn remarks(day: &MerchantDay) -> Vec<String> {
    let note = day.fund_note.iter().map(|note| format!("资金账单：{note}"));
    let Some(check) = &day.fund_flow else { return note.collect() };
    let result = &check.result;
    let balance = |fen: Option<Fen>| fen.map_or("未列示".to_owned(), |fen| fen.yuan());
    let matched = result.matched.together();
    let mut lines: Vec<String> = note.collect();
    lines.push(format!(
        "资金账单：期初余额 {} 元，收入 {} 元，支出 {} 元，期末余额 {} 元；与交易账单逐笔相符 {} 笔，差错 {} 笔，存疑 {} 笔",
        balance(result.opening_fen),
        check.income.amount_fen.yuan(),
        check.expense.amount_fen.yuan(),
        balance(result.closing_fen),
        matched.count,
        result.differences.len(),
        result.doubts.len(),
    ));
    let charges =
        changes(result, FundKind::Charge).saturating_add(changes(result, FundKind::ChargeBack));
    if charges != 0 {
        lines.push(format!(
            "资金账单：手续费从本金中扣除，净额 {} 元；非税资金应全额到账",
            Fen::new(charges.saturating_neg()).yuan()
        ));
    }
    lines
}

fn changes(result: &FundResult, kind: FundKind) -> i64 {
    result.changes.get(&kind).map_or(0, |changes| changes.amount_fen.get())
}

/// A row's direction in words: 支付, 退款, or what else it was.
pub(super) fn sort(found: &FundFinding) -> &'static str {
    match found.kind.direction() {
        Some(Direction::Payment) => "支付",
        Some(Direction::Refund) => "退款",
        None => kind(found.kind),
    }
}

/// Both amounts and what the account has more than it should.
pub(super) fn amounts(found: &FundFinding) -> (Option<Fen>, Option<Fen>, Fen) {
    let (expected, shown) = (found.expected.unwrap_or_default(), found.found.unwrap_or_default());
    let apart = Fen::new(shown.get().saturating_sub(expected.get()));
    (found.expected, found.found, apart)
}
