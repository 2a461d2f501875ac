//! Alipay's account bill (账务明细, `signcustomer`): what changed the merchant's balance, and its
//! own totals (支出合计, 收入合计).

use domain::bill::Total;
use domain::fund::{FundKind, FundRow};
use domain::money::Fen;

use super::{split, wrong_width};
use crate::bill::balance::Balances;
use crate::bill::decimal::Decimal;
use crate::bill::table::{Column, Header, Row, lines};
use crate::bill::{BillError, FundFlow};

/// What the footer calls each direction, in Alipay's words and in the hub's.
const OUT: (&str, &str, &str) = ("支出合计", "expense_count", "expense_total_fen");
const IN: (&str, &str, &str) = ("收入合计", "income_count", "income_total_fen");

/// Whether a text begins like this bill.
pub(crate) fn recognises(text: &str) -> bool {
    text.lines()
        .map(|line| line.trim_matches([' ', '\r', '\t', '\u{feff}']))
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .is_some_and(|line| {
            Header::names_all(line, &["账务流水号", "收入金额（+元）", "支出金额（-元）"])
        })
}

struct Columns {
    at: Column,
    flow_no: Column,
    provider_no: Option<Column>,
    out_trade_no: Option<Column>,
    income: Column,
    expense: Column,
    balance: Option<Column>,
    kind: Option<Column>,
}

/// A total as the footer states it.
struct Stated {
    line: u64,
    rows: i64,
    amount: Fen,
}

