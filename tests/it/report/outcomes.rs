//! Days as they may come out of the matcher: each ledger row is left alone, lost, changed, doubled
//! or put near the cut in the bill, foreign rows are added, and some findings become doubts, as
//! they do where the provider could not be asked.

use domain::bill::{BillRow, BillState, BillTotals, Coverage, Direction, RatePpm};
use domain::money::Fen;
use domain::provider::Provider;
use domain::time::day_start;
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use payhub::report::{FeePaper, FileStamp, ItemPaper, MerchantDay, Papers, Report, RowPaper};
use proptest::prelude::*;
use reconciliation::{LedgerRow, LedgerState, Matcher, Reconciliation, Rules};

pub(super) const DAY: Date = date(2018, 11, 30);

/// What becomes of a row between the two sides.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    Same,
    OnlyLedger,
    OnlyBill,
    Dearer,
    Cheaper,
    Twice,
    Unbooked,
    Failed,
    WrongFee,
    NearCut,
}

/// One row: payment or refund, its amount, and its fate.
pub(super) type Planted = (bool, i64, Fate);

pub(super) fn planted() -> impl Strategy<Value = Vec<Planted>> {
    use Fate::{
        Cheaper, Dearer, Failed, NearCut, OnlyBill, OnlyLedger, Same, Twice, Unbooked, WrongFee,
    };
    let fates = vec![
        Same, Same, Same, OnlyLedger, OnlyBill, Dearer, Cheaper, Twice, Unbooked, Failed, WrongFee,
        NearCut,
    ];
    let row = (any::<bool>(), 1_i64..100_000_000, prop::sample::select(fates));
    prop::collection::vec(row, 0..40)
}

/// The result of matching these rows; every `doubt`-th difference is not decided.
pub(super) fn result(rows: &[Planted], doubt: usize) -> Reconciliation {
    let mut ledger = Vec::new();
    let mut bill = Vec::new();
    for (number, (is_refund, amount, fate)) in rows.iter().enumerate() {
        plant(number, *is_refund, *amount, *fate, &mut ledger, &mut bill);
    }
    let mut matcher = Matcher::new(Rules { day: Some(DAY), fee_rate: Some(RatePpm(6000)) }, ledger);
    for (line, row) in (2..).zip(&bill) {
        matcher.bill_row(&row.row(line));
    }
    let mut result = matcher.finish(Some(DAY), Coverage::BOTH);
    let differences = std::mem::take(&mut result.differences);
    for (number, finding) in differences.into_iter().enumerate() {
        let is_doubt = doubt > 0 && number % doubt == 0;
        (if is_doubt { &mut result.doubts } else { &mut result.differences }).push(finding);
    }
    result
}

/// A bill row with texts of its own.
struct Owned {
    direction: Direction,
    key: String,
    amount: i64,
    state: BillState,
    at: Timestamp,
    fee: i64,
}

impl Owned {
    fn row(&self, line: u64) -> BillRow<'_> {
        let is_refund = self.direction == Direction::Refund;
        BillRow {
            line,
            direction: self.direction,
            out_trade_no: &self.key,
            out_refund_no: if is_refund { &self.key } else { "" },
            provider_trade_no: &self.key,
            provider_refund_no: "",
            amount: Fen::new(self.amount),
            settled: None,
            state: self.state,
            occurred_at: self.at,
            fee: Some(Fen::new(self.fee)),
            rate: None,
        }
    }
}

