//! Proves that a request to `APIv3` is the merchant's: headers, time, serial, signature over the raw
//! path and body. Written from the provider's documents, not from the hub's adapter.

use jiff::Timestamp;

use super::refusal::Refusal;
use crate::keys::{Keys, Wechat};
use crate::message::Received;
use crate::verdict::Proof;

const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048 ";

/// What `Authorization` says.
#[derive(Default)]
pub(super) struct Authorization<'a> {
    pub(super) mchid: &'a str,
    pub(super) nonce: &'a str,
    signature: &'a str,
    pub(super) timestamp: &'a str,
    pub(super) serial: &'a str,
}

/// How the signature of a refused request stands.
pub(super) fn proof(request: &Received, refusal: &Refusal) -> Proof {
    if request.header("authorization").is_none() {
        Proof::Missing
    } else if refusal.status == 401 {
        Proof::Bad
    } else {
        Proof::NotNeeded // it was refused before the signature was looked at
    }
}

/// The merchant that sent the request.
pub(super) fn verify<'k>(
    keys: &'k Keys,
    now: Timestamp,
    request: &Received,
) -> Result<&'k Wechat, Refusal> {
    let present = |name| request.header(name).is_some_and(|value| !value.is_empty());
    if !present("accept") || !present("user-agent") {
        let text = "Http头缺少Accept或User-Agent";
        return Err(Refusal::new(400, "INVALID_REQUEST", text));
    }
    let header = request.header("authorization").ok_or_else(|| {
        Refusal::sign("Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》")
    })?;
    let authorization =
        parse(header).ok_or_else(|| Refusal::sign("Http头Authorization认证类型或字段不正确"))?;
    let seconds: i64 = authorization.timestamp.parse().map_err(|source| {
        Refusal::sign(format!("Http头Authorization中的timestamp不正确: {source}"))
    })?;
    if now.as_second().abs_diff(seconds) > 300 {
        return Err(Refusal::sign("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟"));
    }
    let merchant = keys
        .wechat(authorization.mchid)
        .ok_or_else(|| Refusal::sign("商户号不存在: Authorization中的mchid"))?;
    if merchant.config.merchant_serial_no != authorization.serial {
        return Err(Refusal::sign("商户证书序列号有误: Authorization中的serial_no"));
    }
    let mut message = format!(
        "{}\n{}\n{}\n{}\n",
        request.method, request.target, authorization.timestamp, authorization.nonce
    )
    .into_bytes();
    message.extend_from_slice(&request.body);
    message.push(b'\n');
    if !merchant.requests.verifies(&message, authorization.signature) {
        return Err(Refusal::sign("错误的签名，验签失败"));
    }
    Ok(merchant)
}

/// Reads `mchid="…",nonce_str="…",…` in any order; each exactly once, nothing else.
pub(super) fn parse(header: &str) -> Option<Authorization<'_>> {
    let mut rest = header.strip_prefix(SCHEME)?;
    let mut found = Authorization::default();
    loop {
        let (name, after) = rest.split_once("=\"")?;
        let (value, after) = after.split_once('"')?;
        let place = match name {
            "mchid" => &mut found.mchid,
            "nonce_str" => &mut found.nonce,
            "signature" => &mut found.signature,
            "timestamp" => &mut found.timestamp,
            "serial_no" => &mut found.serial,
            _ => return None,
        };
        if value.is_empty() || !place.is_empty() {
            return None;
        }
        *place = value;
        if after.is_empty() {
            break;
        }
        rest = after.strip_prefix(',')?;
    }
    let all = [found.mchid, found.nonce, found.signature, found.timestamp, found.serial];
    all.iter().all(|value| !value.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorization_is_read_in_any_order_and_refused_when_incomplete() {
        let whole = "WECHATPAY2-SHA256-RSA2048 mchid=\"1\",serial_no=\"2\",timestamp=\"3\",nonce_str=\"4\",signature=\"5=\"";
        let read = parse(whole).unwrap();
        assert_eq!((read.mchid, read.serial, read.signature), ("1", "2", "5="));
        for broken in [
            "WECHATPAY2-SHA256-RSA2048 mchid=\"1\"",
            "WECHATPAY2-SM2-WITH-SM3 mchid=\"1\"",
            "WECHATPAY2-SHA256-RSA2048 mchid=\"1\",mchid=\"1\",serial_no=\"2\",timestamp=\"3\",nonce_str=\"4\",signature=\"5\"",
            "WECHATPAY2-SHA256-RSA2048 mchid=\"1\", serial_no=\"2\",timestamp=\"3\",nonce_str=\"4\",signature=\"5\"",
            "",
        ] {
            assert!(parse(broken).is_none(), "{broken}");
        }
    }
}
