//! Which open statements of monthly payers (月结户) a transfer pays. Only a transfer that names its
//! statements and brings just what is open of them is in no doubt; everything else is proposed.

use domain::Fen;
use jiff::civil::Date;
use serde::Serialize;

use crate::covering::covering;

/// With what a statement's number begins (月结).
pub const NUMBER_PREFIX: &str = "YJ";
/// How many digits follow: the month, and its place in it.
const NUMBER_DIGITS: usize = 10;

/// A statement that a transfer may pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwedStatement {
    /// Its id.
    pub id: String,
    /// Its number.
    pub number: String,
    /// Whose it is.
    pub account: String,
    /// What is still owed of it.
    pub open: Fen,
    /// What stands on it.
    pub printed: Fen,
    /// When it is due.
    pub due_on: Date,
    /// Whether money has come for it.
    pub is_paid: bool,
}

/// A credit at the bank, with whose it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer<'a> {
    /// What came.
    pub amount: Fen,
    /// The words that came with it.
    pub reference: &'a str,
    /// The account whose bank account it came from.
    pub sender: Option<&'a str>,
    /// The account that the words hint at.
    pub hinted: Option<&'a str>,
}

/// Why a transfer does not just pay what is proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferCause {
    /// Less came than is owed (少付).
    TransferShort,
    /// More came (多付).
    TransferOver,
    /// Just what the paper says came, of which fees were withdrawn since (作废多付).
    TransferForVoid,
    /// It names a statement that is paid already (重复付款).
    TransferTwice,
    /// It names a statement of another account than the one that it came from.
    TransferOfAnother,
}

impl TransferCause {
    /// Its word, and the kind of the incident that tells of it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TransferShort => "transfer_short",
            Self::TransferOver => "transfer_over",
            Self::TransferForVoid => "transfer_for_void",
            Self::TransferTwice => "transfer_twice",
            Self::TransferOfAnother => "transfer_of_another",
        }
    }

    /// What is to be done.
    #[must_use]
    pub const fn action(self) -> &'static str {
        match self {
            Self::TransferShort => {
                "ask the payer for the rest, then confirm both transfers together"
            }
            Self::TransferOver => {
                "look whether it pays several statements; else pay it back and ask for the amount of the statement"
            }
            Self::TransferForVoid => {
                "confirm it; what was withdrawn since is surplus and goes back by transfer"
            }
            Self::TransferTwice => "pay it back: the statement is paid",
            Self::TransferOfAnother => "ask whose it is, then confirm it",
        }
    }
}

/// What a transfer may pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PayerCandidate {
    /// The statements' ids.
    pub statements: Vec<String>,
    /// Their numbers.
    pub numbers: Vec<String>,
    /// Whose they are.
    pub account: String,
    /// What is owed of them.
    pub open_fen: Fen,
    /// What came beside it; less, where it is negative.
    pub difference_fen: Fen,
    /// Why it is in doubt; `None`: it fits, and only nobody said which it pays.
    pub cause: Option<TransferCause>,
    /// What is to be done.
    pub proposed_action: &'static str,
}

/// What becomes of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Paying {
    /// It pays these.
    Pays(PayerCandidate),
    /// A person decides between these.
    Proposed(Vec<PayerCandidate>),
    /// It is no payer's, as far as anybody can tell.
    Nobodys,
}

/// The statement numbers in a text, each once, in order. Banks write in small letters now and then;
/// digits that go on are another number.
#[must_use]
pub fn numbers_in(text: &str) -> Vec<String> {
    let upper = text.to_ascii_uppercase();
    let mut found: Vec<String> = Vec::new();
    for (at, _) in upper.match_indices(NUMBER_PREFIX) {
        let before = upper.get(..at).and_then(|before| before.chars().next_back());
        let rest = upper.get(at.saturating_add(NUMBER_PREFIX.len())..).unwrap_or_default();
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let number = format!("{NUMBER_PREFIX}{digits}");
        let stands_alone = !before.is_some_and(|letter| letter.is_ascii_alphabetic());
        if stands_alone && digits.len() == NUMBER_DIGITS && !found.contains(&number) {
            found.push(number);
        }
    }
    found
}

