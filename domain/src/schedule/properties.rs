//! What holds for every quote whatever is asked.

use jiff::civil::{Date, date};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::money::Fen;

const CODES: &[&str] =
    &["REG.RES", "REG.NONRES", "REG.PARKING", "REG.SOCIAL", "CERT.EXTRA", "CERT.PROOF"];
const PAPERS: &[&str] = &["small_micro_declaration", "registered_with_house", "other"];

fn items() -> impl Strategy<Value = Vec<QuoteItem>> {
    let item = (
        select(CODES),
        1..=LARGEST_QUANTITY,
        option::of(select(RegistrationType::ALL)),
        option::of(select(ApplicantClass::ALL)),
        option::of(select(Reason::ALL)),
        vec(select(PAPERS).prop_map(str::to_owned), 0..3),
    );
    let item =
        item.prop_map(|(code, quantity, registration_type, applicant_class, reason, evidence)| {
            QuoteItem {
                code: code.to_owned(),
                quantity,
                registration_type,
                applicant_class,
                reason,
                evidence,
            }
        });
    vec(item, 1..=20)
}

fn days() -> impl Strategy<Value = Date> {
    (0i64..8000)
        .prop_map(|days| date(2016, 12, 6).checked_add(jiff::Span::new().days(days)).unwrap())
}

proptest! {
    #[test]
    fn the_total_is_the_sum_of_the_lines_and_never_negative(asked in items(), on in days()) {
        let quote = Schedule::built_in().unwrap().price(&asked, on).unwrap();
        prop_assert_eq!(quote.lines.len(), asked.len());
        for (line, asked) in quote.lines.iter().zip(&asked) {
            prop_assert_eq!(&line.asked(), asked);
            prop_assert!(line.unit_fen >= Fen::ZERO && line.unit_fen <= line.standard_fen);
            let product = line.unit_fen.times(i64::from(line.quantity));
            prop_assert_eq!(product, Some(line.amount_fen));
            prop_assert_eq!(line.rule_id.is_none(), line.effect == Effect::Full);
        }
        let sum = Fen::sum(quote.lines.iter().map(|line| line.amount_fen));
        prop_assert_eq!(sum, Some(quote.total_fen));
        prop_assert!(quote.total_fen >= Fen::ZERO);
    }

    #[test]
    fn a_quote_can_be_computed_again_from_its_own_json(asked in items(), on in days()) {
        let schedule = Schedule::built_in().unwrap();
        let quote = schedule.price(&asked, on).unwrap();
        let stored: Quote =
            serde_json::from_str(&serde_json::to_string(&quote).unwrap()).unwrap();
        let asked: Vec<QuoteItem> = stored.lines.iter().map(QuoteLine::asked).collect();
        prop_assert_eq!(schedule.price(&asked, stored.accepted_on).unwrap(), quote);
    }
}
