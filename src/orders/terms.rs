//! What every order must keep to, alone or as a part of a whole: how long it lives, which fees it
//! may name, what it brings for each, and which other orders must give way to it first.

use adapters::provider::Product;
use adapters::wire::{Outcome, Reason};
use domain::Fen;
use domain::ids::{ApplicationId, FeeId, OrderId};
use domain::personal::Personal;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use url::Url;

use super::close::{Closed, Why, close};
use super::create::OrderPayer;
use crate::config::is_loopback;
use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::seal::Purpose;
use crate::store::fees::{self, Balance};
use crate::store::orders::OrderRecord;

/// What the payer reads when nobody says otherwise.
pub(crate) const SUBJECT: &str = "不动产登记费";
/// The most fees that one order pays for.
const MOST_FEES: usize = 50;
/// How long an order lives when nobody says otherwise, and between which bounds they may, in
/// seconds.
const EXPIRES_IN_S: (i64, i64, i64) = (60, 7200, 604_800);
/// How long an order at the counter lives at most, in seconds: as long as the barcode does.
const AT_COUNTER_S: i64 = 60;
/// For how long a code of WeChat Pay's browser page is good, and any other; a little less, so that
/// the payer has the time to use it.
const GOOD: (SignedDuration, SignedDuration) =
    (SignedDuration::from_mins(4), SignedDuration::from_mins(110));
/// How soon a client whose payer changes the wallet may ask again, in seconds.
const COME_AGAIN_S: u32 = 3;

/// The merchant that a request names.
pub(crate) fn merchant_named<'a>(hub: &'a Hub, id: &str) -> Result<&'a Merchant, Fault> {
    hub.merchant(id).ok_or_else(|| {
        Fault::invalid("merchant_unknown", format!("merchant_id {id:?} is not configured"))
    })
}

/// Refuses none, too many, and a fee that stands twice.
pub(crate) fn check_fees<'a>(fee_ids: impl Iterator<Item = &'a FeeId>) -> Result<(), Fault> {
    let mut unique: Vec<&FeeId> = fee_ids.collect();
    let count = unique.len();
    if !(1..=MOST_FEES).contains(&count) {
        return Err(Fault::invalid(
            "fee_ids_invalid",
            format!("fee_ids must name 1 to {MOST_FEES} fees"),
        ));
    }
    unique.sort();
    unique.dedup();
    if unique.len() != count {
        return Err(Fault::invalid("fee_ids_invalid", "fee_ids names a fee twice"));
    }
    Ok(())
}

/// Refuses a life that is too short or too long.
pub(crate) fn check_life(expires_in_s: Option<i64>) -> Result<(), Fault> {
    let (least, _, most) = EXPIRES_IN_S;
    if expires_in_s.is_some_and(|given| given < least || given > most) {
        return Err(Fault::invalid(
            "expires_in_s_invalid",
            format!("expires_in_s must be between {least} and {most}"),
        ));
    }
    Ok(())
}

/// Refuses a way to pay that the merchant does not offer.
pub(crate) fn check_product(merchant: &Merchant, product: Product) -> Result<(), Fault> {
    let offered = merchant.provider.products();
    if offered.contains(&product) {
        return Ok(());
    }
    let words: Vec<&str> = offered.iter().map(|product| product.as_str()).collect();
    let detail = format!("product: merchant {} offers {}", merchant.id, words.join(", "));
    Err(Fault::invalid("limit", detail).with("field", "product"))
}

/// Refuses an address to which a payer's browser must not be sent.
pub(crate) fn check_return_url(return_url: Option<&str>) -> Result<(), Fault> {
    let Some(text) = return_url else { return Ok(()) };
    let is_good = Url::parse(text).is_ok_and(|url| {
        let is_bare = url.username().is_empty() && url.password().is_none();
        is_bare && (url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)))
    });
    if is_good {
        return Ok(());
    }
    let detail = "return_url must be an https:// address; http:// is for loopback only";
    Err(Fault::invalid("return_url_invalid", detail))
}

