//! The cover as rows and cells, the same in the workbook and on the page: per merchant each side in
//! whole and in parts, the steps from one side to the other, and the files it stands on.

use domain::money::Fen;
use reconciliation::{Kind, label};

use super::foot::{Amount, Foot, Item, Pull, Step, Ways};
use super::in_words::in_words;
use super::model::{MerchantDay, Report};
use super::verdict::Verdict;
use super::words;

/// What stands in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Blank,
    Count(i64),
    Money(Fen),
}

/// Columns of [`Line::cells`]: 系统, 账单 and 一致 with count and amount, then 差错 and 存疑 with
/// count, the ledger's amount and the bill's.
pub(super) const CELLS: usize = 12;
/// Where the columns of the differences begin.
pub(super) const DIFFERING: usize = 6;
/// Where those of the doubts begin.
pub(super) const DOUBTFUL: usize = 9;

/// One row of a merchant's table.
pub(super) struct Line {
    pub(super) item: &'static str,
    pub(super) is_net: bool,
    pub(super) cells: [Cell; CELLS],
}

/// One merchant's table, or that of all together.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) verdict: Verdict,
    pub(super) lines: [Line; 4],
}

/// One step from the ledger's sum to the bill's, or one of the sums.
pub(super) struct Rung {
    pub(super) name: String,
    pub(super) payments: Amount,
    pub(super) refunds: Amount,
    pub(super) net: Fen,
    /// How many findings it is made of; `None` for a sum.
    pub(super) findings: Option<i64>,
    pub(super) note: &'static str,
}

/// A file or a proof that the report stands on: whose, what, its name and its SHA-256.
pub(super) struct Proof {
    pub(super) merchant: String,
    pub(super) what: &'static str,
    pub(super) name: String,
    pub(super) digest: String,
}

/// The table of each merchant, in the report's order.
pub(super) fn groups(report: &Report) -> Vec<Group> {
    let group = |day: &MerchantDay| {
        let foot = Foot::of(day);
        let verdict = Verdict::of(day.is_balanced(), &foot);
        Group { name: words::name(day), verdict, lines: lines(&foot) }
    };
    report.merchants.iter().map(group).collect()
}

/// The table of all merchants together.
pub(super) fn together(report: &Report) -> Group {
    let lines = lines(&Foot::of_all(report));
    Group { name: "合计".to_owned(), verdict: report.verdict(), lines }
}

fn lines(foot: &Foot) -> [Line; 4] {
    [payments(foot), refunds(foot), net(foot), fee(foot)]
}

fn payments(foot: &Foot) -> Line {
    let way = |ways: Ways| ways.payments;
    let findings = (foot.differing.payments, foot.doubtful.payments);
    Line { item: "支付", is_net: false, cells: counted(foot, way, findings) }
}

fn refunds(foot: &Foot) -> Line {
    let way = |ways: Ways| ways.refunds;
    let findings = (foot.differing.refunds, foot.doubtful.refunds);
    Line { item: "退款", is_net: false, cells: counted(foot, way, findings) }
}

fn counted(
    foot: &Foot,
    way: impl Fn(Ways) -> Amount,
    (differences, doubts): (i64, i64),
) -> [Cell; CELLS] {
    let pair = |ways: Ways| {
        let Amount { count, fen } = way(ways);
        (Cell::Count(count), Cell::Money(fen))
    };
    let (hub, bill, agreed) = (pair(foot.whole.hub), pair(foot.whole.bill), pair(foot.agreed));
    let (differing, doubtful) = (foot.differing.both, foot.doubtful.both);
    let fen = |ways: Ways| Cell::Money(way(ways).fen);
    [
        hub.0,
        hub.1,
        bill.0,
        bill.1,
        agreed.0,
        agreed.1,
        Cell::Count(differences),
        fen(differing.hub),
        fen(differing.bill),
        Cell::Count(doubts),
        fen(doubtful.hub),
        fen(doubtful.bill),
    ]
}

/// Payments and refunds are no rows of one sort: their money is netted, their number is not.
fn net(foot: &Foot) -> Line {
    let net = |ways: Ways| Cell::Money(ways.net());
    let (differing, doubtful) = (foot.differing.both, foot.doubtful.both);
    let cells = [
        Cell::Blank,
        net(foot.whole.hub),
        Cell::Blank,
        net(foot.whole.bill),
        Cell::Blank,
        net(foot.agreed),
        Cell::Blank,
        net(differing.hub),
        net(differing.bill),
        Cell::Blank,
        net(doubtful.hub),
        net(doubtful.bill),
    ];
    Line { item: "净额", is_net: true, cells }
}

