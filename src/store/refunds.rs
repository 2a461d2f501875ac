//! Refunds.

mod record;

use deadpool_postgres::GenericClient;
use domain::ids::{ApplicationId, FeeId, MerchantId, OrderId, OutRefundNo, PaymentId, RefundId};
use domain::money::Fen;
use domain::refund::RefundState;
use domain::treasury::Route;
use jiff::Timestamp;

use super::queries::Share;
use super::{StoreError, change, load, sql, typed};

pub use record::{RefundRecord, TreasuryStep};

/// A refund to be written down before its provider is asked.
#[derive(Debug)]
pub struct NewRefund<'a> {
    /// Its id.
    pub refund_id: &'a RefundId,
    /// Who asked for it.
    pub application_id: &'a ApplicationId,
    /// Through which merchant.
    pub merchant_id: &'a MerchantId,
    /// Of which order.
    pub order_id: &'a OrderId,
    /// From which payment.
    pub payment_id: &'a PaymentId,
    /// Its number for ever.
    pub out_refund_no: &'a OutRefundNo,
    /// How much.
    pub amount: Fen,
    /// The part that comes out of surplus.
    pub surplus: Fen,
    /// Why.
    pub reason: &'a str,
    /// Whether it waits for a second person.
    pub state: RefundState,
    /// Who asked: an application or a console user.
    pub requested_by: &'a str,
    /// By which way it reaches the payer.
    pub route: Route,
    /// Whether the office found the error itself, which shortens the treasury's first limit.
    pub found_by_office: bool,
    /// The sealed call that asks for it; none where the treasury pays.
    pub refund_call: Option<&'a [u8]>,
    /// When it is written.
    pub now: Timestamp,
    /// When it is asked for if no answer is ever written; `None` while it waits for a person.
    pub next_query_at: Option<Timestamp>,
    /// From which fees.
    pub fees: &'a [(FeeId, Fen)],
}

/// Writes a refund down. The caller posts what it reserves in the same transaction.
///
/// # Errors
/// `a_refund_number_is_used_once` when the number is taken.
pub async fn insert(client: &impl GenericClient, new: &NewRefund<'_>) -> Result<(), StoreError> {
    let fees: Vec<&str> = new.fees.iter().map(|(fee, _)| fee.as_str()).collect();
    let amounts: Vec<i64> = new.fees.iter().map(|(_, amount)| amount.get()).collect();
    change(
        client,
        sql::REFUNDS_INSERT,
        &[
            &new.refund_id.as_str(),
            &new.application_id.as_str(),
            &new.merchant_id.as_str(),
            &new.order_id.as_str(),
            &new.payment_id.as_str(),
            &new.out_refund_no.as_str(),
            &new.amount.get(),
            &new.surplus.get(),
            &new.reason,
            &new.state.as_str(),
            &new.requested_by,
            &new.refund_call,
            &new.now,
            &new.next_query_at,
            &fees,
            &amounts,
            &new.route.as_str(),
            &new.found_by_office,
        ],
    )
    .await?;
    Ok(())
}

/// Refunds by id, in the order of their ids.
///
/// # Errors
/// When the database does not answer.
pub async fn by_ids(
    client: &impl GenericClient,
    ids: &[&str],
) -> Result<Vec<RefundRecord>, StoreError> {
    load(client, sql::REFUNDS_LOAD, &[&ids]).await
}

/// The refund of a merchant with that number: its id, its order and its amount.
///
/// # Errors
/// When the database does not answer.
pub async fn by_number(
    client: &impl GenericClient,
    merchant: &MerchantId,
    number: &OutRefundNo,
) -> Result<Option<(RefundId, OrderId, Fen)>, StoreError> {
    let statement = client.prepare_cached(sql::REFUNDS_BY_NUMBER).await?;
    let row = client.query_opt(&statement, &[&merchant.as_str(), &number.as_str()]).await?;
    row.map(|row| {
        Ok((
            typed("refunds.refund_id", row.try_get(0)?)?,
            typed("refunds.order_id", row.try_get(1)?)?,
            Fen::new(row.try_get(2)?),
        ))
    })
    .transpose()
}

/// A payment that paid for what other payments had paid for already.
#[derive(Clone, Debug)]
pub struct Duplicate {
    /// The payment.
    pub payment_id: PaymentId,
    /// For which order it came.
    pub order_id: OrderId,
    /// How much.
    pub amount: Fen,
}

/// A merchant's proved duplicates of which no refund was ever asked, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub async fn duplicates(
    client: &impl GenericClient,
    merchant: &MerchantId,
    limit: i64,
) -> Result<Vec<Duplicate>, StoreError> {
    let statement = client.prepare_cached(sql::PAYMENTS_DUPLICATE).await?;
    let rows = client.query(&statement, &[&merchant.as_str(), &limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(Duplicate {
                payment_id: typed("payments.payment_id", row.try_get("payment_id")?)?,
                order_id: typed("payments.order_id", row.try_get("order_id")?)?,
                amount: Fen::new(row.try_get("amount_fen")?),
            })
        })
        .collect()
}

/// The sealed call that asks for a refund; `None` where the treasury pays it.
///
/// # Errors
/// When the database does not answer.
pub async fn call(
    client: &impl GenericClient,
    refund_id: &RefundId,
) -> Result<Option<Vec<u8>>, StoreError> {
    let statement = client.prepare_cached(sql::REFUNDS_CALL).await?;
    let row = client.query_opt(&statement, &[&refund_id.as_str()]).await?;
    Ok(row.map(|row| row.try_get("refund_call")).transpose()?.flatten())
}

