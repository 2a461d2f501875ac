//! The sorted sums as the page shows them, and its charts: numbers first, a bar beside each that can be
//! read in grey.

use domain::money::Fen;

use super::age;
use super::foot::{Foot, Ways};
use super::model::Report;
use super::sorted::{self, Sums};
use super::words;

/// What a reader must know to add up what is sorted.
pub(super) const NOTES: [&str; 2] = [
    "一笔支付或退款含多个收费项目或部门时，分别计笔数，故笔数不相加；合计行为实际笔数。",
    "部分支付、部分退款按各收费项目金额占该笔应收的比例分摊到分，余数依最大余数法、项目在前者优先。",
];

/// One line of sums.
pub(super) struct SumLine {
    pub(super) whose: String,
    pub(super) code: String,
    pub(super) name: String,
    pub(super) cells: [String; 5],
    pub(super) is_sum: bool,
}

/// A chart: bars with their numbers.
pub(super) struct Chart {
    pub(super) name: &'static str,
    pub(super) bars: Vec<Bar>,
}

/// A bar, of a thousand.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) thousandths: i64,
}

fn cells(ways: Ways) -> [String; 5] {
    [
        ways.payments.count.to_string(),
        ways.payments.fen.yuan(),
        ways.refunds.count.to_string(),
        ways.refunds.fen.yuan(),
        ways.net().yuan(),
    ]
}

/// The money by item, merchant by merchant, each with its sums; nothing where nothing is known.
pub(super) fn items(report: &Report) -> Vec<SumLine> {
    let mut lines = Vec::new();
    if !sorted::has_papers(report) {
        return lines;
    }
    let mut all = Sums::new();
    for day in &report.merchants {
        let sums = sorted::by_item(day);
        table(&mut lines, &words::name(day), &sums, &Foot::of(day));
        for (what, ways) in sums {
            let sum = all.entry(what).or_default();
            *sum = sum.plus(ways);
        }
    }
    if report.merchants.len() > 1 {
        table(&mut lines, "合计", &all, &Foot::of_all(report));
    }
    lines
}

fn table(lines: &mut Vec<SumLine>, whose: &str, sums: &Sums, foot: &Foot) {
    lines.extend(sums.iter().map(|(what, ways)| SumLine {
        whose: whose.to_owned(),
        code: what.code().to_owned(),
        name: what.name().to_owned(),
        cells: cells(*ways),
        is_sum: false,
    }));
    lines.extend(closing(whose, foot));
}

fn closing(whose: &str, foot: &Foot) -> impl Iterator<Item = SumLine> {
    sorted::closing(foot).into_iter().map(move |(name, ways)| SumLine {
        whose: whose.to_owned(),
        code: String::new(),
        name: name.to_owned(),
        cells: cells(ways),
        is_sum: name.ends_with("合计"),
    })
}

/// The money by department and item.
pub(super) fn departments(report: &Report) -> Vec<SumLine> {
    let mut lines = Vec::new();
    for (name, department) in sorted::by_department(report) {
        let whose = name.unwrap_or_else(|| "不属于部门".to_owned());
        lines.extend(department.by_item.iter().map(|(what, ways)| SumLine {
            whose: whose.clone(),
            code: String::new(),
            name: what.name().to_owned(),
            cells: cells(*ways),
            is_sum: false,
        }));
        lines.push(SumLine {
            whose,
            code: String::new(),
            name: "小计".to_owned(),
            cells: cells(department.whole),
            is_sum: true,
        });
    }
    lines.extend(closing("合计", &Foot::of_all(report)));
    lines
}

/// The match rate of the last thirty days, what is open by age, and each channel's share: each where
/// there is something to look at.
pub(super) fn charts(report: &Report) -> Vec<Chart> {
    let all = [
        Chart { name: "近三十日逐笔一致率", bars: rates(report) },
        Chart { name: "未了结差错的账龄", bars: ages(report) },
        Chart { name: "各渠道支付金额占比", bars: shares(report) },
    ];
    all.into_iter().filter(|chart| !chart.bars.is_empty()).collect()
}

/// How many thousandths `part` is of `whole`, rounded down: only a whole is shown as one.
fn thousandths(part: i64, whole: i64) -> i64 {
    if whole <= 0 {
        return 0;
    }
    i128::from(part)
        .saturating_mul(1000)
        .checked_div(i128::from(whole))
        .and_then(|share| i64::try_from(share).ok())
        .unwrap_or_default()
        .clamp(0, 1000)
}

fn per_cent(thousandths: i64) -> String {
    format!("{}.{}%", thousandths.div_euclid(10), thousandths.rem_euclid(10))
}

/// Only for one account: days of several are not of one sort.
fn rates(report: &Report) -> Vec<Bar> {
    let [day] = report.merchants.as_slice() else { return Vec::new() };
    let Some(papers) = day.papers.as_ref().filter(|papers| !papers.history.is_empty()) else {
        return Vec::new();
    };
    let foot = Foot::of(day);
    let own = day.result.day.map(|of| {
        let matched = foot.agreed.payments.count.saturating_add(foot.agreed.refunds.count);
        let unmatched = foot.listed().count().saturating_add(foot.doubtful.count());
        (of, matched, unmatched)
    });
    let before = papers.history.iter().map(|of| (of.day, of.matched, of.unmatched));
    let bar = |(day, matched, unmatched): (jiff::civil::Date, i64, i64)| {
        let all = matched.saturating_add(unmatched);
        let share = thousandths(matched, all);
        let text = if all == 0 {
            "无交易".to_owned()
        } else {
            format!("{matched} / {all} 笔　{}", per_cent(share))
        };
        Bar { name: day.to_string(), text, thousandths: share }
    };
    before.chain(own).map(bar).collect()
}

fn ages(report: &Report) -> Vec<Bar> {
    let buckets = age::buckets(report, age::differences(report));
    let most = buckets.iter().map(|bucket| bucket.count).max().unwrap_or_default();
    if most == 0 {
        return Vec::new();
    }
    let bar = |bucket: &age::Bucket| Bar {
        name: bucket.name.to_owned(),
        text: format!("{} 笔　{} 元", bucket.count, bucket.at_stake.yuan()),
        thousandths: thousandths(bucket.count, most),
    };
    buckets.iter().map(bar).collect()
}

fn shares(report: &Report) -> Vec<Bar> {
    if report.merchants.len() < 2 {
        return Vec::new();
    }
    let paid = |foot: &Foot| foot.whole.hub.payments.fen;
    let whole = paid(&Foot::of_all(report));
    if whole <= Fen::ZERO {
        return Vec::new();
    }
    let bar = |day: &super::model::MerchantDay| {
        let part = paid(&Foot::of(day));
        let share = thousandths(part.get(), whole.get());
        Bar {
            name: words::name(day),
            text: format!("{} 元　{}", part.yuan(), per_cent(share)),
            thousandths: share,
        }
    };
    report.merchants.iter().map(bar).collect()
}
