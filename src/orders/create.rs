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

use super::follow::follow;
use super::terms::{
    MadeFor, SUBJECT, Unwritten, allocate, check_fees, check_life, check_product, check_return_url,
    expiry, give_way, has_live_order, live_of, merchant_named, shown,
};
use super::turn::is_being_placed;
use super::{cadence, call_context, load, place};
use crate::answering::Answering;
use crate::fault::Fault;
use crate::hub::{Hub, Merchant, random};
use crate::seal::Purpose;
use crate::store::fees::{self, Balance};
use crate::store::idempotency::NewKey;
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
    /// A new order.
    New {
        /// As it stands after asking the provider.
        order: Box<OrderRecord>,
        /// Whether who asked for it is answered under his key.
        is_answered: bool,
    },
    /// The live order for the same merchant, product and fees.
    Same(Box<OrderRecord>),
}

/// A new order that is written down, and of which its provider has not heard.
#[derive(Clone, Debug)]
pub struct Written {
    order: OrderRecord,
    call: Call,
    /// The lease of the key that was taken with it, or 0.
    lease: i64,
}

impl Written {
    /// Places it.
    ///
    /// # Errors
    /// When the answer cannot be written: it is asked for again by a worker.
    pub async fn place(
        self,
        hub: &Hub,
        answering: Option<&Answering<'_, OrderRecord>>,
    ) -> Result<Created, Fault> {
        let Self { order, call, lease: _ } = self;
        let (order, is_answered) = place::place_first(hub, &order, &call, answering).await?;
        Ok(Created::New { order: Box::new(order), is_answered })
    }
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
    answering: Option<&Answering<'_, OrderRecord>>,
) -> Result<Created, Fault> {
    let merchant = check(hub, request)?;
    for _ in 0..TRIES {
        let mut balances = owed(hub, application, request).await?;
        let live = live_of(&balances);
        if !live.is_empty() {
            if let Some(same) = clear_the_way(hub, &live, merchant, request).await? {
                return Ok(Created::Same(Box::new(same)));
            }
            balances = owed(hub, application, request).await?;
        }
        match write(hub, (application, None), merchant, request, &balances).await {
            Ok(written) => return written.place(hub, answering).await,
            // Another order for one of the fees came first, or a payment: look again.
            Err(Unwritten::Raced) => {}
            Err(Unwritten::Fault(fault)) => return Err(*fault),
        }
    }
    Err(has_live_order())
}

/// Takes the key under which an order is asked for and writes the order down, in one transaction;
/// with it the key's lease. `None`, and nothing is written: the key is known, something stands in
/// the way, or the request will be refused; [`create`] tells which, under the key.
///
/// # Errors
/// When the database does not answer.
pub async fn open(
    hub: &Hub,
    application: &ApplicationId,
    request: &OrderRequest,
    key: &NewKey<'_>,
) -> Result<Option<(i64, Written)>, Fault> {
    let Ok(merchant) = check(hub, request) else { return Ok(None) };
    let balances = owed(hub, application, request).await?;
    if balances.iter().any(|fee| fee.live_order_id.is_some()) {
        return Ok(None);
    }
    match write(hub, (application, Some(key)), merchant, request, &balances).await {
        Ok(written) => Ok(Some((written.lease, written))),
        Err(Unwritten::Fault(fault)) if fault.status >= 500 => Err(*fault),
        Err(Unwritten::Fault(_) | Unwritten::Raced) => Ok(None),
    }
}

async fn owed(
    hub: &Hub,
    application: &ApplicationId,
    request: &OrderRequest,
) -> Result<Vec<Balance>, Fault> {
    let ids: Vec<&str> = request.fee_ids.iter().map(FeeId::as_str).collect();
    Ok(fees::owed(&hub.store.client().await?, application, &ids).await?)
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
    live: &[OrderId],
    merchant: &Merchant,
    request: &OrderRequest,
) -> Result<Option<OrderRecord>, Fault> {
    for order_id in live {
        let mut order = load(hub, order_id).await?;
        let is_same = is_same(hub, &order, &merchant.id, request);
        let is_left =
            order.status == OrderState::Created && !is_being_placed(&order, hub.clock.now());
        // Whoever wrote it died before its provider answered. Another one is taken back instead:
        // to ask for it may place it, and take money that nobody offers any more.
        if is_same && is_left {
            order = follow(hub, order_id).await?;
        }
        if !order.status.is_live() {
            continue;
        }
        let may_be_paid = hub.clock.now() < order.expires_at && !order.is_to_be_closed();
        if is_same && may_be_paid {
            place::renew(hub, &order).await?;
            return Ok(Some(load(hub, order_id).await?));
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

/// Writes an order down with the call that places it, and that this leaves now; for an application,
/// under its key if it gave one.
async fn write(
    hub: &Hub,
    (application, key): (&ApplicationId, Option<&NewKey<'_>>),
    merchant: &Merchant,
    request: &OrderRequest,
    balances: &[Balance],
) -> Result<Written, Unwritten> {
    let allocations = allocate(&request.fee_ids, balances)?;
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
    let call = call(merchant, request, &out_trade_no, amount, (now, expires_at))?;
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
        subject: request.subject.as_deref().unwrap_or(SUBJECT),
        place_call: &sealed,
        now,
        expires_at,
        placing_at: Some(now),
        next_query_at: Some(now.saturating_add(cadence::PICK_UP).unwrap_or(Timestamp::MAX)),
        allocations: &allocations,
    };
    let index = made_for(request).index(hub);
    let payer_index = index.as_ref().map(<[u8; 32]>::as_slice);
    let client = hub.store.client().await?;
    let lease = match orders::write(&client, &new, payer_index, balances, key).await {
        Err(error) if error.constraint() == Some("one_live_order_per_fee") => {
            return Err(Unwritten::Raced);
        }
        done => done?.ok_or(Unwritten::Raced)?,
    };
    let order = OrderRecord::new(&new, payer_index.map(shown), balances);
    Ok(Written { order, call, lease })
}

/// The call that places an order.
fn call(
    merchant: &Merchant,
    request: &OrderRequest,
    out_trade_no: &OutTradeNo,
    amount: Fen,
    (now, expires_at): (Timestamp, Timestamp),
) -> Result<Call, Fault> {
    let payer = request.payer.as_ref();
    let chance = random::<32>()?;
    merchant
        .provider
        .place(&NewOrder {
            product: request.product,
            out_trade_no,
            amount,
            subject: request.subject.as_deref().unwrap_or(SUBJECT),
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
        .map_err(|limit| Fault::invalid("limit", limit.to_string()).with("field", limit.field))
}

/// Whether an answer for `order` is 202: its provider's answer is unknown.
#[must_use]
pub fn is_open_question(order: &OrderRecord) -> bool {
    matches!(order.status, OrderState::Unknown | OrderState::Created)
}
