//! Every bill of `fixtures/reconciliation`, and WeChat's published sample, against a ledger that agrees
//! with it; then one row is changed on one side, and exactly one finding of the right kind appears.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use domain::Fen;
use domain::bill::{BillRow, BillState, BillTotals, Direction};
use jiff::Timestamp;
use jiff::civil::Date;
use reconciliation::{LedgerRow, LedgerState, Matcher, Reconciliation, Rules};

/// A bill's row with texts of its own.
#[derive(Clone)]
struct Line {
    direction: Direction,
    order: String,
    refund: String,
    provider: String,
    amount: Fen,
    settled: Option<Fen>,
    state: BillState,
    at: Timestamp,
    fee: Option<Fen>,
    rate: Option<domain::bill::RatePpm>,
}

struct Bill {
    name: String,
    lines: Vec<Line>,
    totals: BillTotals,
    day: Option<Date>,
}

/// A finding as this test counts it: its kind, and the numbers of its row.
type Found = BTreeMap<(&'static str, String), usize>;

#[allow(clippy::disallowed_methods, reason = "the vectors lie outside the tree; CI names them")]
fn sample() -> Option<PathBuf> {
    let vectors = std::env::var_os("PAYHUB_VECTORS")?;
    Some(Path::new(&vectors).join("wxphp_bill.ALL.csv"))
}

/// The bills that can be read and are of one day.
fn bills() -> Vec<Bill> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reconciliation");
    let folders = fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.flat_map(|folder| {
        ["csv", "gz", "zip"].map(|ending| folder.join(format!("bill.{ending}")))
    });
    files.chain(sample()).filter_map(|file| bill(&file)).collect()
}

fn bill(file: &Path) -> Option<Bill> {
    let bytes = fs::read(file).ok()?;
    let mut lines = Vec::new();
    let totals = adapters::bill::read(&bytes, &mut |row| {
        lines.push(Line {
            direction: row.direction,
            order: row.out_trade_no.to_owned(),
            refund: row.out_refund_no.to_owned(),
            provider: row.provider_trade_no.to_owned(),
            amount: row.amount,
            settled: row.settled,
            state: row.state,
            at: row.occurred_at,
            fee: row.fee,
            rate: row.rate,
        });
    })
    .ok()?;
    let name = file.parent()?.file_name()?.to_string_lossy().into_owned();
    totals.last_day.is_none().then_some(Bill { name, lines, day: totals.stated_day, totals })
}

/// The ledger of an office that knows exactly what the bill says.
fn agreeing(line: &Line) -> LedgerRow {
    LedgerRow {
        direction: line.direction,
        out_trade_no: line.order.clone(),
        out_refund_no: line.refund.clone(),
        provider_trade_no: line.provider.clone(),
        amount: line.amount,
        state: match (line.direction, line.state) {
            (Direction::Payment, BillState::Failed) => LedgerState::Closed,
            (Direction::Payment, _) => LedgerState::Paid,
            (Direction::Refund, BillState::Succeeded) => LedgerState::Succeeded,
            (Direction::Refund, BillState::Processing) => LedgerState::Processing,
            (Direction::Refund, BillState::Failed) => LedgerState::Failed,
        },
        occurred_at: line.at,
    }
}

fn matched(bill: &Bill, lines: &[Line], ledger: Vec<LedgerRow>) -> Reconciliation {
    let mut matcher = Matcher::new(Rules { day: bill.day, fee_rate: None }, ledger);
    for (number, line) in (2..).zip(lines) {
        matcher.bill_row(&BillRow {
            line: number,
            direction: line.direction,
            out_trade_no: &line.order,
            out_refund_no: &line.refund,
            provider_trade_no: &line.provider,
            provider_refund_no: "",
            amount: line.amount,
            settled: line.settled,
            state: line.state,
            occurred_at: line.at,
            fee: line.fee,
            rate: line.rate,
        });
    }
    matcher.finish(bill.totals.stated_day, bill.totals.covers)
}

fn found(bill: &Bill, lines: &[Line], ledger: Vec<LedgerRow>) -> Found {
    let result = matched(bill, lines, ledger);
    let mut found = Found::new();
    for it in result.differences.iter().chain(&result.doubts) {
        *found
            .entry((it.kind.as_str(), number(&it.out_trade_no, &it.out_refund_no)))
            .or_default() += 1;
    }
    found
}