/// When an order made at `now` can no longer be paid. A barcode is of no use later, whoever wants
/// its order to live longer.
pub(crate) fn expiry(now: Timestamp, product: Product, expires_in_s: Option<i64>) -> Timestamp {
    let asked_s = expires_in_s.unwrap_or(EXPIRES_IN_S.1);
    let lives_s = if product.is_at_counter() { asked_s.min(AT_COUNTER_S) } else { asked_s };
    let ends = now.saturating_add(SignedDuration::from_secs(lives_s));
    whole_second(ends.unwrap_or(Timestamp::MAX))
}

/// Providers know whole seconds; what they are told and what the hub keeps must agree. The next
/// one, because the shortest life that a provider takes must not end a fraction too early.
fn whole_second(at: Timestamp) -> Timestamp {
    let more = i64::from(at.subsec_nanosecond() > 0);
    Timestamp::from_second(at.as_second().saturating_add(more)).unwrap_or(at)
}

/// Whether a code that was given at `given_at` is too old to be given again.
pub(crate) fn is_stale(product: Product, given_at: Timestamp, now: Timestamp) -> bool {
    let (of_browser, of_others) = GOOD;
    let good = if product == Product::H5 { of_browser } else { of_others };
    now.duration_since(given_at) >= good
}

/// Whether a refusal of the same call again means that the order moved there meanwhile: only a
/// query can tell how.
pub(crate) const fn has_moved(reason: Reason) -> bool {
    match reason {
        Reason::AlreadyPaid | Reason::AlreadyClosed | Reason::NumberReused => true,
        Reason::InvalidRequest
        | Reason::Configuration
        | Reason::NotFound
        | Reason::NotEnoughFunds
        | Reason::NotAllowed => false,
    }
}

/// Whether only a query can tell how an order stands after this answer to the same call again.
pub(crate) fn is_open<T>(outcome: &Outcome<T>) -> bool {
    match outcome {
        Outcome::Accepted(_) => false,
        Outcome::Refused(refusal) => has_moved(refusal.reason),
        Outcome::Unknown(_) => true,
    }
}

/// What a request says of its payer, as far as the provider ties the order to it.
pub(crate) struct MadeFor<'a> {
    pub(crate) product: Product,
    pub(crate) payer: Option<&'a OrderPayer>,
    /// The barcode, at the counter.
    pub(crate) auth_code: Option<&'a Personal>,
    pub(crate) return_url: Option<&'a str>,
}

impl MadeFor<'_> {
    /// Whom alone the order is made for, unreadably: the barcode at the counter, the one account
    /// that a page in the wallet asks to pay, the person whose document it names, the network of
    /// the browser that alone may open its page, and where that goes afterwards. `None`: whoever
    /// comes.
    pub(crate) fn index(&self, hub: &Hub) -> Option<[u8; 32]> {
        let account = match self.product {
            Product::Codepay | Product::Pay => self.auth_code,
            Product::Jsapi | Product::Create => self.account(),
            Product::Native
            | Product::H5
            | Product::App
            | Product::Precreate
            | Product::Page
            | Product::Wap => None,
        };
        let identity = self.payer.and_then(|payer| payer.identity.as_ref());
        let person = identity
            .map(|identity| (identity.name.clear(), identity.id_no.clear(), identity.document));
        let network = self.payer.and_then(|payer| payer.client_ip.as_deref());
        let network = network.filter(|_| self.product == Product::H5);
        let is_page = matches!(self.product, Product::H5 | Product::Page | Product::Wap);
        let back_to = self.return_url.filter(|_| is_page);
        if account.is_none() && person.is_none() && network.is_none() && back_to.is_none() {
            return None;
        }
        let text = json!([account.map(Personal::clear), person, network, back_to]).to_string();
        Some(hub.sealer.blind_index(Purpose::BlindIndex, &text))
    }

    /// The account that pays.
    pub(crate) fn account(&self) -> Option<&Personal> {
        self.payer.and_then(|payer| payer.openid.as_ref().or(payer.buyer_id.as_ref()))
    }
}

