//! The hub reads the day's bills of both providers, and books nothing from a damaged one.

use adapters::provider::{BillAnswer, BillKind, BillTicket};
use adapters::wire::Outcome;
use domain::bill::Direction;
use sandbox::{Action, Fault, Place};

use super::{Hub, NO, URL, accepted, ask, hubs, place, refund};
use crate::office::{Office, office};

fn ticket(office: &Office, hub: &Hub) -> BillAnswer {
    let answer =
        ask(office, &**hub, &hub.ask_bill(BillKind::Trade, "2026-11-20".parse().unwrap()).unwrap());
    accepted(hub.read_bill_ticket(&answer, office.engine.now()))
}

fn file(office: &Office, hub: &Hub, ticket: &BillTicket) -> Outcome<Vec<u8>> {
    let answer = ask(office, &**hub, &hub.fetch_bill(ticket));
    hub.read_bill_file(ticket, &answer)
}

#[track_caller]
fn fetched(office: &Office, hub: &Hub) -> Outcome<Vec<u8>> {
    match ticket(office, hub) {
        BillAnswer::Ready(ticket) => file(office, hub, &ticket),
        other @ (BillAnswer::Here(_) | BillAnswer::EmptyDay | BillAnswer::NotYet) => {
            panic!("{other:?}")
        }
    }
}

#[test]
fn the_hub_reads_every_row_and_total_of_a_bill() {
    for hub in hubs() {
        let (office, hub) = (office(), &hub);
        accepted(place(&office, hub, URL));
        office.engine.pay(NO, false).unwrap();
        accepted(refund(&office, hub, 3000));
        assert!(!matches!(ticket(&office, hub), BillAnswer::Ready(_)), "not before nine");
        office.pass(86_400);
        let mut rows = Vec::new();
        let bytes = accepted(fetched(&office, hub));
        let totals = adapters::bill::read(&bytes, &mut |row| {
            let fee = row.fee.unwrap().get();
            rows.push((row.direction, row.out_trade_no == NO, row.amount.get(), fee));
        })
        .unwrap();
        assert_eq!(
            rows,
            [(Direction::Payment, true, 8000, 48), (Direction::Refund, true, 3000, -18)]
        );
        assert!(totals.footer_ok, "{:?}", totals.footer_fault);
        assert_eq!((totals.payments.count, totals.refunds.count), (1, 1));
        assert_eq!(totals.unknown_columns, Vec::<String>::new());
    }
}

#[test]
fn the_hub_books_nothing_from_a_damaged_bill() {
    for hub in hubs() {
        for action in [Action::Truncate, Action::WrongHash] {
            let (office, hub) = (office(), &hub);
            accepted(place(&office, hub, URL));
            office.engine.pay(NO, false).unwrap();
            office.pass(86_400);
            office.engine.set_fault(Fault::new(Place::Bill, action).times(1)).unwrap();
            let refused = match fetched(&office, hub) {
                Outcome::Accepted(bytes) => adapters::bill::read(&bytes, &mut |_| ()).is_err(),
                Outcome::Refused(_) | Outcome::Unknown(_) => true,
            };
            assert!(refused, "{action:?} {}", hub.provider());
            accepted(fetched(&office, hub));
        }
    }
}

#[test]
fn an_empty_day_is_an_empty_day() {
    for hub in hubs() {
        let office = office();
        office.pass(86_400);
        assert_eq!(ticket(&office, &hub), BillAnswer::EmptyDay);
    }
}
