//! What an adapter may claim about hostile bytes, whatever they are: a claim about money is proved
//! and is about what was asked, and what was opened once opens again to the same.

use adapters::PaymentProvider;
use adapters::provider::{
    BillAnswer, BillTicket, Closing, Learned, NewOrder, OpenedNotice, OrderKey, Placed, Product,
    RefundKey,
};
use adapters::wire::{Answer, Call, Outcome, Stamp};
use domain::Fen;
use domain::fact::{OrderStanding, PaymentFact, ProviderFact, RefundFact};
use domain::ids::{OutRefundNo, OutTradeNo};
use domain::personal::Personal;

use crate::now;

/// The order that every answer is held against.
pub const ORDER: &str = "P0187A5C3E4D7F3A9B2C1D0E4F5A6B7C";
/// Its refund.
pub const REFUND: &str = "R0187A5C3E4D7F3A9B2C1D0E4F5A6B7C";

/// What an adapter makes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Refused or unknown.
    Nothing,
    /// Nothing is there, or a query must say: no harm in believing a liar.
    Harmless,
    /// Something that the hub acts upon.
    Binding,
}

fn claim<T>(outcome: Outcome<T>, accepted: impl FnOnce(T) -> Claim) -> Claim {
    match outcome {
        Outcome::Accepted(statement) => accepted(statement),
        Outcome::Refused(_) | Outcome::Unknown(_) => Claim::Nothing,
    }
}

/// The call that places the order.
///
/// # Panics
/// When the merchant cannot place an order by its own product.
pub fn place(merchant: &dyn PaymentProvider, product: Product) -> Call {
    let order: OutTradeNo = ORDER.parse().expect("a number");
    let code = if product == Product::Pay { "286266666666666666" } else { "134567890123456789" };
    let (payer, code) = (Personal::new("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"), Personal::new(code));
    let new = NewOrder {
        product,
        out_trade_no: &order,
        amount: Fen::new(8000),
        subject: "不动产登记费 受理号20181130-001",
        expires_at: now() + jiff::SignedDuration::from_hours(2),
        notify_url: "https://pay.example.cn/callbacks/registry",
        return_url: Some("https://pay.example.cn/done"),
        payer: Some(&payer),
        identity: None,
        auth_code: Some(&code),
        client_ip: Some("192.0.2.7"),
        now: now(),
        chance: &[7; 32],
    };
    merchant.place(&new).expect("an order within every limit")
}

/// Reads an answer in one of the ways that there are; `which` chooses way and product.
///
/// # Panics
/// When what is claimed is not about what was asked.
pub fn read(merchant: &dyn PaymentProvider, which: u8, answer: &Answer) -> Claim {
    let order: OutTradeNo = ORDER.parse().expect("a number");
    let refund: OutRefundNo = REFUND.parse().expect("a number");
    let stamp = Stamp { now: now(), nonce: "593BEC0C930BF1AFEB40B4A08C8FB242".to_owned() };
    let product = product(merchant, which);
    let key = OrderKey { out_trade_no: &order, provider_trade_no: None };
    let refund = RefundKey { out_trade_no: &order, out_refund_no: &refund, amount: Fen::new(3000) };
    match which % 11 {
        0 => {
            let call = place(merchant, product);
            claim(merchant.read_placed(&call, answer, &stamp), |said| placed(&order, &said))
        }
        1 => claim(merchant.read_order(&key, answer, now()), |said| standing(&order, &said)),
        2 => {
            let call = merchant.close_order(&order, product);
            claim(merchant.read_closed(&call, answer, now()), closing)
        }
        3 => claim(merchant.read_refunded(&refund, answer, now()), |f| refunded(&refund, &f)),
        4 => claim(merchant.read_refund(&refund, answer, now()), |fact| {
            fact.map_or(Claim::Harmless, |fact| refunded(&refund, &fact))
        }),
        5 => claim(merchant.read_bill_ticket(answer, now()), bill),
        6 => {
            let ticket = BillTicket { url: String::new(), sha1: Some("0".repeat(40)) };
            claim(merchant.read_bill_file(&ticket, answer), |_file| Claim::Harmless)
        }
        7 => match merchant.renewed_keys() {
            Some(keys) => claim(keys.learn_keys(answer, now()), |learned| match learned {
                Learned::New(_) => Claim::Binding,
                Learned::NoneThere => Claim::Harmless,
            }),
            None => Claim::Nothing,
        },
        way => combined(merchant, way, &order, answer, &stamp),
    }
}

