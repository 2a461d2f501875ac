//! Creates an order for the whole outstanding amount of its fees.

use adapters::provider::{Identity, NewOrder, Product};
use adapters::wire::Call;
use domain::Fen;
use domain::ids::{ApplicationId, FeeId, MerchantId, OrderId, OutTradeNo};
use domain::order::OrderState;
use domain::personal::Personal;
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::terms::{
    MadeFor, SUBJECT, Unwritten, allocate, check_fees, check_life, check_product, check_return_url,
    expiry, give_way, has_live_order, live_orders, merchant_named, shown,
};
use super::{cadence, call_context, load, place};
use crate::fault::Fault;
use crate::hub::{Hub, Merchant, random};
use crate::seal::Purpose;
use crate::store::StoreError;
use crate::store::fees;
use crate::store::orders::{self, OrderRecord};

/// How often creation starts over after it lost a race.
const TRIES: u32 = 3;

/// `POST /v1/orders`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderRequest {
    /// Through which merchant.
    pub merchant_id: String,
    /// How it is paid.
    pub product: Product,
    /// For which fees.
    pub fee_ids: Vec<FeeId>,
    /// What the payer reads.
    #[serde(default)]
    pub subject: Option<String>,
    /// Who pays, where the product wants to know.
    #[serde(default)]
    pub payer: Option<OrderPayer>,
    /// The payer's barcode, at the counter.
    #[serde(default)]
    pub auth_code: Option<Personal>,
    /// Where the payer's browser goes afterwards.
    #[serde(default)]
    pub return_url: Option<String>,
    /// For how long it may be paid, in seconds: 60 to 604 800, 7 200 when absent; at the counter 60
    /// at most.
    #[serde(default)]
    pub expires_in_s: Option<i64>,
}

/// Who pays.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderPayer {
    /// At WeChat.
    #[serde(default)]
    pub openid: Option<Personal>,
    /// At Alipay.
    #[serde(default)]
    pub buyer_id: Option<Personal>,
    /// From where.
    #[serde(default)]
    pub client_ip: Option<String>,
    /// Who alone may pay, by name and document.
    #[serde(default)]
    pub identity: Option<Identity>,
}

/// What creating an order gave.
#[derive(Clone, Debug)]
pub enum Created {
    /// A new order, as it stands after asking the provider.
    New(Box<OrderRecord>),
    /// The live order for the same merchant, product and fees.
    Same(Box<OrderRecord>),
}

/// Creates an order, or gives the live one for the same merchant, product and fees. A live order
/// of another kind is closed first.
///
/// # Errors
/// 404 a fee that is not there, 409 `fee_already_paid` or `fee_has_live_order`, 422 for what breaks
/// a rule of ours or a limit of the provider.
pub async fn create(
    hub: &Hub,
    application: &ApplicationId,
    request: &OrderRequest,
) -> Result<Created, Fault> {
    let merchant = check(hub, request)?;
    for _ in 0..TRIES {
        if let Some(same) = clear_the_way(hub, application, merchant, request).await? {
            return Ok(Created::Same(Box::new(same)));
        }
        match write(hub, application, merchant, request).await {
            Ok((order_id, call)) => {
                let order = load(hub, &order_id).await?;
                place::place_first(hub, &order, &call).await?;
                return Ok(Created::New(Box::new(load(hub, &order_id).await?)));
            }
            // Another order for one of the fees came first: look again.
            Err(Unwritten::Raced) => {}
            Err(Unwritten::Fault(fault)) => return Err(*fault),
        }
    }
    Err(has_live_order())
}

fn check<'a>(hub: &'a Hub, request: &OrderRequest) -> Result<&'a Merchant, Fault> {
    let merchant = merchant_named(hub, &request.merchant_id)?;
    check_fees(request.fee_ids.iter())?;
    check_life(request.expires_in_s)?;
    check_product(merchant, request.product)?;
    check_return_url(request.return_url.as_deref())?;
    Ok(merchant)
}

