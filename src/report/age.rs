//! How old what is open is (账龄): in days from the day of its money to the day on which the paper was
//! made, in the four buckets of the office.

use domain::money::Fen;
use domain::time::business_day;
use jiff::civil::Date;

use super::model::{MerchantDay, Report};
use super::sorted::add;

/// The buckets: name and last day; the last has none.
const BUCKETS: [(&str, i32); 4] =
    [("0-1 天", 1), ("2-3 天", 3), ("4-7 天", 7), ("7 天以上", i32::MAX)];

/// What is open, by age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    pub(super) name: &'static str,
    pub(super) count: i64,
    pub(super) at_stake: Fen,
}

/// How many days old money of `first` is on the paper; `None` where nobody said when it was made.
pub(super) fn days(report: &Report, first: Date) -> Option<i32> {
    let made = business_day(report.made_at?);
    made.since(first).ok().map(|span| span.get_days().max(0))
}

/// The day of the money of a merchant's difference.
pub(super) fn first_day(day: &MerchantDay, place: usize) -> Option<Date> {
    let known = day.papers.as_ref().and_then(|papers| papers.first_days.get(place));
    known.copied().or(day.result.day)
}

/// These days and amounts by age; empty where the paper has no day of its own.
pub(super) fn buckets(report: &Report, open: impl Iterator<Item = (Date, Fen)>) -> Vec<Bucket> {
    if report.made_at.is_none() {
        return Vec::new();
    }
    let empty = |(name, _)| Bucket { name, count: 0, at_stake: Fen::ZERO };
    let mut buckets: Vec<Bucket> = BUCKETS.into_iter().map(empty).collect();
    for (first, fen) in open {
        let age = days(report, first).unwrap_or_default();
        let fits = BUCKETS.iter().position(|(_, last)| age <= *last);
        if let Some(bucket) = fits.and_then(|place| buckets.get_mut(place)) {
            bucket.count = bucket.count.saturating_add(1);
            bucket.at_stake = add(bucket.at_stake, fen);
        }
    }
    buckets
}

/// The doubts that are open, of this day and of earlier ones: day and amount.
pub(super) fn doubts(report: &Report) -> impl Iterator<Item = (Date, Fen)> {
    report.merchants.iter().flat_map(|day| {
        let own = day.result.doubts.iter().filter_map(|found| {
            Some((day.result.day?, found.hub_amount.max(found.bill_amount).unwrap_or_default()))
        });
        let carried = day.papers.iter().flat_map(|papers| &papers.carried).map(|doubt| {
            let found = &doubt.finding;
            (doubt.day, found.hub_amount.max(found.bill_amount).unwrap_or_default())
        });
        own.chain(carried)
    })
}

/// The differences that are open, of this run and of other days: day and amount.
pub(super) fn differences(report: &Report) -> impl Iterator<Item = (Date, Fen)> {
    report.merchants.iter().flat_map(|day| {
        let own = day.result.differences.iter().enumerate().filter_map(move |(place, found)| {
            let fen = found.hub_amount.max(found.bill_amount).unwrap_or_default();
            Some((first_day(day, place)?, fen))
        });
        let open = day.papers.iter().flat_map(|papers| &papers.open);
        own.chain(open.map(|open| (open.first_day, open.at_stake())))
    })
}
