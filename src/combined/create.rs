//! Creates a combined order: for each payee an order over the whole outstanding amount of its fees,
//! and one call that places all of them.

use adapters::provider::{NewCombined, NewPart, Product};
use adapters::wire::Call;
use domain::Fen;
use domain::combined::PARTS;
use domain::ids::{ApplicationId, CombinedId, FeeId, OrderId, OutTradeNo};
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::place::{place, renew};
use super::{call_context, load};
use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::orders::OrderPayer;
use crate::orders::cadence;
use crate::orders::terms::{
    MadeFor, SUBJECT, Unwritten, allocate, check_fees, check_life, check_product, check_return_url,
    expiry, give_way, has_live_order, live_orders, merchant_named, shown,
};
use crate::seal::Purpose;
use crate::store::StoreError;
use crate::store::combined::{self, CombinedRecord};
use crate::store::{fees, orders};

/// How often creation starts over after it lost a race.
const TRIES: u32 = 3;

/// `POST /v1/combined-orders`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CombinedRequest {
    /// Through which merchant the provider is asked and calls back.
    pub merchant_id: String,
    /// How it is paid.
    pub product: Product,
    /// What each payee gets, 2 to 10 of them.
    pub parts: Vec<PartRequest>,
    /// Who pays, where the product wants to know.
    #[serde(default)]
    pub payer: Option<OrderPayer>,
    /// Where the payer's browser goes afterwards.
    #[serde(default)]
    pub return_url: Option<String>,
    /// For how long it may be paid, in seconds: 60 to 604 800, 7 200 when absent.
    #[serde(default)]
    pub expires_in_s: Option<i64>,
}

/// One payee's part of a [`CombinedRequest`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartRequest {
    /// The payee's merchant.
    pub merchant_id: String,
    /// For which fees.
    pub fee_ids: Vec<FeeId>,
    /// What the payer reads.
    #[serde(default)]
    pub subject: Option<String>,
}

/// What creating a combined order gave.
#[derive(Clone, Debug)]
pub enum Created {
    /// A new one, as it stands after asking the provider.
    New(Box<CombinedRecord>),
    /// The live one for the same merchant, product, payees and fees.
    Same(Box<CombinedRecord>),
}

/// Who takes part: who asks, and each payee with its part.
struct Cast<'a> {
    asker: &'a Merchant,
    payees: Vec<(&'a Merchant, &'a PartRequest)>,
}

/// Creates a combined order, or gives the live one for the same merchant, product, payees and fees.
/// Any other live order for one of the fees is closed first.
///
/// # Errors
/// 404 a fee that is not there, 409 `fee_already_paid` or `fee_has_live_order`, 422 for what breaks
/// a rule of ours or a limit of the provider.
pub async fn create(
    hub: &Hub,
    application: &ApplicationId,
    request: &CombinedRequest,
) -> Result<Created, Fault> {
    let cast = check(hub, request)?;
    for _ in 0..TRIES {
        if let Some(same) = clear_the_way(hub, application, &cast, request).await? {
            return Ok(Created::Same(Box::new(same)));
        }
        match write(hub, application, &cast, request).await {
            Ok(combined_id) => {
                let whole = load(hub, &combined_id).await?;
                place(hub, &whole).await?;
                return Ok(Created::New(Box::new(load(hub, &combined_id).await?)));
            }
            // Another order for one of the fees came first: look again.
            Err(Unwritten::Raced) => {}
            Err(Unwritten::Fault(fault)) => return Err(*fault),
        }
    }
    Err(has_live_order())
}

fn check<'a>(hub: &'a Hub, request: &'a CombinedRequest) -> Result<Cast<'a>, Fault> {
    let asker = merchant_named(hub, &request.merchant_id)?;
    if asker.provider.combined().is_none() {
        return Err(Fault::invalid(
            "combined_not_offered",
            format!(
                "merchant {} cannot ask for combined orders: only WeChat Pay APIv3 can",
                asker.id
            ),
        ));
    }
    if request.payer.as_ref().is_some_and(|payer| payer.identity.is_some()) {
        let detail = "payer.identity: a combined order cannot ask who pays";
        return Err(Fault::invalid("limit", detail).with("field", "payer.identity"));
    }
    let (least, most) = PARTS;
    if !(least..=most).contains(&request.parts.len()) {
        let detail = format!("parts must name {least} to {most} payees");
        return Err(Fault::invalid("parts_invalid", detail));
    }
    let mut payees: Vec<(&Merchant, &PartRequest)> = Vec::with_capacity(request.parts.len());
    for part in &request.parts {
        let merchant = merchant_named(hub, &part.merchant_id)?;
        check_together(asker, merchant)?;
        check_fees(part.fee_ids.iter())?;
        let account = |merchant: &Merchant| merchant.provider.account().payee.clone();
        if payees.iter().any(|(known, _)| account(known) == account(merchant)) {
            let detail =
                format!("merchant {} is paid twice; put its fees into one part", merchant.id);
            return Err(Fault::invalid("parts_invalid", detail));
        }
        payees.push((merchant, part));
    }
    check_fees(request.parts.iter().flat_map(|part| &part.fee_ids))?;
    check_life(request.expires_in_s)?;
    check_product(asker, request.product)?;
    check_return_url(request.return_url.as_deref())?;
    Ok(Cast { asker, payees })
}

