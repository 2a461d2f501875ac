//! Fee supervision (收费监察): what was charged against what the schedule says, years later too.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Schedule;
use super::price::WhichRules;
use super::quote::{Quote, QuoteLine};
use crate::money::Fen;

/// What is wrong with a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargeFault {
    /// More than the schedule says (多收).
    ChargedTooMuch,
    /// Less than the schedule says (少收).
    ChargedTooLittle,
    /// The schedule knows no such charge on that day (无依据收费).
    ChargedWithoutBasis,
    /// A reduction was given without the paper that it needs (减免无证明材料).
    ReductionWithoutEvidence,
    /// No case of that number is known (收费无对应办件).
    FeeWithoutCase,
}

impl ChargeFault {
    /// Every fault.
    pub const ALL: [Self; 5] = [
        Self::ChargedTooMuch,
        Self::ChargedTooLittle,
        Self::ChargedWithoutBasis,
        Self::ReductionWithoutEvidence,
        Self::FeeWithoutCase,
    ];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChargedTooMuch => "charged_too_much",
            Self::ChargedTooLittle => "charged_too_little",
            Self::ChargedWithoutBasis => "charged_without_basis",
            Self::ReductionWithoutEvidence => "reduction_without_evidence",
            Self::FeeWithoutCase => "fee_without_case",
        }
    }

    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChargedTooMuch => "多收",
            Self::ChargedTooLittle => "少收",
            Self::ChargedWithoutBasis => "无依据收费",
            Self::ReductionWithoutEvidence => "减免无证明材料",
            Self::FeeWithoutCase => "收费无对应办件",
        }
    }
}

/// One thing that is wrong with a fee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChargeFinding {
    /// What.
    pub kind: ChargeFault,
    /// The item; absent: the fee as a whole.
    pub code: Option<String>,
    /// What was charged for it.
    pub charged_fen: Fen,
    /// What the schedule says; absent: nothing. Without the paper of a reduction: the full price.
    pub expected_fen: Option<Fen>,
    /// The rule that says so, or the paper that is missing.
    pub rule_id: Option<String>,
    /// The paper that is missing.
    pub evidence: Option<String>,
}

impl Schedule {
    /// Examines a fee: `quote` as it was frozen, `charged` in all, for a case accepted on
    /// `accepted_on`. Each line is priced again as it was asked for; nothing found: it is right.
    #[must_use]
    pub fn examine(&self, quote: &Quote, charged: Fen, accepted_on: Date) -> Vec<ChargeFinding> {
        if self.version_on(accepted_on).is_none() || quote.lines.is_empty() {
            // Nothing was charged for nothing.
            let is_charged = charged > Fen::ZERO;
            return is_charged
                .then(|| whole(ChargeFault::ChargedWithoutBasis, charged, None))
                .into_iter()
                .collect();
        }
        let mut found = Vec::new();
        let mut due = Some(Fen::ZERO);
        for (index, line) in quote.lines.iter().enumerate() {
            match self.line(index, &line.asked(), accepted_on, WhichRules::All) {
                Ok(right) => {
                    due = due.and_then(|due| due.plus(right.amount_fen));
                    found.extend(differs(line, &right));
                    found.extend(self.lacks_evidence(index, line, &right, accepted_on));
                }
                Err(_unknown) if line.amount_fen > Fen::ZERO => {
                    let kind = ChargeFault::ChargedWithoutBasis;
                    let code = Some(line.code.clone());
                    found.push(ChargeFinding { code, ..whole(kind, line.amount_fen, None) });
                }
                Err(_unknown) => {}
            }
        }
        // Lines may be right and their sum wrong: that is a fault of the whole.
        let lines = Fen::sum(quote.lines.iter().map(|line| line.amount_fen));
        if lines != Some(charged)
            && let Some(kind) = due.and_then(|due| beside(charged, due))
        {
            found.push(whole(kind, charged, due));
        }
        found
    }

    /// A reduction that was given without its paper: what the other rules leave was due.
    fn lacks_evidence(
        &self,
        index: usize,
        line: &QuoteLine,
        right: &QuoteLine,
        day: Date,
    ) -> Option<ChargeFinding> {
        let evidence = right.evidence_missing.clone()?;
        let without = self.line(index, &line.asked(), day, WhichRules::Proved).ok()?;
        (line.amount_fen < without.amount_fen).then(|| ChargeFinding {
            kind: ChargeFault::ReductionWithoutEvidence,
            code: Some(line.code.clone()),
            charged_fen: line.amount_fen,
            expected_fen: Some(without.amount_fen),
            rule_id: right.rule_id.clone(),
            evidence: Some(evidence),
        })
    }
}

const fn whole(kind: ChargeFault, charged_fen: Fen, expected_fen: Option<Fen>) -> ChargeFinding {
    ChargeFinding { kind, code: None, charged_fen, expected_fen, rule_id: None, evidence: None }
}

