//! The month's statement as a page that prints on A4 across.

use askama::Template;

use super::in_words::in_words;
use super::month::{Carry, Month, MonthDay, Pile, Whole};
use super::month_bank;
use super::month_words::{self, COLUMNS, LIST, Listed};
use super::office::Settled;
use super::page::PRINT;
use super::sorted::For;

#[derive(Template)]
#[template(path = "month.html")]
struct Page {
    title: String,
    head: String,
    columns: [&'static str; 14],
    list: [&'static str; 10],
    days: Vec<Line>,
    carries: Vec<CarryLine>,
    items: Vec<String>,
    by_item: Vec<Line>,
    lists: Vec<(&'static str, Vec<Listed>)>,
    bank_columns: [&'static str; 8],
    bank_list: [&'static str; 9],
    bank_note: &'static str,
    banks: Vec<BankLine>,
    bank_days: Vec<Settled>,
    words: String,
    remarks: Vec<String>,
    print: &'static str,
}

struct Line {
    texts: Vec<String>,
    numbers: Vec<String>,
    signed: String,
    is_sum: bool,
}

struct BankLine {
    name: String,
    cells: Vec<String>,
}

struct CarryLine {
    name: String,
    what: &'static str,
    cells: Vec<String>,
}

/// The statement's text. Every text in it is escaped, whoever wrote it.
///
/// # Errors
/// Never in practice: memory does not refuse to be written to.
pub fn month_page(month: &Month) -> Result<String, askama::Error> {
    let net = month.whole().hub.net();
    let items = month.items();
    let page = Page {
        title: month_words::title(month),
        head: month_words::head(month),
        columns: COLUMNS,
        list: LIST,
        days: days(month),
        carries: carries(month),
        by_item: by_item(month, &items),
        items: items.iter().map(|what| format!("{} {}", what.code(), what.name())).collect(),
        lists: vec![
            ("未了结", month_words::listed(month, true)),
            ("已了结", month_words::listed(month, false)),
        ],
        bank_columns: month_bank::COLUMNS,
        bank_list: month_bank::LIST,
        bank_note: month_bank::NOTE,
        banks: banks(month),
        bank_days: month_bank::listed(month),
        words: format!("本月系统净额：人民币{}    ¥{}", in_words(net), net.yuan()),
        remarks: month_words::remarks(month),
        print: PRINT,
    };
    page.render()
}

fn banks(month: &Month) -> Vec<BankLine> {
    let line = |(name, bank): (String, month_bank::Bank)| {
        let late = [bank.late.count.to_string(), bank.late.amount_fen.yuan()];
        let cells = bank.amounts().map(|fen| fen.yuan()).into_iter().chain(late).collect();
        BankLine { name, cells }
    };
    month_bank::banks(month).into_iter().map(line).collect()
}

fn days(month: &Month) -> Vec<Line> {
    let mut lines = Vec::new();
    for account in &month.accounts {
        for day in &account.days {
            let [verdict, version, signed] = month_words::standing(day);
            let texts = vec![account.name(), day.day.to_string(), verdict, version];
            lines.push(Line { texts, numbers: numbers(day), signed, is_sum: false });
        }
        let label = format!("{} 小计", account.name());
        lines.push(sum(label, cells(&account.whole())));
    }
    if month.accounts.len() > 1 {
        lines.push(sum("合计".to_owned(), cells(&month.whole())));
    }
    lines
}

fn sum(label: String, numbers: Vec<String>) -> Line {
    Line { texts: vec![label], numbers, signed: String::new(), is_sum: true }
}

fn numbers(day: &MonthDay) -> Vec<String> {
    if day.found.is_none() {
        return vec![String::new(); 9];
    }
    cells(&Whole::of(std::iter::once(day)))
}

fn cells(whole: &Whole) -> Vec<String> {
    let (hub, bill) = (whole.hub, whole.bill);
    vec![
        hub.payments.count.to_string(),
        hub.payments.fen.yuan(),
        hub.refunds.count.to_string(),
        hub.refunds.fen.yuan(),
        hub.net().yuan(),
        bill.net().yuan(),
        whole.differing.yuan(),
        whole.doubtful.yuan(),
        whole.fee.yuan(),
    ]
}

fn carries(month: &Month) -> Vec<CarryLine> {
    let mut lines = Vec::new();
    let mut all = [Carry::default(); 2];
    for account in &month.accounts {
        for ((sum, carry), what) in all.iter_mut().zip(month.carries(account)).zip(["存疑", "差错"])
        {
            *sum = sum.plus(carry);
            lines.push(carry_line(account.name(), what, carry));
        }
    }
    if month.accounts.len() > 1 {
        let both = all.into_iter().zip(["存疑", "差错"]);
        lines.extend(both.map(|(carry, what)| carry_line("合计".to_owned(), what, carry)));
    }
    lines
}

fn carry_line(name: String, what: &'static str, carry: Carry) -> CarryLine {
    let piles = [carry.opening, carry.opened, carry.ended, carry.closing];
    let cell = |pile: Pile| [pile.count.to_string(), pile.amount_fen.yuan()];
    CarryLine { name, what, cells: piles.into_iter().flat_map(cell).collect() }
}

fn by_item(month: &Month, items: &[For]) -> Vec<Line> {
    let cells = |whole: &Whole| {
        let of = |what: &For| whole.items.get(what).copied().unwrap_or_default().net();
        let items = items.iter().map(|what| of(what).yuan());
        std::iter::once(whole.hub.net().yuan()).chain(items).collect::<Vec<String>>()
    };
    let mut lines = Vec::new();
    for account in &month.accounts {
        for day in account.days.iter().filter(|day| day.found.is_some()) {
            let numbers = cells(&Whole::of(std::iter::once(day)));
            let texts = vec![account.name(), day.day.to_string()];
            lines.push(Line { texts, numbers, signed: String::new(), is_sum: false });
        }
        lines.push(sum(format!("{} 小计", account.name()), cells(&account.whole())));
    }
    if month.accounts.len() > 1 {
        lines.push(sum("合计".to_owned(), cells(&month.whole())));
    }
    lines
}