/// Says what a transfer pays of `statements`. What a search costs is taken from `steps`, which many
/// transfers share ([`crate::covering::MOST_STEPS_IN_ALL`]).
#[must_use]
pub fn paying(transfer: &Transfer<'_>, statements: &[OwedStatement], steps: &mut u32) -> Paying {
    let named = numbers_in(transfer.reference);
    let of_number = |number: &String| statements.iter().find(|it| it.number == *number);
    let known: Vec<&OwedStatement> = named.iter().filter_map(of_number).collect();
    if !known.is_empty() {
        return of_named(transfer, &known, known.len() == named.len());
    }
    of_account(transfer, statements, steps)
}

/// What is named decides by itself only where everything agrees.
fn of_named(transfer: &Transfer<'_>, known: &[&OwedStatement], is_all: bool) -> Paying {
    let Some(first) = known.first() else { return Paying::Nobodys };
    let one_account = known.iter().all(|it| it.account == first.account);
    if !one_account {
        // One transfer of two accounts: nobody can say what it is but those who sent it.
        let each = known.iter().filter_map(|it| candidate(transfer, &[it]));
        return Paying::Proposed(each.collect());
    }
    let Some(mut found) = candidate(transfer, known) else { return Paying::Nobodys };
    if known.iter().any(|it| it.is_paid) {
        found.because(TransferCause::TransferTwice);
    } else if transfer.sender.is_some_and(|sender| sender != first.account) {
        found.because(TransferCause::TransferOfAnother);
    } else if found.cause.is_none() && is_all && found.open_fen > Fen::ZERO {
        return Paying::Pays(found);
    }
    Paying::Proposed(vec![found])
}

/// Without a number, whatever of the account adds up; else the oldest, with the difference.
fn of_account(transfer: &Transfer<'_>, statements: &[OwedStatement], steps: &mut u32) -> Paying {
    let Some(account) = transfer.sender.or(transfer.hinted) else { return Paying::Nobodys };
    let mut open: Vec<&OwedStatement> = statements
        .iter()
        .filter(|it| it.account == account && !it.is_paid && it.open > Fen::ZERO)
        .collect();
    open.sort_by(|one, other| (one.due_on, &one.number).cmp(&(other.due_on, &other.number)));
    let amounts: Vec<Fen> = open.iter().map(|it| it.open).collect();
    let sets = covering(&amounts, transfer.amount, steps).sets;
    let of = |places: &Vec<usize>| {
        let set: Vec<&OwedStatement> =
            places.iter().filter_map(|at| open.get(*at).copied()).collect();
        candidate(transfer, &set)
    };
    let found: Vec<PayerCandidate> = sets.iter().filter_map(of).collect();
    if !found.is_empty() {
        return Paying::Proposed(found);
    }
    // Words alone may hint at a payer by chance.
    let oldest = open.first().filter(|_| transfer.sender.is_some());
    match oldest.and_then(|oldest| candidate(transfer, &[oldest])) {
        Some(found) => Paying::Proposed(vec![found]),
        None => Paying::Nobodys,
    }
}

fn candidate(transfer: &Transfer<'_>, set: &[&OwedStatement]) -> Option<PayerCandidate> {
    let sum = |of: fn(&OwedStatement) -> Fen| Fen::sum(set.iter().map(|it| of(it)));
    let (open, printed) = (sum(|it| it.open)?, sum(|it| it.printed)?);
    let difference = transfer.amount.minus(open)?;
    let mut found = PayerCandidate {
        statements: set.iter().map(|it| it.id.clone()).collect(),
        numbers: set.iter().map(|it| it.number.clone()).collect(),
        account: set.first()?.account.clone(),
        open_fen: open,
        difference_fen: difference,
        cause: None,
        proposed_action: "confirm it",
    };
    if difference < Fen::ZERO {
        found.because(TransferCause::TransferShort);
    } else if difference > Fen::ZERO && transfer.amount == printed {
        found.because(TransferCause::TransferForVoid);
    } else if difference > Fen::ZERO {
        found.because(TransferCause::TransferOver);
    }
    Some(found)
}

