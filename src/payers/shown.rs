//! Statements as the API shows them, as a page that prints on A4, and as a table.

use askama::Template;
use domain::Fen;
use domain::time::{beijing, business_day};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use crate::fault::Fault;
use crate::hub::Hub;
use crate::report::{self, harmless, in_words};
use crate::store::payers::{self, WhichStatements};

/// The columns of the table.
const COLUMNS: [&str; 8] =
    ["number", "position", "kind", "fee_id", "case_no", "issued_at", "items", "amount_fen"];

/// Statements as their list answers them, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn statements(
    hub: &Hub,
    which: WhichStatements<'_>,
    limit: i64,
) -> Result<Vec<Value>, Fault> {
    let client = hub.store.client().await?;
    let today = business_day(hub.clock.now());
    Ok(payers::list(&client, &WhichStatements { today, ..which }, limit).await?)
}

/// A statement of an application with its lines.
///
/// # Errors
/// 404 when there is none.
pub async fn statement(hub: &Hub, application: &str, id: &str) -> Result<Value, Fault> {
    let which = WhichStatements {
        application: Some(application),
        id: Some(id),
        ..WhichStatements::default()
    };
    let found = statements(hub, which, 1).await?.pop();
    found.ok_or_else(|| Fault::not_found("payer statement"))
}

#[derive(Template)]
#[template(path = "payer_statement.html")]
struct Page<'a> {
    office: &'a str,
    number: &'a str,
    account: &'a str,
    month: &'a str,
    due_on: &'a str,
    made_on: String,
    status: &'static str,
    lines: Vec<Line>,
    corrections: Vec<Line>,
    total: String,
    words: String,
    since: Option<String>,
    print: &'static str,
}

struct Line {
    place: String,
    case_no: String,
    items: String,
    issued_on: String,
    what: String,
    amount: String,
}

/// The statement's text. Every text in it is escaped, whoever wrote it.
///
/// # Errors
/// Never in practice: memory does not refuse to be written to.
pub fn page(office: &str, statement: &Value) -> Result<String, Fault> {
    let text = |name: &str| statement.get(name).and_then(Value::as_str).unwrap_or_default();
    let total = fen(statement, "total_fen");
    let voided = fen(statement, "voided_fen");
    let open = fen(statement, "open_fen");
    let since = (voided > Fen::ZERO).then(|| {
        format!("出单后作废 ¥{}，待付 ¥{}（人民币{}）", voided.yuan(), open.yuan(), in_words(open))
    });
    let (charges, corrections): (Vec<&Value>, Vec<&Value>) =
        lines(statement).partition(|line| word(line, "kind") == "charge");
    let page = Page {
        office,
        number: text("number"),
        account: text("account_name"),
        month: text("month"),
        due_on: text("due_on"),
        made_on: day(statement, "made_at"),
        status: match text("status") {
            "paid" => "已付讫",
            "nothing_owed" => "无应付",
            _ => "待付款",
        },
        lines: charges.into_iter().map(line).collect(),
        corrections: corrections.into_iter().map(line).collect(),
        total: total.yuan(),
        words: format!("人民币{}", in_words(total)),
        since,
        print: report::PRINT,
    };
    page.render().map_err(|error| Fault::internal(&error))
}

/// The statement's lines as CSV (RFC 4180, UTF-8 without a byte order mark).
///
/// # Errors
/// Never in practice: memory does not refuse to be written to.
pub fn csv(statement: &Value) -> Result<Vec<u8>, Fault> {
    let fault = |error: csv::Error| Fault::internal(&error);
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(fault)?;
    let number = word(statement, "number");
    for line in lines(statement) {
        let position = whole(line, "position").to_string();
        let amount = whole(line, "amount_fen").to_string();
        let (case_no, items) = (harmless(word(line, "case_no")).into_owned(), items(line));
        let row = [
            number,
            &position,
            word(line, "kind"),
            word(line, "fee_id"),
            &case_no,
            word(line, "issued_at"),
            &items,
            &amount,
        ];
        writer.write_record(row).map_err(fault)?;
    }
    writer.into_inner().map_err(|error| Fault::internal(&error))
}

fn lines(statement: &Value) -> impl Iterator<Item = &Value> {
    statement.get("lines").and_then(Value::as_array).into_iter().flatten()
}

fn line(line: &Value) -> Line {
    let charged_on = word(line, "charged_on");
    let is_void = line.get("is_void").and_then(Value::as_bool).unwrap_or_default();
    Line {
        place: whole(line, "position").to_string(),
        case_no: word(line, "case_no").to_owned(),
        items: items(line),
        issued_on: day(line, "issued_at"),
        what: match word(line, "kind") {
            "void" => format!("作废（原账单 {charged_on}）"),
            "refund" => format!("退付（原账单 {charged_on}）"),
            _ if is_void => "出单后作废".to_owned(),
            _ => String::new(),
        },
        amount: fen(line, "amount_fen").yuan(),
    }
}

/// The fee's items, each with its quantity.
fn items(line: &Value) -> String {
    let all = line.get("items").and_then(Value::as_array).into_iter().flatten();
    let one = |item: &Value| format!("{}×{}", word(item, "code"), whole(item, "quantity"));
    all.map(one).collect::<Vec<_>>().join(" ")
}

fn word<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn whole(value: &Value, name: &str) -> i64 {
    value.get(name).and_then(Value::as_i64).unwrap_or_default()
}

fn fen(value: &Value, name: &str) -> Fen {
    Fen::new(whole(value, name))
}

/// The day in Beijing of a moment.
fn day(value: &Value, name: &str) -> String {
    let at = word(value, name).parse::<Timestamp>();
    at.map(|at| beijing(at).date()).unwrap_or(Date::ZERO).to_string()
}
