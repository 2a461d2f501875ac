//! What happens on the demonstration's day: one seed gives one plan. Most cases are ordinary; some
//! meet what really happens to offices, and three errors are planted in the providers' bills.

use serde_json::{Value, json};

/// A case of the day.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// Its number at the office.
    pub(super) case_no: String,
    /// The payer's name.
    pub(super) name: String,
    /// The payer's phone.
    pub(super) phone: String,
    /// The items of its fee.
    pub(super) items: Value,
    /// What the fee is for, in two words.
    pub(super) what: &'static str,
    /// Whether it is paid through WeChat Pay or Alipay.
    pub(super) by_wechat: bool,
    /// What happens to it.
    pub(super) fate: Fate,
    /// Minutes after nine at which it comes to the counter.
    pub(super) minute: i64,
}

/// What happens to a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Paid, and the provider says so.
    Paid,
    /// Nothing is owed under the schedule.
    Zero,
    /// The payer goes home without paying.
    Unpaid,
    /// Paid, and no callback ever comes.
    LostCallback,
    /// Paid, and the callback comes twice.
    DuplicateCallback,
    /// The provider takes the order, and its answer is lost; then paid.
    LostAnswer,
    /// The payer changes the wallet, then pays.
    OtherWallet,
    /// Paid, then refunded whole.
    Refunded,
    /// Paid, then refunded in part, and the answer to that is lost.
    RefundedInPart,
    /// Paid, and the bill lacks the row.
    MissingInBill,
    /// Paid, and the bill has another amount.
    ChangedInBill,
}

/// A small generator (splitmix64): the same seed gives the same day on every machine.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not zero.
    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next().checked_rem(bound).unwrap_or_default()).unwrap_or_default()
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let index = self.below(from.len());
        from.get(index)
    }
}

/// The fates beside the ordinary one, in the order in which a day that has few cases gets them.
/// Once in every forty cases each.
const FATES: [Fate; 14] = [
    Fate::LostCallback,
    Fate::MissingInBill,
    Fate::ChangedInBill,
    Fate::DuplicateCallback,
    Fate::LostAnswer,
    Fate::Refunded,
    Fate::Unpaid,
    Fate::RefundedInPart,
    Fate::OtherWallet,
    Fate::Zero,
    Fate::Zero,
    Fate::Unpaid,
    Fate::LostCallback,
    Fate::Refunded,
];
/// The fates that plant an error in a bill; they happen once, however long the day is.
const PLANTED: [Fate; 2] = [Fate::MissingInBill, Fate::ChangedInBill];
/// After how many cases the fates begin again.
const CYCLE: usize = 40;
/// How long the counter is open, in minutes.
const OPEN_MINUTES: i64 = 7 * 60;

const FAMILY: [&str; 12] = ["张", "王", "李", "赵", "陈", "刘", "杨", "黄", "周", "吴", "徐", "孙"];
const GIVEN: [&str; 8] = ["三", "四", "小明", "小红", "建国", "秀英", "志强", "丽华"];

/// The plan of a day with `count` cases.
#[must_use]
pub(super) fn plan(count: u32, seed: u64, day: jiff::civil::Date) -> Vec<Case> {
    let mut chance = Chance(seed);
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let fates = fates(count, &mut chance);
    let stamp = day.strftime("%Y%m%d").to_string();
    fates
        .into_iter()
        .enumerate()
        .map(|(index, fate)| {
            let (what, items) = items(fate, &mut chance);
            let family = chance.pick(&FAMILY).copied().unwrap_or("张");
            let given = chance.pick(&GIVEN).copied().unwrap_or("三");
            let number = index.saturating_add(1);
            Case {
                case_no: format!("{stamp}{number:05}"),
                name: format!("{family}{given}"),
                phone: format!("138{:08}", chance.below(100_000_000)),
                items,
                what,
                by_wechat: chance.below(2) == 0,
                fate,
                minute: minute(index, count),
            }
        })
        .collect()
}

/// Spreads the cases over the opening hours.
fn minute(index: usize, count: usize) -> i64 {
    let index = i64::try_from(index).unwrap_or(i64::MAX);
    let count = i64::try_from(count).unwrap_or(i64::MAX).max(1);
    index.saturating_mul(OPEN_MINUTES).checked_div(count).unwrap_or_default()
}

/// One fate a case, in a seeded order.
fn fates(count: usize, chance: &mut Chance) -> Vec<Fate> {
    let mut fates: Vec<Fate> = (0..count)
        .map(|index| {
            let place = index.checked_rem(CYCLE).unwrap_or_default();
            let fate = FATES.get(place).copied().unwrap_or(Fate::Paid);
            if index >= CYCLE && PLANTED.contains(&fate) { Fate::Paid } else { fate }
        })
        .collect();
    for last in (1..fates.len()).rev() {
        let other = chance.below(last.saturating_add(1));
        fates.swap(last, other);
    }
    fates
}

fn items(fate: Fate, chance: &mut Chance) -> (&'static str, Value) {
    if fate == Fate::Zero {
        let items = json!([{
            "code": "REG.NONRES", "quantity": 1, "registration_type": "first",
            "applicant_class": "small_micro", "evidence": ["small_micro_declaration"],
        }]);
        return ("小微企业", items);
    }
    match chance.below(10) {
        0 | 1 => (
            "非住宅",
            json!([{"code": "REG.NONRES", "quantity": 1, "registration_type": "transfer"}]),
        ),
        2 => (
            "车位",
            json!([{"code": "REG.PARKING", "quantity": 1, "registration_type": "transfer"}]),
        ),
        3 | 4 => (
            "住宅+证书",
            json!([
                {"code": "REG.RES", "quantity": 1, "registration_type": "transfer"},
                {"code": "CERT.EXTRA", "quantity": 1},
            ]),
        ),
        _ => ("住宅", json!([{"code": "REG.RES", "quantity": 1, "registration_type": "transfer"}])),
    }
}

impl Fate {
    /// What the terminal says about it.
    #[must_use]
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Zero => "nothing owed",
            Self::Unpaid => "not paid, on purpose",
            Self::LostCallback => "paid, callback lost: found by asking",
            Self::DuplicateCallback => "paid, callback twice: booked once",
            Self::LostAnswer => "answer to the order lost: asked, placed again, paid",
            Self::OtherWallet => "changed the wallet, paid",
            Self::Refunded => "paid and refunded",
            Self::RefundedInPart => "paid, refunded in part, answer lost: asked",
            Self::MissingInBill => "paid (its bill row will be missing)",
            Self::ChangedInBill => "paid (its bill row will be changed)",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day() -> jiff::civil::Date {
        jiff::civil::date(2018, 11, 30)
    }

    #[test]
    fn one_seed_gives_one_day_and_another_seed_another() {
        let told = |seed| format!("{:?}", plan(40, seed, day()));
        assert_eq!(told(1), told(1));
        assert_ne!(told(1), told(2));
    }

    #[test]
    fn each_error_is_planted_once_however_long_the_day_is() {
        for count in [3, 40, 200] {
            let cases = plan(count, 7, day());
            for planted in PLANTED {
                assert_eq!(cases.iter().filter(|case| case.fate == planted).count(), 1);
            }
        }
    }

    #[test]
    fn every_case_comes_while_the_counter_is_open() {
        let cases = plan(500, 3, day());
        assert!(cases.iter().all(|case| (0..OPEN_MINUTES).contains(&case.minute)));
        assert!(cases.is_sorted_by_key(|case| case.minute));
    }
}
