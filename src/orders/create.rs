//! Creates an order for the whole outstanding amount of its fees.

use adapters::provider::{NewOrder, Product};
use domain::Fen;
use domain::ids::{ApplicationId, FeeId, MerchantId, OrderId, OutTradeNo};
use domain::order::OrderState;
use domain::personal::Personal;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use uuid::Uuid;

use super::close::{Closed, Why, close};
use super::{cadence, call_context, load, place};
use crate::fault::Fault;
use crate::hub::{Hub, Merchant, random};
use crate::seal::Purpose;
use crate::store::StoreError;
use crate::store::fees::{self, LockedBalance};
use crate::store::orders::{self, OrderRecord};

/// The most fees that one order pays for.
const MOST_FEES: usize = 50;
/// How long an order lives when nobody says otherwise, and between which bounds they may, in
/// seconds.
const EXPIRES_IN_S: (i64, i64, i64) = (60, 7200, 604_800);
/// How soon a client whose payer changes the wallet may ask again, in seconds.
const COME_AGAIN_S: u32 = 3;
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
    /// For how long it may be paid, in seconds: 60 to 604 800, 7 200 when absent.
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
            Ok(order_id) => {
                let order = load(hub, &order_id).await?;
                place::place(hub, &order).await?;
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
    let merchant = hub.merchant(&request.merchant_id).ok_or_else(|| {
        Fault::invalid(
            "merchant_unknown",
            format!("merchant_id {:?} is not configured", request.merchant_id),
        )
    })?;
    if request.fee_ids.is_empty() || request.fee_ids.len() > MOST_FEES {
        return Err(Fault::invalid(
            "fee_ids_invalid",
            format!("fee_ids must name 1 to {MOST_FEES} fees"),
        ));
    }
    let mut unique: Vec<&FeeId> = request.fee_ids.iter().collect();
    unique.sort();
    unique.dedup();
    if unique.len() != request.fee_ids.len() {
        return Err(Fault::invalid("fee_ids_invalid", "fee_ids names a fee twice"));
    }
    let (least, _, most) = EXPIRES_IN_S;
    if request.expires_in_s.is_some_and(|given| given < least || given > most) {
        return Err(Fault::invalid(
            "expires_in_s_invalid",
            format!("expires_in_s must be between {least} and {most}"),
        ));
    }
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
    let client = hub.store.client().await?;
    let ids: Vec<&str> = request.fee_ids.iter().map(FeeId::as_str).collect();
    let known = fees::by_ids(&client, &ids).await?;
    drop(client);
    let mine = known.iter().filter(|fee| fee.application_id == *application);
    let mut live: Vec<OrderId> = mine.filter_map(|fee| fee.live_order_id.clone()).collect();
    live.sort();
    live.dedup();
    for order_id in live {
        let order = load(hub, &order_id).await?;
        if !order.status.is_live() {
            continue;
        }
        let may_be_paid = hub.clock.now() < order.expires_at && !order.is_overtaken();
        if is_same(&order, &merchant.id, request) && may_be_paid {
            return Ok(Some(order));
        }
        match close(hub, &order, Why::Superseded).await? {
            Closed::Yes => {}
            Closed::Paid => {
                return Err(Fault::conflict(
                    "fee_already_paid",
                    format!("order {} for one of the fees turned out paid", order.id),
                )
                .with("order_id", order.id.as_str()));
            }
            Closed::Unknown => return Err(has_live_order().with("order_id", order.id.as_str())),
        }
    }
    Ok(None)
}

fn has_live_order() -> Fault {
    Fault::conflict(
        "fee_has_live_order",
        "one of the fees has an order whose fate its provider has not told yet; ask again",
    )
    .retry_after(COME_AGAIN_S)
}

fn is_same(order: &OrderRecord, merchant: &MerchantId, request: &OrderRequest) -> bool {
    let mut theirs: Vec<&FeeId> = order.fees.iter().map(|fee| &fee.fee_id).collect();
    let mut ours: Vec<&FeeId> = request.fee_ids.iter().collect();
    theirs.sort();
    ours.sort();
    order.merchant_id == *merchant && order.product == request.product.as_str() && theirs == ours
}

/// Why an order was not written.
enum Unwritten {
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

async fn write(
    hub: &Hub,
    application: &ApplicationId,
    merchant: &Merchant,
    request: &OrderRequest,
) -> Result<OrderId, Unwritten> {
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
    let lives = SignedDuration::from_secs(request.expires_in_s.unwrap_or(EXPIRES_IN_S.1));
    let expires_at = whole_second(now.saturating_add(lives).unwrap_or(Timestamp::MAX));
    let subject = request.subject.as_deref().unwrap_or("不动产登记费");
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
            payer: payer.and_then(|payer| payer.openid.as_ref().or(payer.buyer_id.as_ref())),
            identity: None,
            auth_code: request.auth_code.as_ref(),
            now,
            chance: &chance,
            client_ip: payer.and_then(|payer| payer.client_ip.as_deref()),
        })
        .map_err(|limit| Fault::invalid("limit", limit.to_string()).with("field", limit.field))?;
    let call = serde_json::to_vec(&call).map_err(|error| Fault::internal(&error))?;
    let sealed = hub.sealer.seal(Purpose::Call, &call, call_context(&order_id).as_bytes())?;
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
        next_query_at: Some(now.saturating_add(cadence::PICK_UP).unwrap_or(Timestamp::MAX)),
        allocations: &allocations,
    };
    match orders::insert(&tx, &new).await {
        Err(error) if error.constraint() == Some("one_live_order_per_fee") => {
            return Err(Unwritten::Raced);
        }
        done => done?,
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(order_id)
}

/// What the order brings for each fee, in the order in which they were named.
fn allocate(wanted: &[FeeId], locked: &[LockedBalance]) -> Result<Vec<(FeeId, Fen)>, Fault> {
    wanted
        .iter()
        .map(|fee_id| {
            let fee = locked
                .iter()
                .find(|fee| fee.fee_id == *fee_id)
                .ok_or_else(|| Fault::not_found("fee").with("fee_id", fee_id.as_str()))?;
            let fault = |fault: Fault| fault.with("fee_id", fee_id.as_str());
            if fee.facts.void {
                return Err(fault(Fault::conflict("fee_void", format!("fee {fee_id} is void"))));
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

/// Providers know whole seconds; what they are told and what the hub keeps must agree.
fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// Whether an answer for `order` is 202: its provider's answer is unknown.
#[must_use]
pub fn is_open_question(order: &OrderRecord) -> bool {
    matches!(order.status, OrderState::Unknown | OrderState::Created)
}
