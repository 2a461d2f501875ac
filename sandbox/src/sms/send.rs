//! Text messages: accepted, kept, reported.

use std::collections::BTreeMap;

use domain::time::business_day;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Refusal, ok};
use crate::delivery::{Delivery, DeliveryState, Letter};
use crate::engine::World;
use crate::faults::{Action, Fault, Operation};
use crate::random::Random;
use crate::state::{Message, later};
use crate::text::wall;

/// A refusal of the business: HTTP 200, the code says it.
fn refused(code: &'static str, text: &str) -> Refusal {
    Refusal::new(200, code, text)
}

/// A mainland number without its country code, if it is one.
fn mobile(text: &str) -> Option<&str> {
    let bare = ["+86", "0086", "86"]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix).filter(|rest| rest.len() == 11))
        .unwrap_or(text);
    let digits = bare.len() == 11 && bare.bytes().all(|byte| byte.is_ascii_digit());
    (digits && bare.starts_with('1')).then_some(bare)
}

/// `SendSms`.
pub(super) fn send(
    world: &mut World,
    now: Timestamp,
    account: &str,
    parameters: &BTreeMap<String, String>,
    fault: Option<&Fault>,
    request_id: &str,
) -> Result<Value, Refusal> {
    let get = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
    if get("SignName").is_empty() {
        return Err(refused("isv.SMS_SIGNATURE_ILLEGAL", "短信签名不合法"));
    }
    if !get("TemplateCode").starts_with("SMS_") {
        return Err(refused("isv.SMS_TEMPLATE_ILLEGAL", "短信模板不合法"));
    }
    let param = get("TemplateParam");
    if !param.is_empty() && serde_json::from_str::<serde_json::Map<String, Value>>(param).is_err() {
        return Err(refused("isv.INVALID_JSON_PARAM", "参数格式错误，请修改为字符串值"));
    }
    if get("OutId").len() > 255 {
        return Err(refused("isv.INVALID_PARAMETERS", "OutId过长"));
    }
    let phones: Option<Vec<&str>> = get("PhoneNumbers").split(',').map(mobile).collect();
    let phones = phones
        .filter(|phones| phones.len() <= 1000)
        .ok_or_else(|| refused("isv.MOBILE_NUMBER_ILLEGAL", "手机号码格式错误"))?;
    let count = world.book.messages.len().to_string();
    let mut chance = Random::of(world.seed, &["sms", account, &count]);
    let biz_id = format!("{}^0", chance.digits(18));
    let action = fault.map(|fault| fault.action);
    let (delay, url) = world
        .keys
        .sms
        .iter()
        .find(|known| known.access_key_id == account)
        .map_or((0, None), |known| (known.receipt_delay_s, known.receipt_url.clone()));
    for phone in phones {
        let message = Message {
            account: account.to_owned(),
            biz_id: biz_id.clone(),
            phone: phone.to_owned(),
            sign_name: get("SignName").to_owned(),
            template_code: get("TemplateCode").to_owned(),
            template_param: param.to_owned(),
            out_id: Some(get("OutId").to_owned()).filter(|id| !id.is_empty()),
            accepted_at: now,
            reported_at: (action != Some(Action::Drop)).then(|| later(now, delay)),
            delivered: action != Some(Action::Undelivered),
        };
        if let (Some(due), Some(url)) = (message.reported_at, &url) {
            report(world, &message, url, due);
        }
        world.book.messages.push(message);
    }
    Ok(ok(request_id, &[("BizId", json!(biz_id))]))
}

fn report(world: &mut World, message: &Message, url: &str, due: Timestamp) {
    let (code, text) = verdict(message.delivered);
    let receipt = json!([{
        "phone_number": message.phone,
        "send_time": wall(message.accepted_at),
        "report_time": wall(due),
        "success": message.delivered,
        "err_code": code,
        "err_msg": text,
        "sms_size": "1",
        "biz_id": message.biz_id,
        "out_id": message.out_id.clone().unwrap_or_default(),
    }]);
    world.outbox.add(Delivery {
        id: world.outbox.next_id(),
        merchant: message.account.clone(),
        operation: Operation::Send,
        out_trade_no: None,
        out_refund_no: None,
        url: url.to_owned(),
        event_id: message.biz_id.clone(),
        letter: Letter::Receipt { body: receipt.to_string() },
        created_at: message.accepted_at,
        due,
        tries: 0,
        held: false,
        state: DeliveryState::Waiting,
        attempts: Vec::new(),
    });
}

const fn verdict(delivered: bool) -> (&'static str, &'static str) {
    if delivered {
        ("DELIVERED", "用户接收成功")
    } else {
        ("UNDELIV", "用户手机不在服务区")
    }
}

/// Headers and body of a receipt; receipts are not signed.
pub(crate) fn seal(body: &str, action: Option<Action>) -> (Vec<(&'static str, String)>, Vec<u8>) {
    let mut body = body.as_bytes().to_vec();
    if action == Some(Action::Corrupt) {
        body.truncate(body.len().div_euclid(2));
    }
    (vec![("Content-Type", "application/json;charset=UTF-8".to_owned())], body)
}

/// `QuerySendDetails`.
pub(super) fn query(
    world: &World,
    now: Timestamp,
    account: &str,
    parameters: &BTreeMap<String, String>,
    request_id: &str,
) -> Result<Value, Refusal> {
    let get = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
    let number = |name: &str| get(name).parse::<usize>().ok().filter(|count| *count > 0);
    let phone = mobile(get("PhoneNumber"))
        .ok_or_else(|| refused("isv.MOBILE_NUMBER_ILLEGAL", "手机号码格式错误"))?;
    let (Some(size), Some(page)) = (number("PageSize"), number("CurrentPage")) else {
        return Err(refused("isv.INVALID_PARAMETERS", "PageSize与CurrentPage必填"));
    };
    if size > 50 || get("SendDate").len() != 8 {
        return Err(refused("isv.INVALID_PARAMETERS", "PageSize不超过50，SendDate须为yyyyMMdd"));
    }
    let found: Vec<&Message> = world
        .book
        .messages
        .iter()
        .filter(|message| {
            let day = business_day(message.accepted_at).strftime("%Y%m%d").to_string();
            message.account == account && message.phone == phone && day == get("SendDate")
        })
        .filter(|message| get("BizId").is_empty() || message.biz_id == get("BizId"))
        .collect();
    let skipped = page.saturating_sub(1).saturating_mul(size);
    let details: Vec<Value> =
        found.iter().rev().skip(skipped).take(size).map(|message| detail(message, now)).collect();
    Ok(ok(
        request_id,
        &[
            ("TotalCount", json!(found.len().to_string())),
            ("SmsSendDetailDTOs", json!({"SmsSendDetailDTO": details})),
        ],
    ))
}

fn detail(message: &Message, now: Timestamp) -> Value {
    let mut told = json!({
        "Content": format!("【{}】{}", message.sign_name, message.template_param),
        "OutId": message.out_id.clone().unwrap_or_default(),
        "PhoneNum": message.phone,
        "SendDate": wall(message.accepted_at),
        "SendStatus": 1,
        "TemplateCode": message.template_code,
    });
    if let (Some(at), Some(fields)) = (message.reported_at, told.as_object_mut())
        && at <= now
    {
        fields.insert("SendStatus".to_owned(), json!(if message.delivered { 3 } else { 2 }));
        fields.insert("ErrCode".to_owned(), json!(verdict(message.delivered).0));
        fields.insert("ReceiveDate".to_owned(), json!(wall(at)));
    }
    told
}
