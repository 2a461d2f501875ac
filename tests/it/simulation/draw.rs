//! Draws a plan from its seed. The same seed gives the same plan on every machine.

use domain::time::from_beijing;
use jiff::civil::{Date, date};
use jiff::{SignedDuration, ToSpan as _};
use sandbox::{Action, Random};

use super::crash::{self, Trouble};
use super::faults;
use super::plan::{BillFault, BillTrouble, Deed, Number, Paying, Plan, Rules, Step, Wallet, Which};

/// What can be registered, and costs something.
const ITEMS: [&str; 5] = ["REG.RES", "REG.RES", "REG.NONRES", "REG.PARKING", "CERT.EXTRA"];
/// Days on which runs begin: a Friday, a Sunday, a Tuesday, the last of a month, the last of a year.
const FIRST_DAYS: [Date; 5] = [
    date(2018, 11, 30),
    date(2018, 12, 2),
    date(2018, 12, 4),
    date(2019, 2, 28),
    date(2018, 12, 31),
];
const TOLD: Paying = Paying { is_told: true, all_the_same: false };
const SILENT: Paying = Paying { is_told: false, all_the_same: false };
const STUBBORN: Paying = Paying { is_told: true, all_the_same: true };
const SILENT_STUBBORN: Paying = Paying { is_told: false, all_the_same: true };

/// The plan of a seed.
pub(super) fn plan(seed: u64) -> Plan {
    let mut chance = Random::of(seed, &["plan"]);
    let chance = &mut chance;
    let first = FIRST_DAYS[chance.place(FIRST_DAYS.len())];
    let days: Vec<Date> =
        (0..2 + chance.below(3)).map(|day| first + i64::try_from(day).unwrap().days()).collect();
    let rules = Rules {
        late_goes_back: chance.happens(300),
        duplicates_go_back: chance.happens(500),
        second_person_from: chance.happens(250).then_some(10_000),
        two_hubs: chance.happens(400),
        database_dies: chance.happens(120),
        keys_change: chance.happens(250),
    };
    let mut steps = Vec::new();
    let mut cases = 0;
    for day in &days {
        for _ in 0..3 + chance.below(4) {
            cases += 1;
            case(chance, *day, cases, &mut steps);
        }
        office(chance, *day, rules, &mut steps);
    }
    steps.sort_by_key(|step| step.at);
    if rules.database_dies {
        let fatal = chance.place(steps.len());
        steps[fatal].trouble = Some(Trouble::database(chance));
    }
    let mut bills: Vec<BillFault> = days.iter().flat_map(|day| bills(chance, *day)).collect();
    // Of money that nobody tells of and no query can find the bill alone knows.
    bills.retain(|fault| fault.what != BillTrouble::EmptyDay || !steps.iter().any(is_secret));
    Plan { seed, rules, days, steps, bills }
}

/// Whether a payer pays what the hub has given up, and nobody tells it.
fn is_secret(step: &Step) -> bool {
    matches!(step.deed, Deed::Pay(_, Paying { is_told: false, all_the_same: true }))
}

/// A case's way through its day.
fn case(chance: &mut Random, day: Date, case: usize, steps: &mut Vec<Step>) {
    let minute = i64::try_from(chance.below(9 * 60)).unwrap();
    let mut at = from_beijing(day.at(9, 0, 0, 0)) + SignedDuration::from_mins(minute);
    for (minutes, deed) in way(chance, minute) {
        let jitter = i64::try_from(chance.below(55)).unwrap();
        at += SignedDuration::from_secs(minutes * 60 + jitter);
        let faults = faults::aimed(chance, &deed);
        let trouble = chance.happens(crash::PERMILLE).then(|| Trouble::of_hub(chance));
        let at_second = chance.happens(300);
        steps.push(Step { at, case: Some(case), deed, faults, trouble, at_second });
    }
}