/// Looks at the live orders of the fees: the same one is given back while its fees still owe what
/// it asks for, any other is closed.
async fn clear_the_way(
    hub: &Hub,
    application: &ApplicationId,
    merchant: &Merchant,
    request: &OrderRequest,
) -> Result<Option<OrderRecord>, Fault> {
    let live = live_orders(hub, application, request.fee_ids.iter()).await?;
    for order_id in live {
        let order = load(hub, &order_id).await?;
        if !order.status.is_live() {
            continue;
        }
        let may_be_paid = hub.clock.now() < order.expires_at && !order.is_to_be_closed();
        if is_same(hub, &order, &merchant.id, request) && may_be_paid {
            place::renew(hub, &order).await?;
            return Ok(Some(load(hub, &order_id).await?));
        }
        give_way(hub, &order).await?;
    }
    Ok(None)
}

fn is_same(hub: &Hub, order: &OrderRecord, merchant: &MerchantId, request: &OrderRequest) -> bool {
    let mut theirs: Vec<&FeeId> = order.fees.iter().map(|fee| &fee.fee_id).collect();
    let mut ours: Vec<&FeeId> = request.fee_ids.iter().collect();
    theirs.sort();
    ours.sort();
    let alone = order.combined.is_none() && order.merchant_id == *merchant;
    let index = made_for(request).index(hub).map(|index| shown(&index));
    alone
        && order.product == request.product.as_str()
        && theirs == ours
        && order.payer_index == index
}

fn made_for(request: &OrderRequest) -> MadeFor<'_> {
    MadeFor {
        product: request.product,
        payer: request.payer.as_ref(),
        auth_code: request.auth_code.as_ref(),
        return_url: request.return_url.as_deref(),
    }
}

/// Writes an order down with the call that places it, and that this leaves now.
async fn write(
    hub: &Hub,
    application: &ApplicationId,
    merchant: &Merchant,
    request: &OrderRequest,
) -> Result<(OrderId, Call), Unwritten> {
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let ids: Vec<&str> = request.fee_ids.iter().map(FeeId::as_str).collect();
    let locked = fees::lock(&tx, application, &ids).await?;
    let allocations = allocate(&request.fee_ids, &locked)?;
    let amount = Fen::sum(allocations.iter().map(|(_, amount)| *amount))
        .filter(|amount| amount.is_payable())
        .ok_or_else(|| {
            Fault::invalid("amount_too_large", "the fees add up to more than 10^10 fen")
        })?;
    let uuid = Uuid::now_v7();
    let order_id = OrderId::new(uuid);
    let out_trade_no = OutTradeNo::new(uuid);
    let now = hub.clock.now();
    let expires_at = expiry(now, request.product, request.expires_in_s);
    let subject = request.subject.as_deref().unwrap_or(SUBJECT);
    let payer = request.payer.as_ref();
    let chance = random::<32>()?;
    let call = merchant
        .provider
        .place(&NewOrder {
            product: request.product,
            out_trade_no: &out_trade_no,
            amount,
            subject,
            expires_at,
            notify_url: &merchant.notify_url,
            return_url: request.return_url.as_deref(),
            payer: made_for(request).account(),
            identity: payer.and_then(|payer| payer.identity.as_ref()),
            auth_code: request.auth_code.as_ref(),
            now,
            chance: &chance,
            client_ip: payer.and_then(|payer| payer.client_ip.as_deref()),
        })
        .map_err(|limit| Fault::invalid("limit", limit.to_string()).with("field", limit.field))?;
    let kept = serde_json::to_vec(&call).map_err(|error| Fault::internal(&error))?;
    let sealed = hub.sealer.seal(Purpose::Call, &kept, call_context(&order_id).as_bytes())?;
    let new = orders::NewOrder {
        order_id: &order_id,
        application_id: application,
        merchant_id: &merchant.id,
        provider: merchant.provider.provider(),
        product: request.product.as_str(),
        out_trade_no: &out_trade_no,
        amount,
        subject,
        place_call: &sealed,
        now,
        expires_at,
        placing_at: Some(now),
        next_query_at: Some(now.saturating_add(cadence::PICK_UP).unwrap_or(Timestamp::MAX)),
        allocations: &allocations,
    };
    match orders::insert(&tx, &new).await {
        Err(error) if error.constraint() == Some("one_live_order_per_fee") => {
            return Err(Unwritten::Raced);
        }
        done => done?,
    }
    if let Some(index) = made_for(request).index(hub) {
        orders::made_for(&tx, &order_id, &index).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok((order_id, call))
}

/// Whether an answer for `order` is 202: its provider's answer is unknown.
#[must_use]
pub fn is_open_question(order: &OrderRecord) -> bool {
    matches!(order.status, OrderState::Unknown | OrderState::Created)
}
