//! An abnormal refund (退款异常) is sent to another account: a card of the payer, or the merchant's
//! own account, which gives it to the payer by hand. The number stays, and so does the money's hold.
//! One redirection at a time: the next one leaves when the provider itself has said that the one
//! before came to nothing.

use adapters::provider::{AccountKind, Redirect};
use adapters::wire::{Outcome, Refusal};
use callbacks::Claim;
use domain::fact::{ProviderFact, Source};
use domain::ids::{ApplicationId, ProviderRefundNo, RefundId};
use domain::personal::Personal;
use domain::refund::RefundState;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::request::PICK_UP;
use super::send::key_of;
use super::{get, load, merchant_of};
use crate::fault::Fault;
use crate::hub::{Hub, random};
use crate::outbound::{Kind, Question, ask};
use crate::record::{Arrival, record};
use crate::seal::Purpose;
use crate::store::refunds::{self, NewRedirect, RefundRecord};
use crate::store::{StoreError, orders};

/// When a refund is asked for whose redirection got no answer.
const SOON: SignedDuration = SignedDuration::from_secs(1);

/// `POST /v1/refunds/{id}/redirect`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedirectRequest {
    /// Whose account.
    pub to: AccountKind,
    /// The bank's short word at the provider, for a payer's card.
    #[serde(default)]
    pub bank: Option<String>,
    /// The card's number, for a payer's card.
    #[serde(default)]
    pub card: Option<Personal>,
    /// The card holder's name, for a payer's card.
    #[serde(default)]
    pub holder: Option<Personal>,
}

/// Sends an abnormal refund to another account; the refund as it is then. Where the provider gave
/// no answer it is still abnormal, and is asked for soon.
///
/// # Errors
/// 404 no such refund, 409 `refund_not_abnormal`, `approval_needed` or `redirection_in_progress`,
/// 422 `limit` or `provider_refused`.
pub async fn redirect(
    hub: &Hub,
    application: &ApplicationId,
    refund_id: &str,
    request: &RedirectRequest,
) -> Result<RefundRecord, Fault> {
    let refund = get(hub, application, refund_id).await?;
    let number = match (refund.status, &refund.provider_refund_no) {
        (RefundState::Abnormal, Some(number)) => number,
        _ => return Err(not_abnormal(&refund)),
    };
    needs_nobody(hub, &refund, request.to)?;
    let number: ProviderRefundNo = number.parse().map_err(|error| Fault::internal(&error))?;
    let merchant = merchant_of(hub, &refund)?;
    let chance = random::<32>()?;
    let call = merchant
        .provider
        .redirect_refund(&Redirect {
            provider_refund_no: &number,
            out_refund_no: &refund.out_refund_no,
            to: request.to,
            bank: request.bank.as_deref(),
            card: request.card.as_ref(),
            holder: request.holder.as_ref(),
            now: hub.clock.now(),
            chance: &chance,
        })
        .map_err(|limit| Fault::invalid("limit", limit.to_string()).with("field", limit.field))?;
    let text = serde_json::to_vec(&call).map_err(|error| Fault::internal(&error))?;
    let sealed = hub.sealer.seal(Purpose::Call, &text, context(&refund.id).as_bytes())?;
    let now = hub.clock.now();
    let new = NewRedirect {
        refund_id: &refund.id,
        account: match request.to {
            AccountKind::PayerCard => "payer_card",
            AccountKind::MerchantAccount => "merchant_account",
        },
        call: &sealed,
        asked_by: application.as_str(),
        now,
        next_query_at: now.saturating_add(PICK_UP).unwrap_or(Timestamp::MAX),
    };
    leave(hub, &refund, &new).await?;
    let key = key_of(&refund);
    let subject = refund.id.as_str();
    let question = Question { operation: "redirect_refund", subject, kind: Kind::Call };
    let outcome = ask(hub, merchant, question, &call, |answer, stamp| {
        merchant.provider.read_refunded(&key, answer, stamp.now)
    })
    .await;
    match outcome {
        Outcome::Accepted(fact) => {
            let claim = Claim { fact: ProviderFact::Refund(fact), source: Source::Query };
            record(hub, &[Arrival { merchant, claims: vec![claim], evidence: None }]).await?;
        }
        Outcome::Refused(refusal) => {
            let client = hub.store.client().await?;
            refunds::settle_redirect(&client, &refund.id, now).await?;
            return Err(refused(&refund, &refusal));
        }
        Outcome::Unknown(_) => {
            let soon = hub.clock.now().saturating_add(SOON).unwrap_or(Timestamp::MAX);
            let client = hub.store.client().await?;
            refunds::reschedule(&client, &refund.id, Some(soon), 0).await?;
        }
    }
    load(hub, &refund.id).await
}