/// A case's deeds, each with the minutes since the one before. `minute` is how long the office is
/// open when it comes.
fn way(chance: &mut Random, minute: i64) -> Vec<(i64, Deed)> {
    use Deed::{Close, Decide, Look, Pay, Repeat, Scan, Void, Wait};
    use Which::{First, Last};
    let fees = if chance.happens(250) { 2 + chance.place(2) } else { 1 };
    let items = (0..fees).map(|_| ITEMS[chance.place(ITEMS.len())]).collect();
    let mut way = vec![(0, Deed::Issue(items)), (2, order(chance, None))];
    let paid = if chance.happens(150) { SILENT } else { TOLD };
    let more: Vec<(i64, Deed)> = match chance.below(100) {
        0..18 => vec![(3, Pay(Last, paid))],
        18..24 => vec![(1, Scan(Last)), (3, Pay(Last, paid)), (1, Look)],
        24..32 => {
            let other = order(chance, Some(false));
            vec![(1, Scan(Last)), (2, other), (3, Pay(Last, paid))]
        }
        // Both codes are paid, in either order.
        32..40 => {
            let other = order(chance, Some(true));
            let (one, two) = if chance.happens(500) { (First, Last) } else { (Last, First) };
            vec![(2, other), (3, Pay(one, paid)), (1, Pay(two, STUBBORN))]
        }
        40..46 => vec![(3, Pay(Last, TOLD)), (4, Pay(Last, STUBBORN))],
        46..51 => {
            let late = if chance.happens(300) { SILENT_STUBBORN } else { STUBBORN };
            vec![(2, Close(Last)), (3, Pay(Last, late))]
        }
        51..55 => vec![(150, Pay(Last, STUBBORN)), (2, Look)],
        55..60 => vec![(5, Look)],
        60..63 => vec![(5, Close(Last)), (1, Repeat), (2, Void)],
        63..66 => vec![(1, Void), (3, Pay(Last, TOLD))],
        fate @ 66..97 => given_back(chance, fate, paid),
        // In bed, a few minutes before or after midnight.
        _ => {
            way.clear();
            let to_midnight = 15 * 60 - minute;
            let before = i64::try_from(chance.below(14)).unwrap();
            let code = Deed::Order { wallet: wallet(chance, None), expires_in_s: 7200 };
            way = vec![(0, Deed::Issue(vec!["REG.RES"])), (to_midnight - 9 - before, code)];
            vec![(2 * before, Pay(Last, TOLD)), (4, refund(500, Number::Own(1)))]
        }
    };
    way.extend(more);
    if chance.happens(200) {
        way.push((2, Repeat));
    }
    way.push((15, Decide { agrees: chance.happens(700) }));
    way.push((1, Wait(2)));
    way
}

/// What a payer does who gets money back, and what is asked for.
fn given_back(chance: &mut Random, fate: u64, paid: Paying) -> Vec<(i64, Deed)> {
    use Deed::{Look, Pay, RefundByHand, Repeat};
    use Which::Last;
    let own = |chance: &mut Random| {
        if chance.happens(500) { Number::Own(1) } else { Number::Hubs }
    };
    match fate {
        66..72 => {
            let number = own(chance);
            vec![(3, Pay(Last, paid)), (9, refund(1000, number)), (1, Repeat)]
        }
        72..79 => {
            let (number, part) = (own(chance), 100 + i64::try_from(chance.below(800)).unwrap());
            vec![(3, Pay(Last, paid)), (20, refund(part, number)), (4, Look)]
        }
        79..85 => vec![
            (3, Pay(Last, paid)),
            (5, refund(300, Number::Own(1))),
            (0, refund(300, Number::Own(2))),
            (3, refund(400, Number::Hubs)),
            (1, refund(1, Number::Own(3))),
        ],
        // More than there is, and the same number again with the same and with another amount.
        85..91 => vec![
            (3, Pay(Last, paid)),
            (5, refund(1001, Number::Own(1))),
            (1, refund(600, Number::Own(2))),
            (1, refund(600, Number::Own(2))),
            (1, refund(500, Number::Own(2))),
            (1, refund(500, Number::Own(4))),
        ],
        91..94 => vec![
            (3, Pay(Last, TOLD)),
            (30, RefundByHand { which: Last, permille: 250 }),
            (5, refund(800, Number::Own(1))),
        ],
        _ => {
            vec![(3, Pay(Last, paid)), (1, Pay(Last, STUBBORN)), (4, refund(1000, Number::Own(1)))]
        }
    }
}

fn refund(permille: i64, number: Number) -> Deed {
    Deed::Refund { which: Which::Last, permille, number }
}

