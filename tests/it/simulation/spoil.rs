//! What is wrong with the providers' bills, planted once a day is over.

use std::collections::BTreeSet;

use domain::time::from_beijing;
use jiff::Timestamp;
use payhub::demo::{ALIPAY, WECHAT};
use sandbox::{Fault, Match, Place};

use super::draw;
use super::faults::{APP_ID, MCHID};
use super::live::Run;
use super::plan::{BillFault, BillTrouble, Plan};
use super::scene::told;

/// A row that is wrong in a bill on purpose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Planted {
    pub(super) merchant: &'static str,
    pub(super) day: jiff::civil::Date,
    pub(super) kind: &'static str,
    pub(super) out_trade_no: String,
}

impl Run<'_> {
    /// Whether a provider's last word on a day is that nothing happened on it.
    pub(super) fn denied(&self, merchant: &str, day: jiff::civil::Date) -> bool {
        let ours = if merchant == MCHID { WECHAT } else { ALIPAY };
        self.planted.iter().any(|it| (it.merchant, it.day, it.kind) == (ours, day, "empty"))
    }

    /// Spoils the bills of a day that is over, as the plan says.
    pub(super) async fn spoil(&mut self, day: usize) -> Result<(), String> {
        self.scene.pass_until(ends(self.plan, day)).await?;
        let day = self.plan.days[day];
        let booked = self.scene.rows("SELECT provider_trade_no FROM payments").await?;
        let booked: BTreeSet<String> = booked.iter().map(|row| row.get(0)).collect();
        let moves = self.scene.office.sandbox.engine().state().moves;
        for fault in self.plan.bills.iter().filter(|fault| fault.day == day) {
            let (merchant, ours) = if fault.by_wechat { (MCHID, WECHAT) } else { (APP_ID, ALIPAY) };
            let payments = moves.iter().filter(|moved| {
                moved.merchant == merchant
                    && moved.out_refund_no.is_none()
                    && domain::time::business_day(moved.at) == day
            });
            let numbers: Vec<&String> = payments.clone().map(|moved| &moved.out_trade_no).collect();
            // A row of money that nobody else tells of would be missed by nobody.
            let first = payments.clone().find(|moved| {
                booked.contains(&moved.provider_trade_no)
                    && numbers.iter().filter(|number| ***number == moved.out_trade_no).count() == 1
            });
            let number = first.map(|moved| moved.out_trade_no.clone());
            self.plant(fault, (merchant, ours), number)?;
        }
        Ok(())
    }

    /// Plants one error in a bill. Rows of days without payments cannot be hurt.
    fn plant(
        &mut self,
        fault: &BillFault,
        (merchant, ours): (&str, &'static str),
        first: Option<String>,
    ) -> Result<(), String> {
        let (action, times) = draw::action(fault.what);
        let mut planted = Fault::new(Place::Bill, action);
        planted.times = times;
        planted.of = Match {
            merchant: Some(merchant.to_owned()),
            date: Some(fault.day),
            ..Match::default()
        };
        let extra = format!("PEXTRA{}{}", fault.day.strftime("%Y%m%d"), merchant);
        let (kind, number) = match fault.what {
            BillTrouble::Missing => ("only_in_hub", first),
            BillTrouble::Changed => ("amount_differs", first),
            BillTrouble::Extra => ("only_in_bill", Some(extra)),
            BillTrouble::EmptyDay => ("empty", Some(String::new())),
            BillTrouble::Late(_) | BillTrouble::Truncated(_) | BillTrouble::WrongHash(_) => {
                ("", Some(String::new()))
            }
        };
        let Some(number) = number else { return Ok(()) };
        if !number.is_empty() {
            planted.of.out_trade_no = Some(number.clone());
        }
        self.scene.office.sandbox.engine().set_fault(planted).map_err(told)?;
        if !kind.is_empty() {
            let day = fault.day;
            self.planted.push(Planted { merchant: ours, day, kind, out_trade_no: number });
        }
        Ok(())
    }
}

/// When the bill of a day may be spoiled: a quarter of an hour into the next.
pub(super) fn ends(plan: &Plan, day: usize) -> Timestamp {
    from_beijing(plan.days[day].tomorrow().unwrap().at(0, 45, 0, 0))
}
