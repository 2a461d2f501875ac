//! What is not printed by accident.

use domain::ids::OutTradeNo;
use domain::personal::Personal;

use super::{AccountKind, BillTicket, NewCombined, NewOrder, Product, Redirect};
use crate::testing::{CHANCE, new_order, now, refund_no, trade_no};
use crate::wire::{Call, Method};

const ADDRESS: &str = "14.23.150.211";
const URL: &str = "https://pay.example.cn/callbacks/registry-wechat";

#[track_caller]
fn check(printed: &str, shown: &str) {
    assert!(printed.contains(shown), "{printed}");
    for hidden in [ADDRESS, "chance", "7, 7", "token", "s3cret", "张三", "6222"] {
        assert!(!printed.contains(hidden), "{hidden} in {printed}");
    }
}

#[test]
fn an_order_shows_neither_its_chance_nor_where_the_payer_is() {
    let number = trade_no();
    let order = NewOrder { client_ip: Some(ADDRESS), ..new_order(Product::H5, &number, URL) };
    check(&format!("{order:?}"), number.as_str());
    let whole: OutTradeNo = "W0187A5C3E4D7F3A9B2C".parse().unwrap();
    let combined = NewCombined {
        product: Product::H5,
        out_trade_no: &whole,
        parts: &[],
        expires_at: now(),
        notify_url: URL,
        return_url: None,
        payer: None,
        client_ip: Some(ADDRESS),
        now: now(),
    };
    check(&format!("{combined:?}"), whole.as_str());
}

#[test]
fn a_refund_to_another_account_shows_neither_its_chance_nor_the_card() {
    let (number, own) = (refund_no(), "50000408942018".parse().unwrap());
    let (card, holder) = (Personal::new("6222020200112230"), Personal::new("张三"));
    let redirect = Redirect {
        provider_refund_no: &own,
        out_refund_no: &number,
        to: AccountKind::PayerCard,
        bank: Some("ICBC_DEBIT"),
        card: Some(&card),
        holder: Some(&holder),
        now: now(),
        chance: &CHANCE,
    };
    check(&format!("{redirect:?}"), number.as_str());
}

#[test]
fn the_address_of_a_bill_is_shown_without_its_token() {
    let place = "https://api.mch.weixin.qq.com/v3/billdownload/file";
    let url = format!("{place}?token=s3cret");
    let ticket = BillTicket { url: url.clone(), sha1: None };
    check(&format!("{ticket:?}"), place);
    let call =
        Call { method: Method::Get, target: url, body: String::new(), parameters: Vec::new() };
    check(&format!("{call:?}"), place);
}