/// Reads the rows and holds them against the footer.
pub(crate) fn read(text: &str, each: &mut dyn FnMut(FundRow<'_>)) -> Result<FundFlow, BillError> {
    let mut flow = FundFlow::default();
    let mut balances = Balances::default();
    let (mut income, mut expense) = (None, None);
    let mut table: Option<(Header, Columns)> = None;
    let mut fields: Vec<&str> = Vec::new();
    let mut last = 1;
    for (line, text) in lines(text) {
        let text = text.trim_matches([' ', '\r', '\u{feff}']);
        if text.trim().is_empty() {
            continue;
        }
        last = line;
        if let Some(comment) = text.strip_prefix('#') {
            let comment = comment.trim();
            if let Some(numbers) = comment.strip_prefix(IN.0) {
                income = Some(stated(line, IN.0, numbers)?);
            } else if let Some(numbers) = comment.strip_prefix(OUT.0) {
                expense = Some(stated(line, OUT.0, numbers)?);
            }
            continue;
        }
        if income.is_some() || expense.is_some() {
            return Err(BillError::field(line, "(all)", "a row stands after the footer"));
        }
        let Some((header, columns)) = &table else {
            let header = Header::read(line, text)?;
            let columns = Columns::find(line, &header)?;
            table = Some((header, columns));
            continue;
        };
        split(text, header.width(), &mut fields);
        if fields.len() != header.width() {
            return Err(wrong_width(line, fields.len(), header.width()));
        }
        let row = columns.read(&Row { line, fields: &fields })?;
        let Some(row) = row else { continue };
        flow.add(&row).ok_or_else(|| {
            BillError::field(line, columns.income.name, "the sum of the file does not fit")
        })?;
        balances.add(&row);
        each(row);
    }
    let (Some(income), Some(expense)) = (income, expense) else {
        return Err(BillError::cut(last, "its footer (#支出合计, #收入合计) is missing"));
    };
    flow.footer_ok = true;
    flow.close(balances);
    let (came, went) = (flow.income, flow.expense);
    compare(&mut flow, OUT, &expense, went);
    compare(&mut flow, IN, &income, came);
    Ok(flow)
}

impl Columns {
    fn find(line: u64, header: &Header) -> Result<Self, BillError> {
        Ok(Self {
            at: header.need(line, "发生时间")?,
            flow_no: header.need(line, "账务流水号")?,
            provider_no: header.find("业务流水号"),
            out_trade_no: header.find("商户订单号"),
            income: header.need(line, "收入金额（+元）")?,
            expense: header.need(line, "支出金额（-元）")?,
            balance: header.find("账户余额（元）"),
            kind: header.find("业务类型"),
        })
    }

    /// The row in the hub's words; `None`: nothing moved.
    fn read<'a>(&self, row: &Row<'_, 'a>) -> Result<Option<FundRow<'a>>, BillError> {
        let Some(amount) = self.amount(row)? else { return Ok(None) };
        let balance = match self.balance {
            Some(column) if !row.text(self.balance).is_empty() => Some(row.fen(column)?),
            _ => None,
        };
        Ok(Some(FundRow {
            line: row.line,
            occurred_at: row.time(self.at)?,
            flow_no: row.text(Some(self.flow_no)),
            provider_no: row.text(self.provider_no),
            out_no: row.text(self.out_trade_no),
            kind: kind(row.text(self.kind), amount > Fen::ZERO),
            amount,
            balance,
        }))
    }

    /// What came in, or with a minus what went out.
    fn amount(&self, row: &Row<'_, '_>) -> Result<Option<Fen>, BillError> {
        let amount = |column: Column| {
            row.number(Some(column))?.fen().ok_or_else(|| {
                BillError::field(row.line, column.name, "it is no amount in yuan with two decimals")
            })
        };
        let (income, expense) = (amount(self.income)?, amount(self.expense)?);
        let wrong =
            |column: Column, fault: &str| Err(BillError::field(row.line, column.name, fault));
        match (income > Fen::ZERO, expense == Fen::ZERO) {
            (true, true) => Ok(Some(income)),
            // Written with its sign or without: it went out either way.
            (false, false) if income == Fen::ZERO => {
                match expense.magnitude().and_then(Fen::negated) {
                    Some(out) => Ok(Some(out)),
                    None => wrong(self.expense, "an amount does not fit"),
                }
            }
            (false, true) if income == Fen::ZERO => Ok(None),
            (true, false) => wrong(self.expense, "money came in and went out at once"),
            (false, _) => wrong(self.income, "an income is negative"),
        }
    }
}

/// What a row is, by its kind of business (业务类型).
fn kind(word: &str, is_income: bool) -> FundKind {
    let says = |words: &[&str]| words.iter().any(|part| word.contains(part));
    match is_income {
        true if says(&["退费"]) => FundKind::ChargeBack,
        // What came back of a refund is none.
        true if says(&["退款"]) => FundKind::Other,
        true if says(&["交易", "在线支付"]) => FundKind::Payment,
        true if says(&["充值"]) => FundKind::TopUp,
        false if says(&["收费", "服务费"]) => FundKind::Charge,
        false if says(&["退款"]) => FundKind::Refund,
        false if says(&["提现"]) => FundKind::Withdrawal,
        true | false => FundKind::Other,
    }
}

/// Reads `：6笔，共0.06元`.
fn stated(line: u64, name: &str, numbers: &str) -> Result<Stated, BillError> {
    let read = || {
        let (rows, amount) =
            numbers.trim_start_matches(['：', ':']).trim().split_once(['，', ','])?;
        let rows = Decimal::parse(rows.trim().strip_suffix('笔')?.trim())?.whole()?;
        let amount = amount.trim().strip_suffix('元')?.trim().strip_prefix('共')?;
        let amount = Decimal::parse(amount.trim())?.fen()?.magnitude()?;
        Some(Stated { line, rows, amount })
    };
    read().ok_or_else(|| BillError::field(line, name, format!("{numbers:?} cannot be read")))
}

/// Holds one total against what the rows add up to. An expense was seen with and without its sign;
/// the magnitude is what must agree.
fn compare(flow: &mut FundFlow, words: (&str, &str, &str), stated: &Stated, found: Total) {
    let (name, count, amount) = words;
    flow.footer.push((count.to_owned(), stated.rows));
    flow.footer.push((amount.to_owned(), stated.amount.get()));
    let agrees = u64::try_from(stated.rows).is_ok_and(|rows| rows == found.count)
        && stated.amount == found.amount_fen;
    if !agrees && flow.footer_fault.is_none() {
        flow.footer_ok = false;
        flow.footer_fault = Some(format!(
            "line {}: {name} says {} rows and {}, the rows add up to {} and {}",
            stated.line,
            stated.rows,
            stated.amount.yuan(),
            found.count,
            found.amount_fen.yuan()
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bill::{read as read_trade, read_fund_flow};

    const HEAD: &str = "#支付宝账务明细查询\r\n#账号：[20880000000000000156]\r\n账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注\r\n";
    const ROWS: &str = "1\t,2018113022001400000000000001\t,P1\t,登记费,2018-11-30 09:00:00,a***@b.c\t,80.00,,80.00,支付宝,在线支付,\r\n\
        2\t,2018113022001400000000000001\t,P1\t,登记费,2018-11-30 09:00:01,\t,,-0.48,79.52,支付宝,收费,\r\n\
        3\t,2018113022001400000000000001\t,P1\t,登记费,2018-11-30 10:00:00,\t,0.00,-30.00,49.52,支付宝,交易退款,\r\n\
        4\t,\t,\t,提现,2018-11-30 11:00:00,\t,,-40.00,9.52,支付宝,提现,\r\n";
    const FOOT: &str = "#---账务明细列表结束---\r\n#支出合计：3笔，共-70.48元\r\n#收入合计：1笔，共80.00元\r\n#导出时间：[2018年12月01日 09:00:00]\r\n";

    fn of(rows: &str, foot: &str) -> Result<FundFlow, BillError> {
        read_fund_flow(format!("{HEAD}{rows}{foot}").as_bytes())
    }

    #[test]
    fn an_account_bill_adds_up() {
        let flow = of(ROWS, FOOT).unwrap();
        assert_eq!((flow.income.count, flow.income.amount_fen), (1, Fen::new(8000)));
        assert_eq!((flow.expense.count, flow.expense.amount_fen), (3, Fen::new(7048)));
        assert_eq!(flow.from_trade, Fen::new(4952), "without the withdrawal");
        assert!(flow.footer_ok, "{:?}", flow.footer_fault);
        let ends = flow.ends.unwrap();
        assert_eq!((ends.opening, ends.closing), (Fen::ZERO, Fen::new(952)));
        assert!(flow.gaps.is_empty(), "{:?}", flow.gaps);
        let gap = of(&ROWS.replace(",49.52,", ",49.51,"), FOOT).unwrap().gaps;
        assert_eq!(gap.iter().map(|gap| gap.line).collect::<Vec<_>>(), [6, 7]);
        let (gbk, ..) = encoding_rs::GB18030.encode(HEAD);
        let (rest, ..) = encoding_rs::GB18030.encode(ROWS);
        let (foot, ..) = encoding_rs::GB18030.encode(FOOT);
        assert_eq!(
            read_fund_flow(&[gbk, rest, foot].concat()).unwrap(),
            flow,
            "as Alipay sends it"
        );
        let plain = FOOT.replace("-70.48", "70.48");
        assert!(of(ROWS, &plain).unwrap().footer_ok, "an expense without its sign");
    }

    #[test]
    fn each_total_is_compared() {
        for (good, bad) in [("3笔", "4笔"), ("70.48", "70.49"), ("1笔", "2笔"), ("80.00", "80.01")]
        {
            let flow = of(ROWS, &FOOT.replace(good, bad)).unwrap();
            assert!(!flow.footer_ok && flow.footer_fault.is_some(), "{bad}");
        }
    }

    #[test]
    fn a_cut_or_broken_account_bill_is_refused() {
        for (rows, foot) in [
            (ROWS, "#支出合计：3笔，共-70.48元\r\n"),
            (ROWS, ""),
            (ROWS, "#支出合计：x笔，共-70.48元\r\n#收入合计：1笔，共80.00元\r\n"),
            ("1,2\r\n", FOOT),
            (&ROWS.replace("80.00,,", "80.00,-1.00,"), FOOT),
            (&ROWS.replace("80.00,,", "-80.00,,"), FOOT),
            (&ROWS.replace("-0.48", "-0.485"), FOOT),
        ] {
            assert!(of(rows, foot).is_err(), "{rows}{foot}");
        }
        let after = format!("{FOOT}{ROWS}");
        assert!(of("", &after).is_err(), "a row after the footer");
    }

    #[test]
    fn an_account_bill_is_never_taken_for_a_trade_bill() {
        let text = format!("{HEAD}{ROWS}{FOOT}");
        let fault = read_trade(text.as_bytes(), &mut |_| ()).unwrap_err().to_string();
        assert!(fault.contains("account bill"), "{fault}");
    }
}
