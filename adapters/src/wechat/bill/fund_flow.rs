//! WeChat Pay's fund flow bill (资金账单): what changed the merchant's balance, and its own totals.

use domain::bill::Total;
use domain::money::Fen;

use super::{split, wrong_width};
use crate::bill::BillError;
use crate::bill::decimal::Decimal;
use crate::bill::table::{Column, Header, Row, lines, plain};

/// What a fund flow bill adds up to, in fen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FundFlow {
    /// Everything that came in (收入).
    pub income: Total,
    /// Everything that went out (支出).
    pub expense: Total,
    /// Of both, what is about payments, refunds and their charges, income less expense; the rest
    /// is withdrawals, top-ups and the like, which no trade bill lists.
    pub from_trade: Fen,
    /// The footer as parsed, name by name in the hub's words.
    pub footer: Vec<(String, i64)>,
    /// Whether each number of the footer equals what the rows add up to.
    pub footer_ok: bool,
    /// The first one that does not, in words for a person.
    pub footer_fault: Option<String>,
}

const FOOTER: [(&str, &str); 5] = [
    ("资金流水总笔数", "count"),
    ("收入笔数", "income_count"),
    ("收入金额", "income_total_fen"),
    ("支出笔数", "expense_count"),
    ("支出金额", "expense_total_fen"),
];

/// Whether a text begins like this bill.
pub(crate) fn recognises(text: &str) -> bool {
    text.lines()
        .find(|line| !line.trim().is_empty())
        .is_some_and(|line| Header::names_all(line, &["资金流水单号", "收支类型"]))
}

struct Columns {
    name: Column,
    kind: Option<Column>,
    way: Column,
    amount: Column,
}

/// Reads the rows and holds them against the footer.
pub(crate) fn read(text: &str) -> Result<FundFlow, BillError> {
    let mut lines = lines(text).filter(|(_, line)| !line.trim().is_empty());
    let Some((mut last, names)) = lines.next() else {
        return Err(BillError::cut(1, "it has no line at all"));
    };
    let header = Header::read(last, names)?;
    let columns = Columns {
        name: header.need(last, "业务名称")?,
        kind: header.find("业务类型"),
        way: header.need(last, "收支类型")?,
        amount: match header.find("收支金额(元)") {
            Some(amount) => amount,
            None => header.need(last, "收支金额")?,
        },
    };
    let mut flow = FundFlow::default();
    let mut fields = Vec::with_capacity(header.width());
    while let Some((line, text)) = lines.next() {
        last = line;
        if text.trim_start_matches('`').starts_with(FOOTER[0].0) {
            finish(&mut flow, (line, text), &mut lines)?;
            return Ok(flow);
        }
        split(text, &mut fields);
        if fields.len() != header.width() {
            return Err(wrong_width(line, fields.len(), header.width(), lines.next().is_none()));
        }
        flow.add(&columns, &Row { line, fields: &fields })?;
    }
    Err(BillError::cut(last, "its footer (资金流水总笔数 …) is missing"))
}

/// Reads a bill that nothing proves but its footer: one that does not state all five figures proves
/// nothing.
pub(crate) fn read_proved_by_footer(text: &str) -> Result<FundFlow, BillError> {
    let mut flow = read(text)?;
    let silent =
        FOOTER.iter().find(|(_, word)| !flow.footer.iter().any(|(stated, _)| stated == word));
    if let Some((name, _)) = silent.filter(|_| flow.footer_ok) {
        flow.footer_ok = false;
        flow.footer_fault = Some(format!("the footer does not state {name}"));
    }
    Ok(flow)
}

impl FundFlow {
    fn add(&mut self, columns: &Columns, row: &Row<'_, '_>) -> Result<(), BillError> {
        let amount = row.fen(columns.amount)?;
        let does_not_fit =
            || BillError::field(row.line, columns.amount.name, "the sum of the file does not fit");
        let amount = amount.magnitude().ok_or_else(does_not_fit)?;
        let (total, signed) = match row.text(Some(columns.way)) {
            "收入" => (&mut self.income, Some(amount)),
            "支出" => (&mut self.expense, amount.negated()),
            other => {
                let fault = format!("{other:?} is neither 收入 nor 支出");
                return Err(BillError::field(row.line, columns.way.name, fault));
            }
        };
        total.count = total.count.saturating_add(1);
        total.amount_fen = total.amount_fen.plus(amount).ok_or_else(does_not_fit)?;
        let about = [row.text(Some(columns.name)), row.text(columns.kind)];
        let is_trade = about
            .iter()
            .any(|text| ["交易", "退款", "手续费"].iter().any(|word| text.contains(word)));
        if is_trade {
            self.from_trade =
                signed.and_then(|signed| self.from_trade.plus(signed)).ok_or_else(does_not_fit)?;
        }
        Ok(())
    }

    /// What the rows add up to under a footer's name.
    fn sum(&self, word: &str) -> i64 {
        let count = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX);
        match word {
            "count" => count(self.income.count.saturating_add(self.expense.count)),
            "income_count" => count(self.income.count),
            "expense_count" => count(self.expense.count),
            "income_total_fen" => self.income.amount_fen.get(),
            _ => self.expense.amount_fen.get(),
        }
    }
}

fn finish<'a>(
    flow: &mut FundFlow,
    (line, names): (u64, &'a str),
    lines: &mut dyn Iterator<Item = (u64, &'a str)>,
) -> Result<(), BillError> {
    let Some((line, text)) = lines.next() else {
        return Err(BillError::cut(line, "the footer's line of numbers is missing"));
    };
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    split(names, &mut keys);
    split(text, &mut values);
    if keys.len() != values.len() {
        return Err(wrong_width(line, values.len(), keys.len(), true));
    }
    flow.footer_ok = true;
    for (name, text) in keys.iter().zip(&values) {
        let text = text.trim();
        // Some files name the unit too: `收入金额（元）`.
        let name = plain(name);
        let bare = name.trim_end_matches("(元)").trim_end_matches("(笔)");
        let Some((_, word)) = FOOTER.iter().find(|(known, _)| *known == bare) else { continue };
        let parsed = Decimal::parse(text);
        let stated = if word.ends_with("count") {
            parsed.and_then(Decimal::whole)
        } else {
            parsed.and_then(Decimal::fen).map(Fen::get)
        };
        let stated = stated.ok_or_else(|| {
            BillError::field(line, &name, format!("{text:?} in the footer is not a number"))
        })?;
        flow.footer.push(((*word).to_owned(), stated));
        let found = flow.sum(word);
        if stated != found && flow.footer_fault.is_none() {
            flow.footer_ok = false;
            flow.footer_fault = Some(format!("line {line}: {name} says {text}, the rows differ"));
        }
    }
    Ok(())
}