fn beside(charged: Fen, expected: Fen) -> Option<ChargeFault> {
    match charged.cmp(&expected) {
        std::cmp::Ordering::Greater => Some(ChargeFault::ChargedTooMuch),
        std::cmp::Ordering::Less => Some(ChargeFault::ChargedTooLittle),
        std::cmp::Ordering::Equal => None,
    }
}

fn differs(line: &QuoteLine, right: &QuoteLine) -> Option<ChargeFinding> {
    let kind = beside(line.amount_fen, right.amount_fen)?;
    Some(ChargeFinding {
        code: Some(line.code.clone()),
        rule_id: right.rule_id.clone(),
        ..whole(kind, line.amount_fen, Some(right.amount_fen))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{ApplicantClass, QuoteItem, RegistrationType};

    fn schedule() -> &'static Schedule {
        Schedule::built_in().unwrap()
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    /// A dwelling and two more certificates: 80 and 20 yuan.
    fn right() -> Quote {
        let items = [QuoteItem::new("REG.RES", 1), QuoteItem::new("CERT.EXTRA", 2)];
        schedule().price(&items, day("2018-11-30")).unwrap()
    }

    /// What examining finds after `spoil` had its way with what was frozen.
    fn found(mut frozen: Quote, accepted_on: &str, spoil: impl FnOnce(&mut Quote)) -> Vec<String> {
        spoil(&mut frozen);
        schedule()
            .examine(&frozen, frozen.total_fen, day(accepted_on))
            .into_iter()
            .map(|finding| {
                let code = finding.code.unwrap_or_default();
                let expected = finding.expected_fen.map_or(-1, Fen::get);
                format!("{} {code} {} {expected}", finding.kind.as_str(), finding.charged_fen.get())
            })
            .collect()
    }

    #[test]
    fn what_was_charged_wrongly_is_found_and_nothing_else() {
        let nothing: [&str; 0] = [];
        assert_eq!(found(right(), "2018-11-30", |_| {}), nothing);
        let dearer = |quote: &mut Quote| {
            quote.lines[0].amount_fen = Fen::new(9000);
            quote.total_fen = Fen::new(11000);
        };
        let expected = ["charged_too_much REG.RES 9000 8000"];
        assert_eq!(found(right(), "2018-11-30", dearer), expected);
        let cheaper = |quote: &mut Quote| {
            quote.lines[1].amount_fen = Fen::new(1000);
            quote.total_fen = Fen::new(9000);
        };
        let expected = ["charged_too_little CERT.EXTRA 1000 2000"];
        assert_eq!(found(right(), "2018-11-30", cheaper), expected);
        let sum = |quote: &mut Quote| quote.total_fen = Fen::new(10_100);
        assert_eq!(found(right(), "2018-11-30", sum), ["charged_too_much  10100 10000"]);
        let unknown = |quote: &mut Quote| {
            quote.lines[0].amount_fen = Fen::new(8001);
            quote.lines[1].code = "CERT.GOLD".to_owned();
            quote.total_fen = Fen::new(10_001);
        };
        let expected =
            ["charged_too_much REG.RES 8001 8000", "charged_without_basis CERT.GOLD 2000 -1"];
        assert_eq!(found(right(), "2018-11-30", unknown), expected);
        let lines = |quote: &mut Quote| quote.lines[0].amount_fen = Fen::new(9000);
        let expected = ["charged_too_much REG.RES 9000 8000"];
        assert_eq!(found(right(), "2018-11-30", lines), expected, "the whole is right");
        let expected = ["charged_without_basis  10000 -1"];
        assert_eq!(found(right(), "1990-01-01", |_| {}), expected);
    }

    #[test]
    fn a_reduction_needs_its_paper() {
        let mut item = QuoteItem::new("REG.NONRES", 1);
        item.applicant_class = Some(ApplicantClass::SmallMicro);
        let quote = |item: &QuoteItem| {
            schedule().price(std::slice::from_ref(item), day("2018-11-30")).unwrap()
        };
        let expected = ["reduction_without_evidence REG.NONRES 0 55000"];
        assert_eq!(found(quote(&item), "2018-11-30", |_| {}), expected);
        // Whoever has another reason not to pay needs no paper.
        let mut changed = item.clone();
        changed.registration_type = Some(RegistrationType::Change);
        let later = schedule().price(std::slice::from_ref(&changed), day("2020-06-01")).unwrap();
        assert_eq!(later.total_fen, Fen::ZERO);
        let nothing: [&str; 0] = [];
        assert_eq!(found(later, "2020-06-01", |_| {}), nothing);
        item.evidence = vec!["small_micro_declaration".to_owned()];
        assert_eq!(found(quote(&item), "2018-11-30", |_| {}), nothing);
    }
}