/// What the provider charged: only the bill knows.
fn fee(foot: &Foot) -> Line {
    let blank = Cell::Blank;
    let cells = [
        blank,
        blank,
        blank,
        Cell::Money(foot.fee),
        blank,
        Cell::Money(foot.agreed_fee()),
        blank,
        blank,
        Cell::Money(foot.differing.fee),
        blank,
        blank,
        Cell::Money(foot.doubtful.fee),
    ];
    Line { item: "手续费", is_net: false, cells }
}

/// From the ledger's sum to the bill's: the first is the ledger's, the last two are the bill's own
/// and what is left unexplained.
pub(super) fn rungs(report: &Report) -> Vec<Rung> {
    let foot = Foot::of_all(report);
    let mut rungs = vec![sum("系统合计", foot.whole.hub, "本系统已入账")];
    for (item, plain) in ITEMS {
        let steps: Vec<_> = foot.steps.iter().filter(|((of, _), _)| *of == item).collect();
        if steps.is_empty() {
            rungs.push(rung((item, plain), &Step::default()));
        }
        rungs.extend(steps.into_iter().map(|((item, pull), step)| rung((*item, *pull), step)));
    }
    rungs.push(sum("调节后合计", foot.reconciled(), "以上各行相加"));
    rungs.push(sum("账单合计", foot.whole.bill, "渠道账单明细"));
    rungs.push(sum("调节后差额", foot.residue(), "必须为 0.00"));
    rungs
}

/// Every step has a line, whether anything is in it or not; which one an empty step shows.
const ITEMS: [(Item, Pull); 7] = [
    (Item::Difference(Kind::OnlyInHub), Pull::Less),
    (Item::Difference(Kind::OnlyInBill), Pull::More),
    (Item::Difference(Kind::DuplicateInBill), Pull::More),
    (Item::Difference(Kind::AmountDiffers), Pull::Level),
    (Item::Difference(Kind::StateDiffers), Pull::Level),
    (Item::Difference(Kind::FeeDiffers), Pull::Level),
    (Item::Doubt, Pull::Level),
];

fn sum(name: &str, ways: Ways, note: &'static str) -> Rung {
    let (payments, refunds) = (ways.payments, ways.refunds);
    Rung { name: name.to_owned(), payments, refunds, net: ways.net(), findings: None, note }
}

fn rung((item, pull): (Item, Pull), step: &Step) -> Rung {
    let (word, note) = match item {
        Item::Difference(kind) => (label::kind(kind), note(kind)),
        Item::Doubt => ("存疑", "待下一份账单或渠道答复确定"),
    };
    let shown = match (item, pull) {
        (Item::Difference(Kind::AmountDiffers), Pull::Less) => "（账单较小）",
        (Item::Difference(Kind::AmountDiffers), Pull::More) => "（账单较大）",
        (Item::Difference(Kind::StateDiffers), Pull::More) => "（仅账单计入）",
        (Item::Difference(Kind::StateDiffers), Pull::Less) => "（仅系统计入）",
        (Item::Doubt, Pull::Less) => "（仅系统有）",
        (Item::Doubt, Pull::More) => "（仅账单有）",
        (Item::Difference(_) | Item::Doubt, _) => "",
    };
    let mut rung = sum(&format!("{word}{shown}"), step.moved, note);
    rung.findings = Some(step.findings);
    rung
}

const fn note(kind: Kind) -> &'static str {
    match kind {
        Kind::OnlyInHub => "系统已入账，账单未列",
        Kind::OnlyInBill => "账单已列，系统未入账",
        Kind::DuplicateInBill => "账单重复列示",
        Kind::AmountDiffers => "两边均有，金额不同",
        Kind::StateDiffers => "两边均有，状态不同",
        Kind::FeeDiffers => "本金相符，仅手续费不符",
    }
}

