//! The day's money sorted by item and by department. What settles no fee and what no fee is known
//! for have lines of their own, so that the lines come to the ledger's sum on the cover; two more
//! lead from there to the bill's.

use std::collections::BTreeMap;

use domain::bill::Direction;
use domain::money::Fen;

use super::foot::{Foot, Pull, Ways, booked, is_carried};
use super::model::{MerchantDay, Report};
use super::papers::{FeePaper, Papers, RowPaper};
use super::shares::apportion;

/// What money is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum For {
    /// An item, by code and name.
    Item(String, String),
    /// No fee (多收): it goes back.
    Surplus,
    /// No fee that is known.
    Unknown,
}

impl For {
    /// Its name on the paper.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Item(_, name) => name,
            Self::Surplus => "多收（应退）",
            Self::Unknown => "未对应收费项目",
        }
    }

    /// Its code; empty where it has none.
    pub(super) fn code(&self) -> &str {
        match self {
            Self::Item(code, _) => code,
            Self::Surplus | Self::Unknown => "",
        }
    }
}

/// How a department without a name stands on the paper.
const NO_DEPARTMENT: &str = "未注明部门";

/// One row of the day, matched or not, with what stands behind it.
pub(super) struct Booked<'r> {
    pub(super) direction: Direction,
    pub(super) fen: Fen,
    pub(super) row: &'r RowPaper,
    pub(super) papers: &'r Papers,
}

/// The rows that are in the ledger's sum of the day.
pub(super) fn booked_rows(day: &MerchantDay) -> impl Iterator<Item = Booked<'_>> {
    let matched = day.result.matched.iter();
    let matched = matched.map(|row| (row.direction, Some(row.amount).filter(|_| !row.is_void)));
    let findings = day.result.doubts.iter().map(|found| (found.direction, booked(found).0));
    let differences = day.result.differences.iter().map(|found| {
        let amount = booked(found).0.filter(|_| !is_carried(found));
        (found.direction, amount)
    });
    let rows = matched.chain(findings).chain(differences);
    day.papers.iter().flat_map(move |papers| {
        let none = std::iter::repeat(&NOTHING);
        let behind = papers.rows.iter().chain(none);
        rows.clone().zip(behind).filter_map(move |((direction, fen), row)| {
            Some(Booked { direction, fen: fen?, row, papers })
        })
    })
}

static NOTHING: RowPaper = RowPaper { shares: Vec::new(), surplus: Fen::ZERO };

/// The fees of a row, each with its part.
pub(super) fn fees<'r>(
    papers: &'r Papers,
    row: &'r RowPaper,
) -> impl Iterator<Item = (&'r FeePaper, Fen)> {
    row.shares.iter().filter_map(|(place, fen)| Some((papers.fees.get(*place)?, *fen)))
}

/// By department and purpose; surplus and what is unknown have no department.
type Parts = BTreeMap<(Option<String>, For), Fen>;

/// A row in parts, which come to the row.
fn parts(booked: &Booked<'_>) -> Parts {
    let mut parts = Parts::new();
    let mut give = |department: Option<&str>, what: For, fen: Fen| {
        if fen != Fen::ZERO {
            let part = parts.entry((department.map(str::to_owned), what)).or_default();
            *part = add(*part, fen);
        }
    };
    let mut left = booked.fen;
    for (fee, share) in fees(booked.papers, booked.row) {
        let share = share.min(left);
        left = subtract(left, share);
        let department = Some(fee.department.as_deref().unwrap_or(NO_DEPARTMENT));
        let amounts: Vec<Fen> = fee.items.iter().map(|item| item.amount).collect();
        let divided = apportion(&amounts, share);
        if divided.is_empty() {
            give(department, For::Unknown, share);
        }
        for (item, fen) in fee.items.iter().zip(divided) {
            give(department, For::Item(item.code.clone(), item.name.clone()), fen);
        }
    }
    let surplus = booked.row.surplus.min(left);
    give(None, For::Surplus, surplus);
    give(None, For::Unknown, subtract(left, surplus));
    parts
}

/// Sums by purpose.
pub(super) type Sums = BTreeMap<For, Ways>;

/// One merchant's money by what it is for.
pub(super) fn by_item(day: &MerchantDay) -> Sums {
    let mut sums = Sums::new();
    for booked in booked_rows(day) {
        let mut whole = BTreeMap::<For, Fen>::new();
        for ((_, what), fen) in parts(&booked) {
            let part = whole.entry(what).or_default();
            *part = add(*part, fen);
        }
        for (what, fen) in whole {
            let ways = sums.entry(what).or_default();
            *ways = ways.plus(Ways::one(booked.direction, Some(fen)));
        }
    }
    sums
}

/// One department's money: all of it, and by what it is for.
#[derive(Clone, Debug, Default)]
pub(super) struct Department {
    pub(super) whole: Ways,
    pub(super) by_item: Sums,
}

/// The money of all merchants by department; `None`: what belongs to none.
pub(super) fn by_department(report: &Report) -> BTreeMap<Option<String>, Department> {
    let mut sums = BTreeMap::<Option<String>, Department>::new();
    for booked in report.merchants.iter().flat_map(booked_rows) {
        let mut whole = BTreeMap::<Option<String>, Fen>::new();
        for ((department, what), fen) in parts(&booked) {
            let sum = sums.entry(department.clone()).or_default();
            let ways = sum.by_item.entry(what).or_default();
            *ways = ways.plus(Ways::one(booked.direction, Some(fen)));
            let part = whole.entry(department).or_default();
            *part = add(*part, fen);
        }
        for (department, fen) in whole {
            let sum = sums.entry(department).or_default();
            sum.whole = sum.whole.plus(Ways::one(booked.direction, Some(fen)));
        }
    }
    sums
}

/// From the ledger's sum to the bill's, as the foot of the sorted sheets.
pub(super) fn closing(foot: &Foot) -> [(&'static str, Ways); 4] {
    let of = |pull: Pull| {
        let steps = foot.steps.iter().filter(|((_, of), _)| *of == pull);
        steps.fold(Ways::default(), |sum, (_, step)| sum.plus(step.moved))
    };
    [
        ("系统合计", foot.whole.hub),
        ("加：未入账（账单多列）", of(Pull::More)),
        ("减：账单未列（系统多记）", of(Pull::Less)),
        ("账单合计", foot.whole.bill),
    ]
}

/// Whether there is anything to sort by.
pub(super) fn has_papers(report: &Report) -> bool {
    report.merchants.iter().any(|day| day.papers.is_some())
}

pub(super) fn add(one: Fen, other: Fen) -> Fen {
    Fen::new(one.get().saturating_add(other.get()))
}

pub(super) fn subtract(one: Fen, other: Fen) -> Fen {
    Fen::new(one.get().saturating_sub(other.get()))
}