/// What an answer changes in a refund beside money, which is posted by `effects`.
#[derive(Debug)]
pub struct Answered<'a> {
    /// The refund.
    pub refund_id: &'a RefundId,
    /// The state that it must still have.
    pub before: RefundState,
    /// The state that it has then.
    pub after: RefundState,
    /// Why the provider refused it: reason, code, text.
    pub refused: Option<(&'a str, &'a str, &'a str)>,
    /// When it was sent; `None` when it was only asked for.
    pub sent_at: Option<Timestamp>,
    /// When it is asked for next.
    pub next_query_at: Option<Timestamp>,
    /// How often it was asked for.
    pub queries: i32,
}

/// Writes an answer; false when the refund's state moved meanwhile, and nothing was written.
///
/// # Errors
/// When the database does not answer.
pub async fn answered(
    client: &impl GenericClient,
    answer: &Answered<'_>,
) -> Result<bool, StoreError> {
    let (reason, code, message) = match answer.refused {
        Some((reason, code, message)) => (Some(reason), Some(code), Some(message)),
        None => (None, None, None),
    };
    change(
        client,
        sql::REFUNDS_ANSWERED,
        &[
            &answer.refund_id.as_str(),
            &answer.before.as_str(),
            &answer.after.as_str(),
            &reason,
            &code,
            &message,
            &answer.sent_at,
            &answer.next_query_at,
            &answer.queries,
        ],
    )
    .await
}

/// Writes a second person's decision; false when the refund does not wait for one.
///
/// # Errors
/// `nobody_approves_his_own_refund`.
pub async fn decide(
    client: &impl GenericClient,
    refund_id: &RefundId,
    after: RefundState,
    by: &str,
    next_query_at: Option<Timestamp>,
) -> Result<bool, StoreError> {
    change(
        client,
        sql::REFUNDS_DECIDE,
        &[&refund_id.as_str(), &after.as_str(), &by, &next_query_at],
    )
    .await
}

/// Writes that a refund leaves for its provider at `at`.
///
/// # Errors
/// When the database does not answer.
pub async fn leave(
    client: &impl GenericClient,
    refund_id: &RefundId,
    at: Timestamp,
) -> Result<(), StoreError> {
    change(client, sql::REFUNDS_LEAVE, &[&refund_id.as_str(), &at]).await?;
    Ok(())
}

/// Writes that a refund waits for its turn and is looked at again at `until`; a place that it has
/// already stays its own.
///
/// # Errors
/// When the database does not answer.
pub async fn wait_until(
    client: &impl GenericClient,
    refund_id: &RefundId,
    until: Timestamp,
) -> Result<(), StoreError> {
    change(client, sql::REFUNDS_WAIT, &[&refund_id.as_str(), &until]).await?;
    Ok(())
}

/// An abnormal refund that is sent to another account.
#[derive(Debug)]
pub struct NewRedirect<'a> {
    /// Which refund.
    pub refund_id: &'a RefundId,
    /// Whose account, as a word.
    pub account: &'a str,
    /// The sealed call, which names a card.
    pub call: &'a [u8],
    /// Who asked.
    pub asked_by: &'a str,
    /// When.
    pub now: Timestamp,
    /// When the refund is asked for if no answer is ever written.
    pub next_query_at: Timestamp,
}

/// Writes down that a refund is sent to another account, before its provider is asked. The caller
/// holds its order's lock.
///
/// # Errors
/// When the database does not answer.
pub async fn redirect(
    client: &impl GenericClient,
    new: &NewRedirect<'_>,
) -> Result<(), StoreError> {
    change(
        client,
        sql::REFUND_REDIRECTS_INSERT,
        &[
            &new.refund_id.as_str(),
            &new.account,
            &new.call,
            &new.asked_by,
            &new.now,
            &new.next_query_at,
        ],
    )
    .await?;
    Ok(())
}

/// Writes that the redirection of `redirected_at` came to nothing, so that another one may leave.
///
/// # Errors
/// When the database does not answer.
pub async fn settle_redirect(
    client: &impl GenericClient,
    refund_id: &RefundId,
    redirected_at: Timestamp,
) -> Result<(), StoreError> {
    change(client, sql::REFUNDS_SETTLE_REDIRECT, &[&refund_id.as_str(), &redirected_at]).await?;
    Ok(())
}

/// Leases refunds of a merchant whose query is due, at most `limit`, and takes a query for each
/// from the share of others than those who follow orders.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(
    client: &impl GenericClient,
    merchant: &MerchantId,
    now: Timestamp,
    limit: i64,
    share: &Share,
) -> Result<Vec<RefundId>, StoreError> {
    let statement = client.prepare_cached(sql::REFUNDS_CLAIM).await?;
    let Share { whole, own, .. } = share;
    let rows = client.query(&statement, &[&merchant.as_str(), &now, &limit, whole, own]).await?;
    rows.iter().map(|row| typed("refunds.refund_id", row.try_get(0)?)).collect()
}

/// Renews the leases of refunds that are in hand, where nobody else may have them by now.
///
/// # Errors
/// When the database does not answer.
pub async fn renew(client: &impl GenericClient, refunds: &[RefundId]) -> Result<(), StoreError> {
    let ids: Vec<&str> = refunds.iter().map(RefundId::as_str).collect();
    change(client, sql::REFUNDS_RENEW, &[&ids]).await?;
    Ok(())
}

/// Says when a refund is asked for next; `None`: never again.
///
/// # Errors
/// When the database does not answer.
pub async fn reschedule(
    client: &impl GenericClient,
    refund_id: &RefundId,
    next: Option<Timestamp>,
    queries: i32,
) -> Result<(), StoreError> {
    change(client, sql::REFUNDS_RESCHEDULE, &[&refund_id.as_str(), &next, &queries]).await?;
    Ok(())
}