/// An index as the records show it.
pub(crate) fn shown(index: &[u8]) -> String {
    index.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The live orders of an application's fees, each once.
pub(crate) async fn live_orders<'a>(
    hub: &Hub,
    application: &ApplicationId,
    fee_ids: impl Iterator<Item = &'a FeeId>,
) -> Result<Vec<OrderId>, Fault> {
    let client = hub.store.client().await?;
    let ids: Vec<&str> = fee_ids.map(FeeId::as_str).collect();
    Ok(live_of(&fees::owed(&client, application, &ids).await?))
}

/// The live orders of fees, each once.
pub(super) fn live_of(balances: &[Balance]) -> Vec<OrderId> {
    let mut live: Vec<OrderId> =
        balances.iter().filter_map(|fee| fee.live_order_id.clone()).collect();
    live.sort();
    live.dedup();
    live
}

/// Closes a live order that stands in the way of another.
///
/// # Errors
/// 409 `fee_already_paid` when it turns out paid, `fee_has_live_order` while nobody knows.
pub(crate) async fn give_way(hub: &Hub, order: &OrderRecord) -> Result<(), Fault> {
    match close(hub, order, Why::Superseded).await? {
        Closed::Yes => Ok(()),
        Closed::Paid => Err(Fault::conflict(
            "fee_already_paid",
            format!("order {} for one of the fees turned out paid", order.id),
        )
        .with("order_id", order.id.as_str())),
        Closed::Unknown => Err(has_live_order().with("order_id", order.id.as_str())),
    }
}

/// The fate of another order for one of the fees is not known.
pub(crate) fn has_live_order() -> Fault {
    Fault::conflict(
        "fee_has_live_order",
        "one of the fees has an order whose fate its provider has not told yet; ask again",
    )
    .retry_after(COME_AGAIN_S)
}

/// What the order brings for each fee, in the order in which they were named.
pub(crate) fn allocate(wanted: &[FeeId], balances: &[Balance]) -> Result<Vec<(FeeId, Fen)>, Fault> {
    wanted
        .iter()
        .map(|fee_id| {
            let fee = balances
                .iter()
                .find(|fee| fee.fee_id == *fee_id)
                .ok_or_else(|| Fault::not_found("fee").with("fee_id", fee_id.as_str()))?;
            let fault = |fault: Fault| fault.with("fee_id", fee_id.as_str());
            if fee.facts.void {
                return Err(fault(Fault::conflict("fee_void", format!("fee {fee_id} is void"))));
            }
            if let Some(account) = &fee.payer_account {
                let detail = format!(
                    "fee {fee_id} is paid by the month, by the account {account}: void it and issue \
                     it anew without the account to have it paid at once"
                );
                let refused = Fault::conflict("fee_on_monthly_account", detail);
                return Err(fault(refused.with("payer_account", account.as_str())));
            }
            if fee.facts.total == Fen::ZERO {
                let detail = format!("nothing is owed for fee {fee_id}");
                return Err(fault(Fault::invalid("nothing_to_pay", detail)));
            }
            let owed = fee.facts.outstanding();
            if owed == Fen::ZERO {
                let detail = format!("fee {fee_id} is paid");
                return Err(fault(Fault::conflict("fee_already_paid", detail)));
            }
            Ok((fee_id.clone(), owed))
        })
        .collect()
}

/// Why an order was not written.
pub(crate) enum Unwritten {
    /// Another one came first.
    Raced,
    /// It may not be.
    Fault(Box<Fault>),
}

impl<F: Into<Fault>> From<F> for Unwritten {
    fn from(fault: F) -> Self {
        Self::Fault(Box::new(fault.into()))
    }
}
