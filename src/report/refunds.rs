//! The refunds of a day as the papers show them: whichever way they go, with the people behind them.

use std::collections::HashMap;

use domain::bill::Direction;
use domain::money::Fen;
use domain::refund::RefundOrigin;
use jiff::Timestamp;

use super::foot::{booked, is_carried};
use super::model::{MerchantDay, Report, signed};
use super::papers::RefundPaper;
use super::words;

/// A refund in the words of the paper.
pub(super) struct Shown {
    pub(super) merchant: String,
    pub(super) out_refund_no: String,
    pub(super) out_trade_no: String,
    pub(super) case_nos: Vec<String>,
    /// Negative, as everywhere.
    pub(super) amount: Fen,
    /// What of it is in the ledger's sum of the day.
    pub(super) counted: Option<Fen>,
    pub(super) requested_by: String,
    pub(super) decided_by: String,
    pub(super) route: &'static str,
    pub(super) state: &'static str,
    pub(super) created_at: String,
    pub(super) accepted_at: String,
    pub(super) succeeded_at: String,
    pub(super) red_flush: String,
}

/// Every refund of the day, merchant by merchant. One that the ledger counts and the papers do not
/// know has a line all the same, so that the sum is the cover's.
pub(super) fn shown(report: &Report) -> Vec<Shown> {
    let with_papers = report.merchants.iter().filter(|day| day.papers.is_some());
    with_papers.flat_map(of_merchant).collect()
}

fn of_merchant(day: &MerchantDay) -> Vec<Shown> {
    let mut counted = counted(day);
    let papers = day.papers.iter().flat_map(|papers| &papers.refunds);
    let mut all: Vec<Shown> = papers
        .map(|refund| one(day, refund, counted.remove(refund.out_refund_no.as_str())))
        .collect();
    let mut rest: Vec<(&str, Fen)> = counted.into_iter().collect();
    rest.sort_unstable();
    all.extend(rest.into_iter().map(|(number, fen)| unknown(day, number, fen)));
    all
}

/// What each refund has in the ledger's sum of the day.
fn counted(day: &MerchantDay) -> HashMap<&str, Fen> {
    let matched = day.result.matched.iter();
    let matched = matched.map(|row| {
        (row.direction, row.out_refund_no.as_str(), Some(row.amount).filter(|_| !row.is_void))
    });
    let findings = day.result.doubts.iter().chain(&day.result.differences);
    let findings = findings.map(|found| {
        let amount = booked(found).0.filter(|_| !is_carried(found));
        (found.direction, found.out_refund_no.as_str(), amount)
    });
    let mut counted = HashMap::<&str, Fen>::new();
    for (direction, number, amount) in matched.chain(findings) {
        if let (Direction::Refund, Some(amount)) = (direction, amount) {
            let sum = counted.entry(number).or_default();
            *sum = super::sorted::add(*sum, signed(direction, amount));
        }
    }
    counted
}

fn one(day: &MerchantDay, refund: &RefundPaper, counted: Option<Fen>) -> Shown {
    let when = |at: Option<Timestamp>| at.map(words::when).unwrap_or_default();
    Shown {
        merchant: words::name(day),
        out_refund_no: refund.out_refund_no.clone(),
        out_trade_no: refund.out_trade_no.clone(),
        case_nos: refund.case_nos.clone(),
        amount: signed(Direction::Refund, refund.amount),
        counted,
        requested_by: match is_of_portal(refund) {
            true => "商户平台".to_owned(),
            false => refund.requested_by.clone(),
        },
        decided_by: match (&refund.decided_by, refund.state.as_str()) {
            (None, _) if is_of_portal(refund) => "未经系统".to_owned(),
            (Some(by), _) => by.clone(),
            (None, "pending_approval") => String::new(),
            (None, _) => "免审批".to_owned(),
        },
        route: route(refund),
        state: state(&refund.state),
        created_at: words::when(refund.created_at),
        accepted_at: when(refund.accepted_at),
        succeeded_at: when(refund.succeeded_at),
        red_flush: refund.red_flush.clone().unwrap_or_default(),
    }
}

fn unknown(day: &MerchantDay, number: &str, fen: Fen) -> Shown {
    Shown {
        merchant: words::name(day),
        out_refund_no: number.to_owned(),
        out_trade_no: String::new(),
        case_nos: Vec::new(),
        amount: fen,
        counted: Some(fen),
        requested_by: String::new(),
        decided_by: String::new(),
        route: "原路退回",
        state: "见明细",
        created_at: String::new(),
        accepted_at: String::new(),
        succeeded_at: String::new(),
        red_flush: String::new(),
    }
}

/// Whether somebody made it in the provider's portal, past the hub.
fn is_of_portal(refund: &RefundPaper) -> bool {
    refund.origin == RefundOrigin::Portal.as_str()
}

fn route(refund: &RefundPaper) -> &'static str {
    match refund.route.as_str() {
        _ if is_of_portal(refund) => "平台退款\n经查询补记",
        "treasury" => "国库退付",
        _ if refund.is_redirected => "改退他户",
        _ if refund.surplus > Fen::ZERO => "原路退回\n（含多收）",
        _ => "原路退回",
    }
}

/// A refund's state on the paper.
fn state(word: &str) -> &'static str {
    match word {
        "pending_approval" => "待审批",
        "declined" => "未批准",
        "submitted" => "已提交",
        "unknown" => "结果未知",
        "processing" => "处理中",
        "succeeded" => "已退款",
        "failed" => "退款失败",
        "abnormal" => "退款异常",
        _ => "其他",
    }
}