/// An order by a wallet of chance, of WeChat Pay or not where that is said.
fn order(chance: &mut Random, by_wechat: Option<bool>) -> Deed {
    let expires_in_s = if chance.happens(250) { 300 } else { 7200 };
    Deed::Order { wallet: wallet(chance, by_wechat), expires_in_s }
}

fn wallet(chance: &mut Random, by_wechat: Option<bool>) -> Wallet {
    let wechat = [Wallet::Native, Wallet::Native, Wallet::Jsapi, Wallet::App];
    let alipay = [Wallet::Precreate, Wallet::Precreate, Wallet::Create];
    if by_wechat.unwrap_or_else(|| chance.happens(550)) {
        wechat[chance.place(wechat.len())]
    } else {
        alipay[chance.place(alipay.len())]
    }
}

/// What happens to the whole office on a day.
fn office(chance: &mut Random, day: Date, rules: Rules, steps: &mut Vec<Step>) {
    let opening = from_beijing(day.at(9, 0, 0, 0));
    let mut add = |minute: u64, deed: Deed, trouble: Option<Trouble>| {
        let at = opening + SignedDuration::from_mins(i64::try_from(minute).unwrap());
        steps.push(Step { at, case: None, deed, faults: Vec::new(), trouble, at_second: false });
    };
    // At ten the bills of the day before are there.
    let trouble = chance.happens(500).then(|| Trouble::of_hub(chance));
    add(59, Deed::Wait(12), trouble);
    if chance.happens(600) {
        let begin = chance.below(9 * 60);
        add(begin, Deed::Storm(faults::storm(chance)), None);
        add(begin + 5 + chance.below(80), Deed::Calm, None);
    }
    if chance.happens(350) {
        let begin = chance.below(9 * 60);
        let status = [500, 503, 429][chance.place(3)];
        add(begin, Deed::BackendAnswers(status), None);
        add(begin + 1 + chance.below(200), Deed::BackendAnswers(204), None);
    }
    if rules.keys_change {
        add(chance.below(9 * 60), Deed::KeyChanges { overlap: chance.happens(500) }, None);
    }
    // Deep in the evening, when orders expire.
    let trouble = chance.happens(400).then(|| Trouble::of_hub(chance));
    add(12 * 60 + chance.below(120), Deed::Wait(20), trouble);
}

/// What is wrong with the bills of a day.
fn bills(chance: &mut Random, day: Date) -> Vec<BillFault> {
    let mut found = Vec::new();
    for by_wechat in [true, false] {
        if chance.happens(350) {
            let rows = [BillTrouble::Missing, BillTrouble::Changed, BillTrouble::Extra];
            let what = rows[chance.place(rows.len())];
            found.push(BillFault { day, by_wechat, what });
        } else if chance.happens(60) {
            found.push(BillFault { day, by_wechat, what: BillTrouble::EmptyDay });
        }
        if chance.happens(250) {
            let times = 1 + u32::try_from(chance.below(4)).unwrap();
            let what = match chance.place(3) {
                0 => BillTrouble::Late(times),
                1 => BillTrouble::Truncated(times),
                _ => BillTrouble::WrongHash(times),
            };
            found.push(BillFault { day, by_wechat, what });
        }
    }
    found
}

/// The fault that a bill's trouble is at the sandbox, but for the row that is meant.
pub(super) const fn action(what: BillTrouble) -> (Action, Option<u32>) {
    match what {
        BillTrouble::Missing => (Action::MissingRow, None),
        BillTrouble::Changed => (Action::ChangedRow, None),
        BillTrouble::Extra => (Action::ExtraRow, None),
        BillTrouble::EmptyDay => (Action::EmptyDay, None),
        BillTrouble::Late(times) => (Action::Late, Some(times)),
        BillTrouble::Truncated(times) => (Action::Truncate, Some(times)),
        BillTrouble::WrongHash(times) => (Action::WrongHash, Some(times)),
    }
}

#[test]
fn a_seed_gives_the_same_plan_every_time_and_another_seed_another() {
    let told = |seed| format!("{:?}", plan(seed));
    assert_eq!(told(7), told(7));
    assert_ne!(told(7), told(8));
}
