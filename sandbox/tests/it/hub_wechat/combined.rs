//! One payment to several payees, through the hub's adapter.

use adapters::PaymentProvider as _;
use adapters::provider::{
    Closing, CombinedKey, NewCombined, NewPart, PartKey, Pay, Placed, Product,
};
use adapters::wechat::Wechat;
use adapters::wire::Outcome;
use domain::Fen;
use domain::fact::{OrderStanding, ProviderFact};
use domain::ids::OutTradeNo;
use domain::personal::Personal;
use sandbox::{Action, Fault, Operation, Place, Verification};

use super::{URL, hub, no, office, opened, told};
use crate::hub::{accepted, stamp};
use crate::office::{MCHID, Office, morning};

const TAX: &str = "1900000109";

pub(super) struct Whole {
    pub(super) whole: OutTradeNo,
    fee: OutTradeNo,
    tax: OutTradeNo,
}

impl Whole {
    pub(super) fn new() -> Self {
        Self {
            whole: no("W20261120ABCDEF0001"),
            fee: no("P20261120ABCDEF0001"),
            tax: no("P20261120ABCDEF0002"),
        }
    }

    pub(super) fn place(&self, office: &Office, hub: &Wechat, product: Product) -> Pay {
        let openid = Personal::new("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o");
        let part = |payee, out_trade_no, fen, subject| NewPart {
            payee,
            out_trade_no,
            amount: Fen::new(fen),
            subject,
        };
        let combined = hub.combined().unwrap();
        let call = combined
            .place_combined(&NewCombined {
                product,
                out_trade_no: &self.whole,
                parts: &[
                    part(MCHID, &self.fee, 8000, "不动产登记费"),
                    part(TAX, &self.tax, 120_000, "契税"),
                ],
                expires_at: "2026-11-20T04:00:00Z".parse().unwrap(),
                notify_url: URL,
                return_url: None,
                payer: (product == Product::Jsapi).then_some(&openid),
                client_ip: (product == Product::H5).then_some("203.0.113.9"),
                now: office.engine.now(),
            })
            .unwrap();
        let answer = told(office, hub, &call);
        match accepted(combined.read_combined_placed(&call, &answer, &stamp(office))) {
            Placed::Offered(pay) => pay,
            Placed::Paid(fact) => panic!("{fact:?}"),
        }
    }

    pub(super) fn standings(
        &self,
        office: &Office,
        hub: &Wechat,
    ) -> Vec<(OutTradeNo, OrderStanding)> {
        let combined = hub.combined().unwrap();
        let answer = told(office, hub, &combined.query_combined(&self.whole));
        let parts = accepted(combined.read_combined(&self.whole, &answer, office.engine.now()));
        parts.into_iter().map(|part| (part.out_trade_no, part.standing)).collect()
    }

    fn close(&self, office: &Office, hub: &Wechat) -> Closing {
        let combined = hub.combined().unwrap();
        let parts = [
            PartKey { payee: MCHID, out_trade_no: &self.fee },
            PartKey { payee: TAX, out_trade_no: &self.tax },
        ];
        let key = CombinedKey { out_trade_no: &self.whole, parts: &parts };
        let answer = told(office, hub, &combined.close_combined(&key));
        accepted(combined.read_combined_closed(&answer, office.engine.now()))
    }
}

#[test]
fn a_combined_order_lives_in_the_hubs_words_by_every_product() {
    for product in [Product::Native, Product::Jsapi, Product::H5, Product::App] {
        let (office, hub, whole) = (office(Verification::PublicKey), hub(), Whole::new());
        whole.place(&office, &hub, product);
        whole.place(&office, &hub, product);
        let unpaid = whole.standings(&office, &hub);
        assert_eq!(unpaid.len(), 2, "{product:?}");
        assert!(unpaid.iter().all(|(_, standing)| *standing == OrderStanding::Unpaid));
        office.engine.pay(whole.whole.as_str(), true).unwrap();
        for (number, standing) in whole.standings(&office, &hub) {
            let OrderStanding::Paid(fact) = standing else { panic!("{number}: {standing:?}") };
            let fen = if number == whole.fee { 8000 } else { 120_000 };
            assert_eq!((fact.amount, fact.paid_at), (Fen::new(fen), morning()));
        }
        assert_eq!(whole.close(&office, &hub), Closing::Paid);
        let facts = opened(&office, &hub, whole.whole.as_str());
        let payees: Vec<_> = facts
            .iter()
            .map(|fact| match fact {
                ProviderFact::Payment(fact) => {
                    (fact.stated.payee.as_deref(), fact.out_trade_no.as_str(), fact.amount.get())
                }
                ProviderFact::Refund(fact) => panic!("{fact:?}"),
            })
            .collect();
        assert_eq!(
            payees,
            [(Some(MCHID), whole.fee.as_str(), 8000), (Some(TAX), whole.tax.as_str(), 120_000)]
        );
    }
}

#[test]
fn a_combined_order_that_nobody_paid_is_closed_with_all_its_parts() {
    let (office, hub, whole) = (office(Verification::PublicKey), hub(), Whole::new());
    whole.place(&office, &hub, Product::Native);
    assert_eq!(whole.close(&office, &hub), Closing::Closed);
    let closed = whole.standings(&office, &hub);
    assert!(closed.iter().all(|(_, standing)| *standing == OrderStanding::Closed));
}

#[test]
fn a_spoilt_answer_to_a_combined_order_is_unknown() {
    for action in [Action::Garbage, Action::WrongSignature, Action::UnknownSerial] {
        let (office, hub, whole) = (office(Verification::PublicKey), hub(), Whole::new());
        whole.place(&office, &hub, Product::Native);
        let fault = Fault::new(Place::Answer, action).during(Operation::Query).times(1);
        office.engine.set_fault(fault).unwrap();
        let combined = hub.combined().unwrap();
        let answer = told(&office, &hub, &combined.query_combined(&whole.whole));
        let read = combined.read_combined(&whole.whole, &answer, office.engine.now());
        assert!(matches!(read, Outcome::Unknown(_)), "{action:?}: {read:?}");
    }
}