fn plant(
    number: usize,
    is_refund: bool,
    amount: i64,
    fate: Fate,
    ledger: &mut Vec<LedgerRow>,
    bill: &mut Vec<Owned>,
) {
    let direction = if is_refund { Direction::Refund } else { Direction::Payment };
    let key = format!("P{number:031}");
    let minutes = if matches!(fate, Fate::NearCut) { 3 } else { 600 };
    let at = day_start(DAY) + SignedDuration::from_mins(minutes);
    let done = if is_refund { LedgerState::Succeeded } else { LedgerState::Paid };
    let not_yet = if is_refund { LedgerState::Failed } else { LedgerState::Closed };
    let is_near = matches!(fate, Fate::NearCut);
    // Near the cut every other row is in the bill alone.
    let only_bill = matches!(fate, Fate::OnlyBill) || (is_near && number.is_multiple_of(2));
    let has_ledger = !only_bill;
    if has_ledger {
        ledger.push(LedgerRow {
            direction,
            out_trade_no: key.clone(),
            out_refund_no: if is_refund { key.clone() } else { String::new() },
            provider_trade_no: key.clone(),
            amount: Fen::new(amount),
            state: if matches!(fate, Fate::Unbooked) { not_yet } else { done },
            occurred_at: at,
        });
    }
    if matches!(fate, Fate::OnlyLedger) || (is_near && has_ledger) {
        return;
    }
    let more = i64::from(matches!(fate, Fate::Dearer));
    let amount = amount + more - i64::from(matches!(fate, Fate::Cheaper));
    let fee = (amount * 6000 + 500_000) / 1_000_000;
    let fee = if is_refund { -fee } else { fee };
    let row = || Owned {
        direction,
        key: key.clone(),
        amount,
        state: if matches!(fate, Fate::Failed) { BillState::Failed } else { BillState::Succeeded },
        at,
        fee: if matches!(fate, Fate::WrongFee) { fee + 7 } else { fee },
    };
    bill.push(row());
    if matches!(fate, Fate::Twice) {
        bill.push(row());
    }
}

/// What stands behind the rows of a result: fees of two items and two departments in turn, of which a
/// row is the whole, a part, or a part and a surplus. What only the bill has has nothing.
pub(super) fn papers(result: &Reconciliation) -> Papers {
    let item = |code: &str, name: &str, amount| ItemPaper {
        code: code.to_owned(),
        name: name.to_owned(),
        amount: Fen::new(amount),
    };
    let mut papers = Papers::default();
    let matched = result.matched.iter().map(|row| Some(row.amount));
    let findings = result.doubts.iter().chain(&result.differences).map(|found| found.hub_amount);
    for (number, amount) in matched.chain(findings).enumerate() {
        let Some(amount) = amount.map(Fen::get) else {
            papers.rows.push(RowPaper::default());
            continue;
        };
        let whole = amount * if number.is_multiple_of(3) { 3 } else { 1 };
        papers.fees.push(FeePaper {
            case_no: format!("{number:020}"),
            notice_no: Some(format!("5{number:019}")),
            payer: "张*".to_owned(),
            department: (!number.is_multiple_of(4)).then(|| format!("登记{}科", number % 2 + 1)),
            items: vec![
                item("REG.RES", "住宅类登记费", whole / 3),
                item("CERT", "证书工本费", 0),
                item("REG.NONRES", "非住宅类登记费", whole - whole / 3),
            ],
        });
        let surplus = if number.is_multiple_of(5) { amount / 4 } else { 0 };
        papers.rows.push(RowPaper {
            shares: vec![(papers.fees.len() - 1, Fen::new(amount - surplus))],
            surplus: Fen::new(surplus),
        });
    }
    papers.first_days = result.differences.iter().map(|_| DAY).collect();
    papers
}

/// The same report as the hub makes it, with what it knows behind the rows.
pub(super) fn with_papers(mut report: Report) -> Report {
    for day in &mut report.merchants {
        day.papers = Some(papers(&day.result));
    }
    report
}

/// A report of these days, of WeChat and Alipay in turn.
pub(super) fn report(results: Vec<Reconciliation>) -> Report {
    let providers = [Provider::Wechat, Provider::Alipay];
    let day = |(number, result): (usize, Reconciliation)| MerchantDay {
        merchant: format!("registry-{number}"),
        totals: BillTotals::empty(providers[number % 2], DAY),
        bill: Some(FileStamp::of("bill.csv", b"bytes")),
        ledger: None,
        result,
        fund_flow: None,
        fund_note: None,
        journal_head: Some("00ff".to_owned()),
        version: Some(1),
        digest: None,
        papers: None,
    };
    Report {
        office: Some("园区不动产登记中心".to_owned()),
        made_at: Some(day_start(DAY)),
        signatures: Vec::new(),
        merchants: results.into_iter().enumerate().map(day).collect(),
    }
}