/// What is signed for: the agreed net in words. Beside it, what is not part of it.
pub(super) fn agreed(report: &Report) -> [String; 2] {
    let foot = Foot::of_all(report);
    let net = foot.agreed.net();
    let (differing, doubtful) = (foot.differing.both, foot.doubtful.both);
    [
        format!("核对一致净额：人民币{}    ¥{}", in_words(net), net.yuan()),
        format!(
            "不含：差错净额 系统 ¥{}、账单 ¥{}；存疑净额 系统 ¥{}、账单 ¥{}。渠道手续费 ¥{}",
            differing.hub.net().yuan(),
            differing.bill.net().yuan(),
            doubtful.hub.net().yuan(),
            doubtful.bill.net().yuan(),
            foot.fee.yuan(),
        ),
    ]
}

/// What the reader must know of a merchant's papers beyond the sums, a line each.
pub(super) fn remarks(day: &MerchantDay) -> Vec<String> {
    let outside = &day.result.outside;
    let mut remarks: Vec<String> = words::footer_fault(day).into_iter().collect();
    if !day.totals.unknown_columns.is_empty() {
        let names = day.totals.unknown_columns.join("、");
        remarks.push(format!("账单有本系统不认识的列（已忽略）：{names}"));
    }
    remarks.extend(super::fund::remarks(day));
    if outside.unpaid.saturating_add(outside.other_day).saturating_add(outside.not_listed) > 0 {
        remarks.push(format!(
            "不计入本日：未支付且账单也没有的 {} 笔，其他日期的 {} 笔，本账单不列此方向的 {} 笔",
            outside.unpaid, outside.other_day, outside.not_listed
        ));
    }
    let Foot { carried, void, .. } = Foot::of(day);
    let unmoved = void.payments.count.saturating_add(void.refunds.count);
    if unmoved > 0 {
        remarks.push(format!(
            "账单另列未动款的 {unmoved} 笔（已撤销的支付 {} 元、失败的退款 {} 元），不计入本表金额",
            void.payments.fen.yuan(),
            void.refunds.fen.yuan()
        ));
    }
    if carried.count() > 0 {
        remarks.push(format!(
            "差错清单另含以前日期存疑转入的 {} 笔、涉及 {} 元，不计入本日合计",
            carried.count(),
            carried.at_stake.yuan()
        ));
    }
    remarks
}

/// The files with their SHA-256 and the journal's head.
pub(super) fn proofs(day: &MerchantDay) -> Vec<Proof> {
    let proof = |what, name: &str, digest: &str| Proof {
        merchant: words::name(day),
        what,
        name: name.to_owned(),
        digest: digest.to_owned(),
    };
    let mut proofs = vec![match &day.bill {
        Some(file) => proof("渠道账单", &file.name, &file.sha256),
        None => proof("渠道账单", "渠道答复当日无账单（无交易）", ""),
    }];
    let fund = day.fund_flow.as_ref().and_then(|check| check.file.as_ref());
    proofs.extend(fund.map(|file| proof("资金账单", &file.name, &file.sha256)));
    proofs.extend(day.ledger.as_ref().map(|file| proof("系统账", &file.name, &file.sha256)));
    if let Some(heads) = &day.journal_head {
        // One word for one journal; for several, each with its merchant and number before it.
        for head in heads.split_whitespace() {
            let (name, digest) = head.rsplit_once(':').unwrap_or(("", head));
            proofs.push(proof("账簿链头", name, digest));
        }
    }
    proofs
}

/// Which run of the day the paper is of; of several merchants each its own, where they differ.
pub(super) fn version(report: &Report) -> String {
    let versions: Vec<Option<i32>> = report.merchants.iter().map(|day| day.version).collect();
    match versions.as_slice() {
        [Some(first), rest @ ..] if rest.iter().all(|other| *other == Some(*first)) => {
            format!("第 {first} 版")
        }
        versions if versions.iter().all(Option::is_none) => String::new(),
        _ => {
            let each = report
                .merchants
                .iter()
                .filter_map(|day| Some(format!("{} 第 {} 版", words::name(day), day.version?)));
            each.collect::<Vec<_>>().join("、")
        }
    }
}

/// Unit, day, version and time, as they stand at the head of every sheet.
pub(super) fn head(report: &Report) -> String {
    let office = report.office.as_deref().unwrap_or("______________________");
    let day = report.day().map_or("____年__月__日".to_owned(), |day| day.to_string());
    let version = version(report);
    let version = if version.is_empty() { version } else { format!("    {version}") };
    let made =
        report.made_at.map(|at| format!("    制表时间：{}", words::when(at))).unwrap_or_default();
    format!("单位：{office}    对账日：{day}{version}{made}    金额单位：元，退款以负数列示")
}