/// The second person agreed to give money to the payer's own account: an application alone sends
/// it to no other than the merchant's.
fn needs_nobody(hub: &Hub, refund: &RefundRecord, to: AccountKind) -> Result<(), Fault> {
    match to {
        AccountKind::PayerCard if hub.policy.refund_approval.is_needed_for(refund.amount_fen) => {
            let detail = format!(
                "refund {} needs a second person, who agreed to the payer's own account alone; \
                 send it to merchant_account",
                refund.id
            );
            Err(Fault::conflict("approval_needed", detail))
        }
        AccountKind::PayerCard | AccountKind::MerchantAccount => Ok(()),
    }
}

fn not_abnormal(refund: &RefundRecord) -> Fault {
    let detail =
        format!("refund {} is {}, only an abnormal one goes elsewhere", refund.id, refund.status);
    Fault::conflict("refund_not_abnormal", detail)
}

/// Writes that the redirection leaves, with the order locked, unless another one did and the
/// provider has not told what came of it.
async fn leave(hub: &Hub, refund: &RefundRecord, new: &NewRedirect<'_>) -> Result<(), Fault> {
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    orders::lock(&tx, &[refund.order_id.as_str()]).await?;
    let locked = refunds::by_ids(&tx, &[refund.id.as_str()]).await?.pop();
    let locked = locked.ok_or_else(|| Fault::not_found("refund"))?;
    if locked.status != RefundState::Abnormal {
        return Err(not_abnormal(&locked));
    }
    if locked.redirected_at.is_some() {
        let detail = format!(
            "refund {} was sent to another account, and its provider has not told what came of it",
            refund.id
        );
        let again = u32::try_from(PICK_UP.as_secs()).unwrap_or(u32::MAX);
        return Err(Fault::conflict("redirection_in_progress", detail).retry_after(again));
    }
    refunds::redirect(&tx, new).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

/// The provider, asked at `asked_at`, says that the refund stands as it stood: a redirection that
/// left long enough before that came to nothing. The refund as it is then.
pub(super) async fn settle(
    hub: &Hub,
    refund: RefundRecord,
    asked_at: Timestamp,
) -> Result<RefundRecord, Fault> {
    let Some(redirected_at) = refund.redirected_at else { return Ok(refund) };
    let shows = redirected_at.saturating_add(PICK_UP).unwrap_or(Timestamp::MAX);
    if refund.status != RefundState::Abnormal || asked_at < shows {
        return Ok(refund);
    }
    let client = hub.store.client().await?;
    refunds::settle_redirect(&client, &refund.id, redirected_at).await?;
    Ok(RefundRecord { redirected_at: None, ..refund })
}

/// The provider will not send it there: it stays abnormal.
fn refused(refund: &RefundRecord, refusal: &Refusal) -> Fault {
    let reason = refusal.reason.as_str();
    let detail =
        format!("the provider refused to redirect the refund ({reason}): {}", refusal.message);
    Fault::invalid("provider_refused", detail)
        .with("refund_id", refund.id.as_str())
        .with("reason", reason)
        .with("provider_code", refusal.code.as_str())
        .with("provider_message", refusal.message.as_str())
}

/// The place for which a redirection's stored call is sealed.
fn context(refund_id: &RefundId) -> String {
    format!("refund_redirects.call:{refund_id}")
}
