//! The running balance of a fund flow bill: each row's must be the one before it and its own amount.

use domain::fund::FundRow;
use domain::money::Fen;

/// So many gaps are told one by one; a file with more is not made of balances.
const MOST: usize = 1000;

/// A row whose balance is not the one before it and its own amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The row's line in the file.
    pub line: u64,
    /// What its balance should be.
    pub expected: Fen,
    /// What it says.
    pub stated: Fen,
}

/// The balances, followed as the rows come. Some files have the newest row first.
#[derive(Default)]
pub(crate) struct Balances {
    first: Option<(Fen, Fen)>,
    last: Option<(u64, Fen, Fen)>,
    gaps: Vec<Gap>,
    gaps_backwards: Vec<Gap>,
}

/// What an account had before the first row, and what after the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// Before the first change (期初余额).
    pub opening: Fen,
    /// After the last change (期末余额).
    pub closing: Fen,
}

impl Balances {
    pub(crate) fn add(&mut self, row: &FundRow<'_>) {
        let Some(balance) = row.balance else { return };
        if let Some((line, before, amount)) = self.last {
            gap(&mut self.gaps, row.line, before.plus(row.amount), balance);
            gap(&mut self.gaps_backwards, line, balance.plus(amount), before);
        }
        self.first.get_or_insert((row.amount, balance));
        self.last = Some((row.line, balance, row.amount));
    }

    /// Both ends and the gaps between; `None` where no row states a balance.
    pub(crate) fn finish(self) -> Option<(Ends, Vec<Gap>)> {
        let (amount, balance) = self.first?;
        let (_, last_balance, last_amount) = self.last?;
        let is_backwards = !self.gaps.is_empty() && self.gaps_backwards.is_empty();
        let (oldest, closing, gaps) = if is_backwards {
            ((last_balance, last_amount), balance, self.gaps_backwards)
        } else {
            ((balance, amount), last_balance, self.gaps)
        };
        let opening = oldest.0.minus(oldest.1).unwrap_or_default();
        Some((Ends { opening, closing }, gaps))
    }
}

fn gap(gaps: &mut Vec<Gap>, line: u64, expected: Option<Fen>, stated: Fen) {
    let expected = expected.unwrap_or_default();
    if expected != stated && gaps.len() < MOST {
        gaps.push(Gap { line, expected, stated });
    }
}

#[cfg(test)]
mod tests {
    use domain::fund::FundKind;

    use super::*;

    fn of(rows: &[(i64, i64)]) -> (i64, i64, Vec<u64>) {
        let mut balances = Balances::default();
        for (line, (amount, balance)) in (2..).zip(rows) {
            balances.add(&FundRow {
                line,
                occurred_at: jiff::Timestamp::UNIX_EPOCH,
                flow_no: "",
                provider_no: "",
                out_no: "",
                kind: FundKind::Payment,
                amount: Fen::new(*amount),
                balance: Some(Fen::new(*balance)),
            });
        }
        let (ends, gaps) = balances.finish().unwrap();
        let lines = gaps.iter().map(|gap| gap.line).collect();
        (ends.opening.get(), ends.closing.get(), lines)
    }

    #[test]
    fn balances_are_followed_from_either_end() {
        assert_eq!(of(&[(80, 180), (-30, 150), (5, 155)]), (100, 155, vec![]));
        assert_eq!(of(&[(5, 155), (-30, 150), (80, 180)]), (100, 155, vec![]), "newest first");
        assert_eq!(of(&[(80, 180)]), (100, 180, vec![]));
        assert!(Balances::default().finish().is_none());
    }

    #[test]
    fn a_gap_is_told_where_it_is() {
        assert_eq!(of(&[(80, 180), (-30, 151), (5, 156)]), (100, 156, vec![3]));
        assert_eq!(of(&[(80, 180), (-30, 151), (5, 155)]), (100, 155, vec![3, 4]));
    }
}