fn number(order: &str, refund: &str) -> String {
    format!("{order}/{refund}")
}

/// Whether a bill names each row once, with a number of its own: else one change may show as two.
fn is_plain(lines: &[Line]) -> bool {
    let alike = |line: &Line, of: &Line| {
        line.direction == of.direction
            && (line.refund == of.refund && line.order == of.order
                || line.direction == Direction::Payment && line.provider == of.provider)
    };
    lines.iter().all(|line| {
        let has_number = match line.direction {
            Direction::Payment => !line.order.is_empty(),
            Direction::Refund => !line.refund.is_empty(),
        };
        has_number && lines.iter().filter(|of| alike(line, of)).count() == 1
    })
}

#[track_caller]
fn check(bill: &Bill, what: &str, found: &Found, wanted: (&'static str, &Line)) {
    let (kind, line) = wanted;
    let wanted = Found::from([((kind, number(&line.order, &line.refund)), 1)]);
    assert_eq!(*found, wanted, "{}: {what}", bill.name);
}

#[test]
fn t21_one_changed_row_of_any_bill_is_exactly_one_finding_of_the_right_kind() {
    let (mut seen, mut changes) = (0, 0);
    for mut bill in bills() {
        let right: Vec<LedgerRow> = bill.lines.iter().map(agreeing).collect();
        let lines: Vec<Line> = bill.lines.clone();
        if lines.is_empty() || !is_plain(&lines) {
            continue;
        }
        let without_fees: Vec<Line> =
            lines.iter().map(|line| Line { rate: None, ..line.clone() }).collect();
        if found(&bill, &without_fees, right.clone()) != Found::new() {
            // Some states agree with nothing that a ledger can say.
            continue;
        }
        seen += 1;
        // A row less does not make it the bill of another day.
        bill.day = matched(&bill, &without_fees, right.clone()).day;
        for (place, line) in without_fees.iter().enumerate() {
            let with_ledger = |change: &dyn Fn(&mut Vec<LedgerRow>)| {
                let mut ledger = right.clone();
                change(&mut ledger);
                found(&bill, &without_fees, ledger)
            };
            let with_bill = |change: &dyn Fn(&mut Vec<Line>)| {
                let mut lines = without_fees.clone();
                change(&mut lines);
                found(&bill, &lines, right.clone())
            };
            let fen = |fen: Fen| Fen::new(fen.get() + 1);
            changes += 1;
            let it = with_ledger(&|rows| rows[place].amount = fen(rows[place].amount));
            check(&bill, "a fen more in the ledger", &it, ("amount_differs", line));
            let it = with_bill(&|lines| lines[place].amount = fen(lines[place].amount));
            check(&bill, "a fen more in the bill", &it, ("amount_differs", line));
            let it = with_ledger(&|rows| drop(rows.remove(place)));
            check(&bill, "not in the ledger", &it, ("only_in_bill", line));
            let it = with_bill(&|lines| lines.push(lines[place].clone()));
            check(&bill, "twice in the bill", &it, ("duplicate_in_bill", line));
            if right[place].state.moves_money() {
                if bill.day == Some(domain::time::business_day(line.at)) {
                    let it = with_bill(&|lines| drop(lines.remove(place)));
                    check(&bill, "not in the bill", &it, ("only_in_hub", line));
                }
                let other = match line.direction {
                    Direction::Payment => LedgerState::Pending,
                    Direction::Refund => LedgerState::Failed,
                };
                let it = with_ledger(&|rows| rows[place].state = other);
                check(&bill, "another state in the ledger", &it, ("state_differs", line));
            }
        }
        // A charge is held against its rate only where bill and contract agree on it before.
        if found(&bill, &lines, right.clone()) == Found::new() {
            for (place, line) in lines.iter().enumerate().filter(|(_, it)| it.rate.is_some()) {
                // What moved no money is charged for nowhere.
                let Some(fee) = line.fee.filter(|_| right[place].state.moves_money()) else {
                    continue;
                };
                let mut changed = lines.clone();
                changed[place].fee = Some(Fen::new(fee.get() + 5));
                let it = found(&bill, &changed, right.clone());
                check(&bill, "five fen more charged", &it, ("fee_differs", line));
            }
        }
    }
    assert!(seen >= 30 && changes >= 100, "only {seen} bills, {changes} rows");
}