impl PayerCandidate {
    fn because(&mut self, cause: TransferCause) {
        self.cause = Some(cause);
        self.proposed_action = cause.action();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::covering::MOST_STEPS_IN_ALL;

    fn owed(number: &str, account: &str, open: i64, printed: i64) -> OwedStatement {
        OwedStatement {
            id: format!("pst_{number}"),
            number: number.to_owned(),
            account: account.to_owned(),
            open: Fen::new(open),
            printed: Fen::new(printed),
            due_on: "2018-12-15".parse().unwrap(),
            is_paid: false,
        }
    }

    fn books() -> Vec<OwedStatement> {
        let mut paid = owed("YJ2018100001", "icbc", 0, 8_000);
        paid.is_paid = true;
        vec![
            paid,
            owed("YJ2018110001", "icbc", 16_000, 24_000),
            owed("YJ2018120001", "icbc", 8_000, 8_000),
            owed("YJ2018110002", "ccb", 8_000, 8_000),
        ]
    }

    /// `pays NUMBERS`, `proposed NUMBERS CAUSE; …` or `nobody's`.
    fn says(amount: i64, reference: &str, sender: Option<&str>, hinted: Option<&str>) -> String {
        let transfer = Transfer { amount: Fen::new(amount), reference, sender, hinted };
        match paying(&transfer, &books(), &mut MOST_STEPS_IN_ALL.clone()) {
            Paying::Pays(found) => format!("pays {}", found.numbers.join("+")),
            Paying::Proposed(all) => {
                let word = |it: &PayerCandidate| {
                    let cause = it.cause.map_or("fits", TransferCause::as_str);
                    format!("{} {cause}", it.numbers.join("+"))
                };
                format!("proposed {}", all.iter().map(word).collect::<Vec<_>>().join("; "))
            }
            Paying::Nobodys => "nobody's".to_owned(),
        }
    }

    #[test]
    fn a_number_and_its_amount_are_in_no_doubt() {
        assert_eq!(says(16_000, "付YJ2018110001款", None, None), "pays YJ2018110001");
        assert_eq!(says(16_000, "yj2018110001", Some("icbc"), None), "pays YJ2018110001");
        let both = "YJ2018110001 YJ2018120001";
        assert_eq!(says(24_000, both, None, None), "pays YJ2018110001+YJ2018120001");
    }

    #[test]
    fn whatever_does_not_agree_is_proposed() {
        for (amount, reference, sender, expected) in [
            (15_999, "YJ2018110001", None, "proposed YJ2018110001 transfer_short"),
            (16_001, "YJ2018110001", None, "proposed YJ2018110001 transfer_over"),
            (24_000, "YJ2018110001", None, "proposed YJ2018110001 transfer_for_void"),
            (8_000, "YJ2018100001", None, "proposed YJ2018100001 transfer_twice"),
            (16_000, "YJ2018110001", Some("ccb"), "proposed YJ2018110001 transfer_of_another"),
            (16_000, "YJ2018110001 YJ2018119999", None, "proposed YJ2018110001 fits"),
            (
                8_000,
                "YJ2018120001,YJ2018110002",
                None,
                "proposed YJ2018120001 fits; YJ2018110002 fits",
            ),
            (16_000, "YJ20181100011", None, "nobody's"),
            (16_000, "AYJ2018110001", None, "nobody's"),
        ] {
            assert_eq!(says(amount, reference, sender, None), expected, "{reference}");
        }
    }

    #[test]
    fn without_a_number_what_adds_up_is_proposed() {
        assert_eq!(says(8_000, "月结", Some("icbc"), None), "proposed YJ2018120001 fits");
        let both = "proposed YJ2018110001+YJ2018120001 fits";
        assert_eq!(says(24_000, "月结", Some("icbc"), None), both);
        assert_eq!(says(5, "月结", Some("icbc"), None), "proposed YJ2018110001 transfer_short");
        assert_eq!(says(8_000, "工行", None, Some("icbc")), "proposed YJ2018120001 fits");
        assert_eq!(says(5, "工行", None, Some("icbc")), "nobody's");
        assert_eq!(says(8_000, "月结", None, None), "nobody's");
    }
}
