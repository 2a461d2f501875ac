//! What the day comes to (结论): one of three, and never green over money that nobody has decided.

use super::foot::Foot;
use super::model::Report;

/// The conclusion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// 平: every row agrees.
    Balanced,
    /// 平（存疑）: nothing differs, but rows wait for the next file or for an answer.
    Undecided,
    /// 不平: something differs, the bill contradicts itself, or the report does not foot.
    Unbalanced,
}

impl Verdict {
    /// Its word on a report.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Balanced => "平",
            Self::Undecided => "平（存疑）",
            Self::Unbalanced => "不平",
        }
    }

    pub(super) fn of(is_balanced: bool, foot: &Foot) -> Self {
        if !is_balanced || !foot.holds() {
            Self::Unbalanced
        } else if foot.doubtful.count() > 0 {
            Self::Undecided
        } else {
            Self::Balanced
        }
    }
}

impl Report {
    /// The conclusion over all merchants. Each must foot by itself.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let each = self.merchants.iter().map(|day| Verdict::of(day.is_balanced(), &Foot::of(day)));
        each.max().unwrap_or(Verdict::Balanced)
    }
}

/// The conclusion in one line, the same in every form.
pub(super) fn conclusion(report: &Report) -> String {
    let foot = Foot::of_all(report);
    let (listed, doubts) = (foot.listed(), foot.doubtful.count());
    let doubt = format!("存疑 {doubts} 笔，涉及 {} 元", foot.doubtful.at_stake.yuan());
    match report.verdict() {
        Verdict::Balanced => "结论：平".to_owned(),
        Verdict::Undecided => format!("结论：平（{doubt}）"),
        Verdict::Unbalanced => {
            let mut line = format!(
                "结论：不平    差错 {} 笔，涉及 {} 元",
                listed.count(),
                listed.at_stake.yuan()
            );
            if doubts > 0 {
                line.push_str(&format!("    {doubt}"));
            }
            let funds = report.fund_findings().filter(|(_, word, _)| *word == "差错").count();
            if funds > 0 {
                line.push_str(&format!("    资金账单差错 {funds} 笔"));
            }
            if !report.merchants.iter().all(|day| Foot::of(day).holds()) {
                line.push_str("    本表调节后差额不为零，不得签字");
            }
            line
        }
    }
}
