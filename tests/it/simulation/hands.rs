//! What people and providers do in a step of the plan, past the hub.

use sandbox::{Pay, Place, PortalRefund};

use super::faults::MCHID;
use super::live::Run;
use super::plan::{Deed, Paying, Step};
use super::scene::told;

impl Run<'_> {
    /// Does it, once, whatever befalls hubs; what came of it.
    pub(super) fn by_hand(&mut self, step: &Step) -> Result<String, String> {
        let engine = self.scene.office.sandbox.engine();
        let done = match &step.deed {
            Deed::Scan(which) => match self.chosen(step, *which) {
                Some(order) => engine.scan(&order.number, None).map(|()| "scanned".to_owned()),
                None => Ok("there is no order".to_owned()),
            },
            Deed::Pay(which, paying) => match self.chosen(step, *which) {
                Some(order) => engine
                    .pay_as(&pay(&order.number, *paying))
                    .map(|paid| format!("paid {} {}", paid.out_trade_no, paid.provider_trade_no)),
                None => Ok("there is no order".to_owned()),
            },
            Deed::RefundByHand { which, permille } => match self.chosen(step, *which) {
                Some(order) => {
                    let amount = order.amount_fen * permille / 1000;
                    let refund = PortalRefund {
                        out_trade_no: order.number.clone(),
                        merchant: None,
                        amount_fen: domain::Fen::new(amount),
                        out_refund_no: None,
                    };
                    engine.refund(&refund).map(|done| {
                        self.by_hand.push((done.out_refund_no.clone(), amount));
                        format!("given back under {}", done.out_refund_no)
                    })
                }
                None => Ok("there is no order".to_owned()),
            },
            Deed::Storm(faults) => {
                for fault in faults {
                    engine.set_fault(fault.clone()).map_err(told)?;
                }
                Ok(String::new())
            }
            Deed::Calm => {
                for rule in engine.state().faults {
                    if rule.fault.on != Place::Bill {
                        engine.lift_faults(Some(rule.id));
                    }
                }
                Ok(String::new())
            }
            Deed::BackendAnswers(status) => {
                self.scene.office.receiver.answer_with(*status);
                Ok(String::new())
            }
            Deed::KeyChanges { overlap } => {
                engine.rotate_key(MCHID, *overlap).map(|(id, _)| format!("its name is {id}"))
            }
            Deed::Issue(_)
            | Deed::Order { .. }
            | Deed::Close(_)
            | Deed::Refund { .. }
            | Deed::Decide { .. }
            | Deed::Void
            | Deed::Repeat
            | Deed::Look
            | Deed::Wait(_) => Ok(String::new()),
        };
        // A payer whose wallet refuses goes home.
        Ok(done.unwrap_or_else(|refused| refused.to_string()))
    }
}

fn pay(number: &str, paying: Paying) -> Pay {
    Pay {
        out_trade_no: number.to_owned(),
        notify: Some(paying.is_told),
        force: paying.all_the_same,
        ..Pay::default()
    }
}