/// Refuses a payee who cannot be paid by what the asker asks for: of another provider, of an
/// interface without combined payments, or through another service provider, or none.
fn check_together(asker: &Merchant, payee: &Merchant) -> Result<(), Fault> {
    let of_one = asker.provider.provider() == payee.provider.provider();
    let why = match (asker.provider.combined(), payee.provider.combined()) {
        (Some(one), Some(other)) if of_one && one.paid_through() == other.paid_through() => {
            return Ok(());
        }
        (Some(_), Some(_)) if of_one => "they are not paid through the same service provider",
        _ => "they are not of one provider",
    };
    let detail = format!("merchant {} cannot be paid together with {}: {why}", payee.id, asker.id);
    Err(Fault::invalid("parts_invalid", detail))
}

/// Looks at the live orders of the fees: the same combined order is given back while its fees still
/// owe what it asks for, any other order is closed, together with the whole that it is part of.
async fn clear_the_way(
    hub: &Hub,
    application: &ApplicationId,
    cast: &Cast<'_>,
    request: &CombinedRequest,
) -> Result<Option<CombinedRecord>, Fault> {
    let fee_ids = request.parts.iter().flat_map(|part| &part.fee_ids);
    for order_id in live_orders(hub, application, fee_ids).await? {
        let order = orders::by_ids(&hub.store.client().await?, &[order_id.as_str()]).await?.pop();
        let Some(order) = order.filter(|order| order.status.is_live()) else { continue };
        if let Some(whole) = &order.combined {
            let whole = load(hub, &whole.id).await?;
            let all_live = whole.parts.iter().all(|part| part.status.is_live());
            let may_be_paid =
                all_live && hub.clock.now() < whole.expires_at && !whole.is_to_be_closed();
            if may_be_paid && is_same(hub, &whole, cast, request) {
                renew(hub, &whole).await?;
                return Ok(Some(load(hub, &whole.id).await?));
            }
        }
        give_way(hub, &order).await?;
    }
    Ok(None)
}

fn is_same(hub: &Hub, whole: &CombinedRecord, cast: &Cast<'_>, request: &CombinedRequest) -> bool {
    fn parts<'a>(
        of: impl Iterator<Item = (&'a str, Vec<&'a FeeId>)>,
    ) -> Vec<(&'a str, Vec<&'a FeeId>)> {
        let mut parts: Vec<_> = of.collect();
        parts.iter_mut().for_each(|(_, fees)| fees.sort());
        parts.sort();
        parts
    }
    let theirs = parts(whole.parts.iter().map(|part| {
        (part.merchant_id.as_str(), part.fees.iter().map(|fee| &fee.fee_id).collect())
    }));
    let ours = parts(
        request.parts.iter().map(|part| (part.merchant_id.as_str(), part.fee_ids.iter().collect())),
    );
    whole.merchant_id == cast.asker.id
        && whole.product == request.product.as_str()
        && theirs == ours
        && whole.payer_index == made_for(request).index(hub).map(|index| shown(&index))
}

fn made_for(request: &CombinedRequest) -> MadeFor<'_> {
    MadeFor {
        product: request.product,
        payer: request.payer.as_ref(),
        auth_code: None,
        return_url: request.return_url.as_deref(),
    }
}

/// A part on its way into the books.
struct Part<'a> {
    order_id: OrderId,
    out_trade_no: OutTradeNo,
    payee: &'a Merchant,
    subject: &'a str,
    amount: Fen,
    allocations: Vec<(FeeId, Fen)>,
}

