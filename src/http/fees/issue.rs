//! Issuing a fee: priced, its payer sealed, written with the message that tells the payer of it and
//! with the answer to the caller, all in one transaction.

use domain::Fen;
use domain::ids::{CaseNo, FeeId};
use domain::personal::Personal;
use domain::schedule::{Quote, QuoteItem};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::phone;
use super::price;
use crate::dispatch::request::{Request, Values, is_told, request};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::payers;
use crate::resource::fee as shown;
use crate::seal::Purpose;
use crate::store::StoreError;
use crate::store::fees::{self, NewFee};

/// The event of domain.md that tells a payer what is owed.
const FEE_ISSUED: &str = "FEE.ISSUED";
/// The place for which every payer's phone is sealed: messages copy it from table to table.
const PHONE_CONTEXT: &[u8] = b"phone";
/// The language of a payer who names none.
const DEFAULT_LOCALE: &str = "zh-CN";

/// `POST /v1/fees`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct FeeRequest {
    case_no: CaseNo,
    #[serde(default, deserialize_with = "domain::time::read_day_if_any")]
    accepted_on: Option<Date>,
    items: Vec<QuoteItem>,
    #[serde(default)]
    total_fen: Option<Fen>,
    payer: Payer,
    #[serde(default)]
    department: Option<String>,
    #[serde(default, deserialize_with = "domain::time::read_day_if_any")]
    due_on: Option<Date>,
    #[serde(default)]
    notice_no: Option<String>,
    #[serde(default)]
    payer_account: Option<String>,
}

/// Who pays.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payer {
    name: Personal,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<Personal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id_no: Option<Personal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    openid: Option<Personal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alipay_user_id: Option<Personal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    locale: Option<String>,
}

/// What is kept of a payer.
struct Kept {
    sealed: Vec<u8>,
    masked: Value,
    phone: Option<(Vec<u8>, [u8; 32])>,
}

