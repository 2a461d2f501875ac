//! What else stands in the report (目录): each sheet and section with what it comes to, so that the cover
//! leads to the rows behind its sums.

use domain::money::Fen;

use super::foot::Foot;
use super::model::Report;
use super::office::{self, SettledSums};
use super::sorted::{self, add};
use super::{refunds, tasks};

/// A sheet of the workbook, which is a section of the page, with what it comes to.
pub(super) struct Entry {
    pub(super) sheet: &'static str,
    /// The section's id on the page.
    pub(super) anchor: &'static str,
    pub(super) says: String,
    /// Whether somebody must look at it.
    pub(super) is_open: bool,
}

/// Everything behind the cover, in the order of the sheets.
pub(super) fn contents(report: &Report) -> Vec<Entry> {
    let entry = |sheet, anchor, says: String, is_open| Entry { sheet, anchor, says, is_open };
    let foot = Foot::of_all(report);
    let (listed, doubtful) = (foot.listed(), foot.doubtful);
    let mut all = Vec::new();
    if sorted::has_papers(report) {
        let net = format!("系统净额 {} 元", foot.whole.hub.net().yuan());
        all.push(entry("按收费项目", "items", net.clone(), false));
        all.push(entry("按部门", "departments", net, false));
    }
    let agreed = foot.agreed.payments.count.saturating_add(foot.agreed.refunds.count);
    let rows = format!(
        "一致 {agreed} 笔，差错 {} 笔，存疑 {} 笔",
        foot.differing.count(),
        doubtful.count()
    );
    all.push(entry("明细", "details", rows, false));
    let stake = |count: i64, fen: Fen| match count {
        0 => "无".to_owned(),
        count => format!("{count} 笔，涉及 {} 元", fen.yuan()),
    };
    let says = stake(listed.count(), listed.at_stake);
    all.push(entry("差错清单", "differences", says, listed.count() > 0));
    let says = stake(doubtful.count(), doubtful.at_stake);
    all.push(entry("存疑清单", "doubts", says, doubtful.count() > 0));
    if report.merchants.iter().any(|day| day.fund_flow.is_some()) {
        let found = report.fund_findings().count();
        let says = if found == 0 { "相符".to_owned() } else { format!("不符 {found} 笔") };
        all.push(entry("资金账单", "funds", says, found > 0));
    }
    if sorted::has_papers(report) {
        let shown = refunds::shown(report);
        let sum = Fen::sum(shown.iter().map(|one| one.amount)).unwrap_or_default();
        all.push(entry(
            "退款清单",
            "refunds",
            format!("{} 笔，{} 元", shown.len(), sum.yuan()),
            false,
        ));
    }
    if office::is_known(report) {
        known(report, &mut all);
    }
    if !office::changed(report).is_empty() {
        all.push(entry("版本变更", "changes", "与重新打开前的版本相比".to_owned(), false));
    }
    all
}

/// What the page has of the contents: a list without rows has no section there.
pub(super) fn on_page(report: &Report) -> Vec<Entry> {
    let mut entries = contents(report);
    entries.retain(|entry| match entry.anchor {
        "differences" | "doubts" | "funds" => entry.is_open,
        "refunds" => !refunds::shown(report).is_empty(),
        _ => true,
    });
    entries
}

fn known(report: &Report, all: &mut Vec<Entry>) {
    let settled = office::settled(report);
    let sums = SettledSums::of(&settled);
    let is_off =
        settled.iter().any(|one| one.is_late || one.apart.unwrap_or_default() != Fen::ZERO);
    let says = format!(
        "应到账 {}，已到账 {}，差额 {}，未到账 {}",
        sums.net.yuan(),
        sums.arrived.yuan(),
        sums.apart.yuan(),
        sums.waiting.yuan()
    );
    all.push(Entry { sheet: "资金到账", anchor: "settlements", says, is_open: is_off });
    let remitted = office::remitted(report);
    let sum = Fen::sum(remitted.iter().map(|item| item.amount_fen)).unwrap_or_default();
    let owed = office::owed(report);
    let earlier = owed.iter().fold(Fen::ZERO, |sum, item| add(sum, item.earlier_fen));
    let of_day = owed.iter().fold(Fen::ZERO, |sum, item| add(sum, item.of_day_fen));
    let says = format!(
        "本日缴库 {} 元，已收未缴 {} 元（其中以前日期 {} 元）",
        sum.yuan(),
        add(earlier, of_day).yuan(),
        earlier.yuan()
    );
    all.push(Entry { sheet: "缴库", anchor: "remitted", says, is_open: earlier > Fen::ZERO });
    let tasks = tasks::tasks(report).len();
    let says = if tasks == 0 { "无".to_owned() } else { format!("{tasks} 项") };
    all.push(Entry { sheet: "待办", anchor: "tasks", says, is_open: tasks > 0 });
    let says = format!("{} 条", office::acts(report).len());
    all.push(Entry { sheet: "操作日志", anchor: "acts", says, is_open: false });
}
