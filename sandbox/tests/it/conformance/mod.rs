//! One suite that every adapter passes against its double: each row of the [`TABLE`] (an adapter, a
//! mode of its merchant, a product) is held to each of the rules at the end of this file.
//!
//! A new product is a word in the table; a new rule is a function in `rules/` and its name below.

mod case;
mod modes;
mod money;
mod rules;

use std::panic::{AssertUnwindSafe, catch_unwind};

use adapters::provider::Product::{
    self, App, Codepay, Create, H5, Jsapi, Native, Page, Pay, Precreate, Wap,
};

use case::Case;
use modes::Mode;

/// Every adapter in every mode, with every product that it offers there.
const TABLE: [(Mode, &[Product]); 10] = [
    (Mode::WechatPublicKey, &[Native, Jsapi, H5, App]),
    (Mode::WechatCertificates, &[Native, Jsapi, H5, App]),
    (Mode::WechatForSubMerchant, &[Native, Jsapi, H5, App]),
    (Mode::WechatV2Md5, &[Native, Jsapi, H5, App, Codepay]),
    (Mode::WechatV2Hmac, &[Native, Jsapi, H5, App, Codepay]),
    (Mode::WechatV2ForSubMerchant, &[Native, Jsapi, H5, App, Codepay]),
    (Mode::AlipayKey, &[Precreate, Page, Wap, App, Create, Pay]),
    (Mode::AlipayCertificates, &[Precreate, Page, Wap, App, Create, Pay]),
    (Mode::AlipaySealed, &[Precreate, Page, Wap, App, Create, Pay]),
    (Mode::AlipayForOthers, &[Precreate, Page, Wap, App, Create, Pay]),
];

/// Holds every row of the table to a rule, each in an office of its own, and names every row that
/// breaks it. Whatever the rule is: no request may deviate from the provider's manual.
#[track_caller]
fn on_every_row(rule: fn(&Case)) {
    let mut broken = Vec::new();
    for (mode, products) in TABLE {
        for product in products {
            let held = catch_unwind(AssertUnwindSafe(|| {
                let case = Case::of(mode, *product);
                rule(&case);
                case.deviates_in_nothing();
            }));
            if let Err(panic) = held {
                broken.push(format!("{mode:?} {}: {}", product.as_str(), words(&*panic)));
            }
        }
    }
    assert!(broken.is_empty(), "{} rows break it:\n{}", broken.len(), broken.join("\n"));
}

fn words(panic: &(dyn std::any::Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without words")
}

macro_rules! rules {
    ($($noun:ident: $($rule:ident)*;)*) => {
        $($(
            #[test]
            fn $rule() {
                on_every_row(rules::$noun::$rule);
            }
        )*)*
    };
}

rules! {
    orders:
        an_order_is_offered_as_its_product_says_and_paid
        a_repeat_of_placing_is_the_same_byte_for_byte_and_is_accepted
        a_payment_is_found_under_both_numbers_and_names_payee_app_amount_and_number
        products_are_exactly_what_can_be_placed
        limits_refuse_an_order_before_it_is_sent;
    closing:
        an_order_that_nobody_paid_is_closed
        a_paid_order_is_not_closed_and_at_the_counter_it_is_taken_back;
    faults:
        a_fault_while_placing_decides_nothing_and_the_order_is_paid_once
        a_fault_while_querying_decides_nothing_and_the_next_query_does
        an_order_that_a_replica_does_not_have_yet_is_absent_and_the_next_query_finds_it
        a_fault_while_closing_decides_nothing_and_the_order_ends_closed
        a_fault_while_refunding_decides_nothing_and_money_goes_back_once
        a_fault_while_querying_a_refund_decides_nothing_and_the_next_query_does
        a_fault_while_asking_for_a_bill_decides_nothing_and_the_next_asking_does;
    refunds:
        a_refund_goes_back_once_under_one_number_and_never_with_another_amount
        a_refund_without_funds_is_refused_and_may_be_tried_again
        limits_refuse_a_refund_before_it_is_sent;
    notices:
        the_notice_of_a_payment_says_what_the_query_says
        the_notice_of_a_refund_opens
        no_changed_byte_of_a_notice_says_anything_else
        a_notice_comes_again_until_it_is_acknowledged;
    bills:
        a_days_bill_is_read_whole_and_every_row_belongs
        a_bill_is_not_there_before_nine_and_an_empty_day_is_empty
        nothing_is_booked_from_a_damaged_bill;
    keys:
        what_a_new_key_signs_is_believed_once_the_key_is_learnt;
}
