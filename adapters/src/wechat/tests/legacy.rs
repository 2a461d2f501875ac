//! Notices in v2 XML that arrive at an APIv3 merchant: a refund that was made in the merchant
//! platform.

use domain::personal::Secret;

use crate::provider::{Acknowledgement, Notice, NoticeError, NoticeFault, OpenedNotice};
use crate::provider::{PaymentProvider as _, RefundHint};
use crate::testing::{headers, now, public_vector, public_vectors, wechat, wechat_config};
use crate::wechat::Wechat;

fn hub(api_key: &str) -> Wechat {
    let mut config = wechat_config("https://api.mch.weixin.qq.com");
    config.api_key = Some(Secret::new(api_key));
    Wechat::new(config).unwrap()
}

fn open(hub: &Wechat, body: &str) -> Result<OpenedNotice, NoticeError> {
    let (headers, body) = (headers(&[]), body.as_bytes());
    hub.open_notice(&Notice { headers: &headers, body, received_at: now() })
}

fn envelope(req_info: &str) -> String {
    format!(
        "\n <xml><return_code>SUCCESS</return_code><appid><![CDATA[wx8888888888888888]]></appid>\
         <mch_id>1900000001</mch_id><nonce_str>a</nonce_str><req_info>{req_info}</req_info></xml>"
    )
}

#[test]
fn without_the_v2_key_nothing_in_xml_is_believed() {
    let refused = open(wechat(), &envelope("AAAA")).unwrap_err();
    assert_eq!(refused.fault, NoticeFault::UnknownKey);
    for body in ["<", "<xml></xml>", "<!DOCTYPE xml []><xml></xml>"] {
        assert!(open(wechat(), body).is_err());
        assert!(open(&hub(&"k".repeat(32)), body).is_err());
    }
    let foreign = open(&hub(&"k".repeat(32)), &envelope("AAAAAAAAAAAAAAAAAAAAAA==")).unwrap_err();
    assert_eq!(foreign.fault, NoticeFault::BadSignature);
}

#[test]
fn a_sealed_v2_refund_is_a_hint_that_a_query_must_confirm() {
    let Some(folder) = public_vectors() else { return };
    let vector = public_vector(&folder, "wx-v2-refund-req-info");
    let hub = hub(vector["apiv2_key"].as_str().unwrap());
    let opened = open(&hub, &envelope(vector["req_info"].as_str().unwrap())).unwrap();
    assert!(opened.facts.is_empty(), "nobody signed it");
    let [RefundHint { amount, .. }] = opened.hints.as_slice() else { panic!("no hint") };
    assert!(amount.get() > 0);
    assert_eq!(hub.reread_notice(&opened.plaintext).unwrap(), opened, "replayed alike");
}

#[test]
fn t03_a_notice_in_xml_is_answered_in_xml() {
    let reply = |body: &[u8], word| wechat().acknowledge(body, word);
    let taken = reply(b" \r\n<xml></xml>", Acknowledgement::Taken);
    let expected = b"<xml><return_code><![CDATA[SUCCESS]]></return_code>\
                     <return_msg><![CDATA[OK]]></return_msg></xml>";
    assert_eq!((taken.status, taken.body), (200, &expected[..]));
    for word in [Acknowledgement::Refused, Acknowledgement::TryAgain] {
        let body = String::from_utf8(reply(b"<xml/>", word).body.to_vec()).unwrap();
        assert!(body.contains("<return_code><![CDATA[FAIL]]>"), "{body}");
    }
    assert_eq!(reply(b"{}", Acknowledgement::Taken).body, b"");
}
