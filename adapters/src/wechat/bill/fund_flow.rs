//! WeChat Pay's fund flow bill (资金账单): what changed the merchant's balance, and its own totals.

use domain::bill::Total;
use domain::fund::{FundKind, FundRow};
use domain::money::Fen;
use domain::time::business_day;
use jiff::civil::Date;

use super::{split, wrong_width};
use crate::bill::BillError;
use crate::bill::balance::{Balances, Ends, Gap};
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
    /// The days of the first and of the last change; `None` without any.
    pub days: Option<(Date, Date)>,
    /// What the account had before and after; `None` where no row states a balance.
    pub ends: Option<Ends>,
    /// Rows whose balance does not go on from the one before.
    pub gaps: Vec<Gap>,
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
    at: Column,
    flow_no: Column,
    provider_no: Option<Column>,
    out_no: Option<Column>,
    name: Column,
    kind: Option<Column>,
    way: Column,
    amount: Column,
    balance: Option<Column>,
}

/// Reads the rows and holds them against the footer.
pub(crate) fn read(text: &str, each: &mut dyn FnMut(FundRow<'_>)) -> Result<FundFlow, BillError> {
    let mut lines = lines(text).filter(|(_, line)| !line.trim().is_empty());
    let Some((mut last, names)) = lines.next() else {
        return Err(BillError::cut(1, "it has no line at all"));
    };
    let header = Header::read(last, names)?;
    let columns = Columns {
        at: header.need(last, "记账时间")?,
        flow_no: header.need(last, "资金流水单号")?,
        provider_no: header.find("微信支付业务单号"),
        out_no: header.find("业务凭证号"),
        name: header.need(last, "业务名称")?,
        kind: header.find("业务类型"),
        way: header.need(last, "收支类型")?,
        amount: match header.find("收支金额(元)") {
            Some(amount) => amount,
            None => header.need(last, "收支金额")?,
        },
        balance: header.find("账户结余(元)").or(header.find("账户结余")),
    };
    let mut flow = FundFlow::default();
    let mut balances = Balances::default();
    let mut fields = Vec::with_capacity(header.width());
    while let Some((line, text)) = lines.next() {
        last = line;
        if text.trim_start_matches('`').starts_with(FOOTER[0].0) {
            finish(&mut flow, (line, text), &mut lines)?;
            flow.close(balances);
            return Ok(flow);
        }
        split(text, &mut fields);
        if fields.len() != header.width() {
            return Err(wrong_width(line, fields.len(), header.width(), lines.next().is_none()));
        }
        let row = columns.read(&Row { line, fields: &fields })?;
        flow.add(&row).ok_or_else(|| {
            BillError::field(line, columns.amount.name, "the sum of the file does not fit")
        })?;
        balances.add(&row);
        each(row);
    }
    Err(BillError::cut(last, "its footer (资金流水总笔数 …) is missing"))
}

/// Reads a bill that nothing proves but its footer: one that does not state all five figures proves
/// nothing.
pub(crate) fn read_proved_by_footer(text: &str) -> Result<FundFlow, BillError> {
    let mut flow = read(text, &mut |_| ())?;
    let silent =
        FOOTER.iter().find(|(_, word)| !flow.footer.iter().any(|(stated, _)| stated == word));
    if let Some((name, _)) = silent.filter(|_| flow.footer_ok) {
        flow.footer_ok = false;
        flow.footer_fault = Some(format!("the footer does not state {name}"));
    }
    Ok(flow)
}

impl Columns {
    /// The row in the hub's words.
    fn read<'a>(&self, row: &Row<'_, 'a>) -> Result<FundRow<'a>, BillError> {
        let does_not_fit =
            || BillError::field(row.line, self.amount.name, "an amount does not fit");
        let amount = row.fen(self.amount)?.magnitude().ok_or_else(does_not_fit)?;
        let is_income = match row.text(Some(self.way)) {
            "收入" => true,
            "支出" => false,
            other => {
                let fault = format!("{other:?} is neither 收入 nor 支出");
                return Err(BillError::field(row.line, self.way.name, fault));
            }
        };
        let about = [row.text(Some(self.name)), row.text(self.kind)];
        let signed = if is_income { Some(amount) } else { amount.negated() };
        Ok(FundRow {
            line: row.line,
            occurred_at: row.time(self.at)?,
            flow_no: row.text(Some(self.flow_no)),
            provider_no: row.text(self.provider_no),
            out_no: row.text(self.out_no),
            kind: kind(about, is_income),
            amount: signed.ok_or_else(does_not_fit)?,
            balance: self.balance.map(|column| row.fen(column)).transpose()?,
        })
    }
}

/// What a row is, by both of its names.
fn kind(about: [&str; 2], is_income: bool) -> FundKind {
    let says = |word: &str| about.iter().any(|text| text.contains(word));
    match is_income {
        // A payment's charge is called 扣除交易手续费.
        true if says("手续费") => FundKind::ChargeBack,
        false if says("手续费") => FundKind::Charge,
        // What came back of a refund is none.
        true if says("退款") => FundKind::Other,
        false if says("退款") => FundKind::Refund,
        true if says("交易") => FundKind::Payment,
        true if says("充值") => FundKind::TopUp,
        false if says("提现") => FundKind::Withdrawal,
        true | false => FundKind::Other,
    }
}

impl FundFlow {
    /// Adds a row; `None`: the sum of the file does not fit.
    pub(crate) fn add(&mut self, row: &FundRow<'_>) -> Option<()> {
        let total = if row.amount < Fen::ZERO { &mut self.expense } else { &mut self.income };
        total.count = total.count.saturating_add(1);
        total.amount_fen = total.amount_fen.plus(row.amount.magnitude()?)?;
        if row.kind.is_trade() {
            self.from_trade = self.from_trade.plus(row.amount)?;
        }
        let day = business_day(row.occurred_at);
        let (first, last) = self.days.unwrap_or((day, day));
        self.days = Some((first.min(day), last.max(day)));
        Some(())
    }

    /// Takes in what following the balances gave.
    pub(crate) fn close(&mut self, balances: Balances) {
        if let Some((ends, gaps)) = balances.finish() {
            self.ends = Some(ends);
            self.gaps = gaps;
        }
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