/// Issues a fee.
pub(super) async fn issue(call: &Call, asked: &FeeRequest) -> Result<Answer, Fault> {
    let hub = &call.hub;
    let payer = check(asked)?;
    let of_case = crate::cases::accepted_on(hub, &call.application, &asked.case_no).await?;
    let quote = price(hub, &asked.items, asked.accepted_on.or(of_case))?;
    agree(asked.total_fen, &quote)?;
    let account = asked.payer_account.as_deref();
    let account = account.map(|id| payers::account_of(hub, &call.application, id)).transpose()?;
    let fee_id = FeeId::new(Uuid::now_v7());
    let kept = keep(hub, &fee_id, &payer)?;
    let new = NewFee {
        fee_id: &fee_id,
        application_id: &call.application,
        case_no: &asked.case_no,
        accepted_on: quote.accepted_on,
        total: quote.total_fen,
        quote: serde_json::to_value(&quote).map_err(|error| Fault::internal(&error))?,
        payer_masked: kept.masked,
        payer_sealed: &kept.sealed,
        phone_sealed: kept.phone.as_ref().map(|(sealed, _)| sealed.as_slice()),
        phone_index: kept.phone.as_ref().map(|(_, index)| index.as_slice()),
        locale: payer.locale.as_deref().unwrap_or(DEFAULT_LOCALE),
        department: asked.department.as_deref(),
        due_on: asked.due_on,
        notice_no: asked.notice_no.as_deref(),
        payer_account: account.map(|account| account.id.as_str()),
        now: hub.clock.now(),
    };
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    fees::insert(&tx, &new).await?;
    // Who pays by the month is asked for it by a statement.
    if account.is_none() {
        tell(call, &tx, &new, payer.phone.as_ref()).await?;
    }
    let fee = fees::by_ids(&tx, &[fee_id.as_str()])
        .await?
        .pop()
        .ok_or_else(|| Fault::not_found("fee"))?;
    let answer = Answer::json(201, &shown(&fee));
    if let Some(ticket) = &call.ticket {
        ticket.settle(&tx, &answer).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    hub.signals.wake_dispatch();
    Ok(answer.kept())
}

/// Checks what types alone do not, and brings the payer's phone into its one form.
fn check(asked: &FeeRequest) -> Result<Payer, Fault> {
    let mut payer = asked.payer.clone();
    if let Some(given) = &payer.phone {
        payer.phone = Some(Personal::new(phone::normal("payer.phone", given.clear())?));
    }
    let texts = [
        ("payer.name", Some(payer.name.clear()), 100),
        ("payer.id_no", payer.id_no.as_ref().map(Personal::clear), 40),
        ("payer.openid", payer.openid.as_ref().map(Personal::clear), 128),
        ("payer.alipay_user_id", payer.alipay_user_id.as_ref().map(Personal::clear), 128),
        ("payer.locale", payer.locale.as_deref(), 35),
        ("department", asked.department.as_deref(), 64),
        ("notice_no", asked.notice_no.as_deref(), 32),
    ];
    for (field, text, longest) in texts {
        let Some(text) = text else { continue };
        let length = text.chars().count();
        let is_blank = text.trim().is_empty();
        if is_blank || length > longest || text.chars().any(char::is_control) {
            let detail =
                format!("{field} must have 1 to {longest} characters and no control characters");
            return Err(Fault::invalid("invalid_body", detail).with("path", field));
        }
    }
    Ok(payer)
}

/// A caller's own amount must be the schedule's.
fn agree(total: Option<Fen>, quote: &Quote) -> Result<(), Fault> {
    match total {
        Some(total) if total != quote.total_fen => {
            let (theirs, ours) = (total.get(), quote.total_fen.get());
            let detail = format!("total_fen is {theirs}, but the fee schedule makes it {ours}");
            Err(Fault::invalid("amount_mismatch", detail).with("expected_total_fen", ours))
        }
        Some(_) | None => Ok(()),
    }
}

fn keep(hub: &Hub, fee_id: &FeeId, payer: &Payer) -> Result<Kept, Fault> {
    let clear = serde_json::to_vec(payer).map_err(|error| Fault::internal(&error))?;
    let context = format!("fees.payer:{fee_id}");
    let sealed = hub.sealer.seal(Purpose::PersonalData, &clear, context.as_bytes())?;
    let mut masked = Map::new();
    masked.insert("name".to_owned(), json!(payer.name.masked_name()));
    let mut phone = None;
    if let Some(number) = &payer.phone {
        masked.insert("phone".to_owned(), json!(number.masked_phone()));
        let text = number.clear();
        phone = Some((
            hub.sealer.seal(Purpose::PersonalData, text.as_bytes(), PHONE_CONTEXT)?,
            hub.sealer.blind_index(Purpose::PersonalData, text),
        ));
    }
    Ok(Kept { sealed, masked: Value::Object(masked), phone })
}

/// Queues the message about a fee that is owed, where the office has a text for it and the payer
/// left a phone. That nobody can be told is no reason not to owe: it is logged.
async fn tell(
    call: &Call,
    tx: &deadpool_postgres::Transaction<'_>,
    fee: &NewFee<'_>,
    phone: Option<&Personal>,
) -> Result<(), Fault> {
    let Some(phone) = phone.filter(|_| fee.total > Fen::ZERO) else { return Ok(()) };
    if !is_told(&call.hub, FEE_ISSUED) {
        return Ok(());
    }
    let message = Request {
        template: FEE_ISSUED.to_owned(),
        phone: phone.clone(),
        params: Values(params(fee)),
        locale: Some(fee.locale.to_owned()),
        channels: None,
        dedupe_key: Some(format!("{FEE_ISSUED}:{}", fee.fee_id)),
        subject_id: Some(fee.fee_id.to_string()),
        not_before: None,
        expires_at: None,
    };
    match request(&call.hub, tx, &call.application, &message).await {
        Err(fault) if fault.status < 500 => {
            tracing::warn!(fee = %fee.fee_id, why = fault.detail, "the payer cannot be told");
            Ok(())
        }
        done => done.map(|_queued| ()),
    }
}

/// The values of the text. The last letters of the payment notice and the day stand there only
/// where they are known: the text has a plain form without them.
fn params(fee: &NewFee<'_>) -> Map<String, Value> {
    let mut params = Map::new();
    params.insert("no".to_owned(), json!(fee.case_no));
    params.insert("amt".to_owned(), json!(fee.total.yuan()));
    if let Some(tail) = fee.notice_no.and_then(tail) {
        params.insert("last4".to_owned(), json!(tail));
    }
    if let Some(day) = fee.due_on {
        params.insert("date".to_owned(), json!(day));
    }
    params
}

/// The last four letters and digits of a number.
fn tail(number: &str) -> Option<String> {
    let letters: Vec<char> = number.chars().filter(char::is_ascii_alphanumeric).collect();
    let tail: String = letters.iter().skip(letters.len().saturating_sub(4)).collect();
    (!tail.is_empty()).then_some(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(change: impl FnOnce(&mut Value)) -> FeeRequest {
        let mut body = json!({
            "case_no": "201811300001",
            "items": [{"code": "REG.RES", "quantity": 1}],
            "payer": {"name": "张三", "phone": "+86 138 1234 1234"},
        });
        change(&mut body);
        serde_json::from_value(body).unwrap()
    }

    #[track_caller]
    fn refused(code: &str, path: &str, change: impl FnOnce(&mut Value)) {
        let fault = check(&asked(change)).unwrap_err();
        assert_eq!((fault.status, fault.code), (422, code));
        assert_eq!(fault.members, [("path", json!(path))]);
    }

    #[test]
    fn a_payers_phone_is_kept_in_one_form() {
        let payer = check(&asked(|_| {})).unwrap();
        assert_eq!(payer.phone.unwrap().clear(), "13812341234");
    }

    #[test]
    fn a_member_that_breaks_its_rule_is_named() {
        refused("phone_invalid", "payer.phone", |body| body["payer"]["phone"] = json!("12345"));
        refused("invalid_body", "payer.name", |body| body["payer"]["name"] = json!(" "));
        refused("invalid_body", "notice_no", |body| body["notice_no"] = json!("1".repeat(33)));
        refused("invalid_body", "department", |body| body["department"] = json!("a\nb"));
    }

    #[test]
    fn a_callers_amount_must_be_the_schedules() {
        let schedule = domain::schedule::Schedule::built_in().unwrap();
        let day = "2018-11-30".parse().unwrap();
        let quote = schedule.price(&[QuoteItem::new("REG.RES", 1)], day).unwrap();
        assert!(agree(None, &quote).is_ok());
        assert!(agree(Some(Fen::new(8000)), &quote).is_ok());
        let fault = agree(Some(Fen::new(7999)), &quote).unwrap_err();
        assert_eq!(fault.code, "amount_mismatch");
        assert_eq!(fault.members, [("expected_total_fen", json!(8000))]);
    }

    #[test]
    fn a_payment_notice_is_recognised_by_its_last_letters() {
        assert_eq!(tail("2018-1130-0042").as_deref(), Some("0042"));
        assert_eq!(tail("7").as_deref(), Some("7"));
        assert_eq!(tail("缴款"), None);
    }
}