async fn write(
    hub: &Hub,
    application: &ApplicationId,
    cast: &Cast<'_>,
    request: &CombinedRequest,
) -> Result<CombinedId, Unwritten> {
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let ids: Vec<&str> =
        request.parts.iter().flat_map(|part| &part.fee_ids).map(FeeId::as_str).collect();
    let locked = fees::lock(&tx, application, &ids).await?;
    let mut parts = Vec::with_capacity(cast.payees.len());
    for (payee, part) in &cast.payees {
        let allocations = allocate(&part.fee_ids, &locked)?;
        let uuid = Uuid::now_v7();
        parts.push(Part {
            order_id: OrderId::new(uuid),
            out_trade_no: OutTradeNo::new(uuid),
            payee,
            subject: part.subject.as_deref().unwrap_or(SUBJECT),
            amount: payable(allocations.iter().map(|(_, amount)| *amount))?,
            allocations,
        });
    }
    let amount = payable(parts.iter().map(|part| part.amount))?;
    let uuid = Uuid::now_v7();
    let (combined_id, out_trade_no) = (CombinedId::new(uuid), OutTradeNo::new(uuid));
    let now = hub.clock.now();
    let expires_at = expiry(now, request.product, request.expires_in_s);
    let call = call(cast.asker, request, &parts, (&out_trade_no, now, expires_at))?;
    let call = serde_json::to_vec(&call).map_err(|error| Fault::internal(&error))?;
    let sealed = hub.sealer.seal(Purpose::Call, &call, call_context(&combined_id).as_bytes())?;
    insert_parts(&tx, application, request.product, &parts, (now, expires_at)).await?;
    let payees: Vec<(OrderId, String)> = parts
        .iter()
        .map(|part| (part.order_id.clone(), part.payee.provider.account().payee.clone()))
        .collect();
    let index = made_for(request).index(hub);
    let new = combined::NewCombined {
        combined_id: &combined_id,
        application_id: application,
        merchant_id: &cast.asker.id,
        product: request.product.as_str(),
        out_trade_no: &out_trade_no,
        amount,
        place_call: &sealed,
        now,
        expires_at,
        next_query_at: now.saturating_add(cadence::PICK_UP).unwrap_or(Timestamp::MAX),
        payer_index: index.as_ref().map(<[u8; 32]>::as_slice),
        parts: &payees,
    };
    combined::insert(&tx, &new).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(combined_id)
}

/// Writes each part down as the order that it is.
async fn insert_parts(
    tx: &deadpool_postgres::Transaction<'_>,
    application: &ApplicationId,
    product: Product,
    parts: &[Part<'_>],
    (now, expires_at): (Timestamp, Timestamp),
) -> Result<(), Unwritten> {
    for part in parts {
        let new = orders::NewOrder {
            order_id: &part.order_id,
            application_id: application,
            merchant_id: &part.payee.id,
            provider: part.payee.provider.provider(),
            product: product.as_str(),
            out_trade_no: &part.out_trade_no,
            amount: part.amount,
            subject: part.subject,
            // One call places all parts: it stands with the whole.
            place_call: &[],
            now,
            expires_at,
            placing_at: None,
            next_query_at: None,
            allocations: &part.allocations,
        };
        match orders::insert(tx, &new).await {
            Err(error) if error.constraint() == Some("one_live_order_per_fee") => {
                return Err(Unwritten::Raced);
            }
            done => done?,
        }
    }
    Ok(())
}

fn payable(amounts: impl Iterator<Item = Fen>) -> Result<Fen, Fault> {
    Fen::sum(amounts)
        .filter(|amount| amount.is_payable())
        .ok_or_else(|| Fault::invalid("amount_too_large", "the fees add up to more than 10^10 fen"))
}

/// The call that places all parts.
fn call(
    asker: &Merchant,
    request: &CombinedRequest,
    parts: &[Part<'_>],
    (out_trade_no, now, expires_at): (&OutTradeNo, Timestamp, Timestamp),
) -> Result<Call, Fault> {
    let provider = asker.provider.combined().ok_or_else(|| {
        Fault::unavailable(format!("merchant {} cannot ask for combined orders", asker.id))
    })?;
    let payer = request.payer.as_ref();
    let new: Vec<NewPart<'_>> = parts
        .iter()
        .map(|part| NewPart {
            payee: part.payee.provider.account().payee.as_str(),
            out_trade_no: &part.out_trade_no,
            amount: part.amount,
            subject: part.subject,
        })
        .collect();
    provider
        .place_combined(&NewCombined {
            product: request.product,
            out_trade_no,
            parts: &new,
            expires_at,
            notify_url: &asker.notify_url,
            return_url: request.return_url.as_deref(),
            payer: payer.and_then(|payer| payer.openid.as_ref()),
            client_ip: payer.and_then(|payer| payer.client_ip.as_deref()),
            now,
        })
        .map_err(|limit| Fault::invalid("limit", limit.to_string()).with("field", limit.field))
}