/// The product that `which` chooses.
pub fn product(merchant: &dyn PaymentProvider, which: u8) -> Product {
    let products = merchant.products();
    products[usize::from(which / 11) % products.len()]
}

fn combined(
    merchant: &dyn PaymentProvider,
    way: u8,
    order: &OutTradeNo,
    answer: &Answer,
    stamp: &Stamp,
) -> Claim {
    let Some(combined) = merchant.combined() else { return Claim::Nothing };
    match way {
        8 => {
            let mut call = place(merchant, Product::Native);
            call.target = "/v3/combine-transactions/native".to_owned();
            claim(combined.read_combined_placed(&call, answer, stamp), |said| placed(order, &said))
        }
        9 => claim(combined.read_combined(order, answer, now()), |parts| {
            for part in &parts {
                standing(&part.out_trade_no, &part.standing);
            }
            if parts.is_empty() { Claim::Harmless } else { Claim::Binding }
        }),
        _ => claim(combined.read_combined_closed(answer, now()), closing),
    }
}

fn placed(order: &OutTradeNo, said: &Placed) -> Claim {
    match said {
        Placed::Offered(_) => {}
        Placed::Paid(fact) => paid(order, fact),
    }
    Claim::Binding
}

fn standing(order: &OutTradeNo, said: &OrderStanding) -> Claim {
    match said {
        OrderStanding::Paid(fact) | OrderStanding::GivenBack(fact) => paid(order, fact),
        OrderStanding::Unpaid | OrderStanding::Closed => {}
        OrderStanding::Absent => return Claim::Harmless,
    }
    Claim::Binding
}

fn paid(order: &OutTradeNo, fact: &PaymentFact) {
    assert_eq!(&fact.out_trade_no, order, "another order is paid than was asked about");
    whole(fact);
}

fn whole(fact: &PaymentFact) {
    assert!(fact.coupon >= Fen::ZERO && fact.coupon <= fact.amount.max(Fen::ZERO), "{fact:?}");
}

fn closing(said: Closing) -> Claim {
    match said {
        Closing::Closed => Claim::Binding,
        Closing::Paid | Closing::NotThere => Claim::Harmless,
    }
}

fn refunded(asked: &RefundKey<'_>, fact: &RefundFact) -> Claim {
    assert_eq!(&fact.out_trade_no, asked.out_trade_no, "another order's refund than asked about");
    assert_eq!(&fact.out_refund_no, asked.out_refund_no, "another refund than asked about");
    Claim::Binding
}

fn bill(said: BillAnswer) -> Claim {
    match said {
        BillAnswer::Ready(ticket) => {
            let good = |sha1: &String| sha1.len() == 40;
            assert!(ticket.sha1.as_ref().is_none_or(good), "{ticket:?}");
            Claim::Binding
        }
        // What proves a file that comes at once is its own footer.
        BillAnswer::Here(file) => {
            let trade = adapters::bill::read(&file, &mut |_row| {}).map(|totals| totals.footer_ok);
            let flow = adapters::bill::read_fund_flow(&file).map(|flow| flow.footer_ok);
            assert!(trade == Ok(true) || flow == Ok(true), "a bill that nothing proves");
            Claim::Harmless
        }
        BillAnswer::EmptyDay | BillAnswer::NotYet => Claim::Harmless,
    }
}

/// Holds an opened notice against itself: what cannot be read says nothing, and its kept plaintext
/// says the same again.
///
/// # Panics
/// When it does not.
pub fn opened(merchant: &dyn PaymentProvider, notice: &OpenedNotice) {
    for fact in &notice.facts {
        match fact {
            ProviderFact::Payment(fact) => whole(fact),
            ProviderFact::Refund(_) => {}
        }
    }
    let again = merchant.reread_notice(&notice.plaintext);
    if notice.unreadable.is_some() {
        assert!(notice.facts.is_empty() && notice.hints.is_empty(), "read what it cannot read");
        // A body in the clear where a sealed one belongs is proved, and may be read when replayed.
        let said = again.map(|notice| notice.facts).unwrap_or_default();
        assert!(said.is_empty(), "unreadable once, facts again");
        return;
    }
    let again = again.expect("what was read is read again");
    assert_eq!(again.facts, notice.facts, "the kept plaintext states something else");
    assert_eq!(again.hints, notice.hints, "the kept plaintext hints at something else");
    assert_eq!(again.notice_id, notice.notice_id, "the kept plaintext is another notice");
}
