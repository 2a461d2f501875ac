//! Plans by channel, hour and language, and what is refused before anything is sent.

use domain::time::rfc3339;

use super::*;
use crate::NotificationStatus::{Expired, Held, Queued, Suppressed};
use crate::VendorTemplate;

fn at(wall: &str) -> Timestamp {
    format!("{wall}+08:00").parse().unwrap()
}

fn channel(id: &str, kind: ChannelKind) -> Channel {
    Channel {
        id: id.to_owned(), kind, signature: kind.is_sms().then(|| "园区不动产".to_owned())
    }
}

fn approved(event: &str, channel: &str, code: &str, locale: &str) -> VendorTemplate {
    VendorTemplate {
        event: event.to_owned(),
        channel: channel.to_owned(),
        code: code.to_owned(),
        locale: locale.to_owned(),
    }
}

fn policy() -> Policy {
    Policy {
        channels: vec![channel("push", ChannelKind::Jpush), channel("sms", ChannelKind::AliyunSms)],
        templates: vec![
            approved("FEE.ISSUED", "sms", "SMS_1", "zh-CN"),
            approved("PAY.SUCCEEDED", "sms", "SMS_2", "zh-CN"),
            approved("PAY.SUCCEEDED", "push", "P_2", "zh-CN"),
            approved("PAY.SUCCEEDED", "push", "P_2_EN", "en"),
            approved("PAY.SUCCEEDED.STAFF", "sms", "SMS_3", "zh-CN"),
            approved("FEE.REMINDER", "sms", "SMS_4", "zh-CN"),
        ],
        ..Policy::default()
    }
}

fn params() -> Params {
    Params::new().with("no", "201811300001").with("amt", "80.00").with("date", "2018-12-05")
}

const PHONE: Reach =
    Reach { has_phone: true, has_openid: false, has_alipay_user_id: false, has_device: false };

fn planned(request: &Request<'_>, now: &str) -> Result<Plan, PlanError> {
    plan(request, &Catalogue::built_in().unwrap(), &policy(), at(now))
}

#[track_caller]
fn check_hour(event: &str, now: &str, status: NotificationStatus, due: &str) {
    let params = params();
    let plan = planned(&Request::new(event, PHONE, &params), now).unwrap();
    assert_eq!((plan.status, rfc3339(plan.due_at)), (status, format!("{due}+08:00")), "{event}");
}

#[test]
fn a_bill_waits_for_the_morning_and_a_receipt_does_not() {
    check_hour("FEE.ISSUED", "2018-11-30T20:59:00", Queued, "2018-11-30T20:59:00");
    check_hour("FEE.ISSUED", "2018-11-30T22:00:00", Held, "2018-12-01T08:00:00");
    check_hour("PAY.SUCCEEDED", "2018-11-30T22:00:00", Queued, "2018-11-30T22:00:00");
    check_hour("PAY.SUCCEEDED.STAFF", "2018-11-30T18:00:00", Held, "2018-12-03T09:00:00");
    // National Day ends on the 7th; the 8th is a Monday.
    check_hour("PAY.SUCCEEDED.STAFF", "2018-09-30T18:00:00", Held, "2018-10-08T09:00:00");
}

#[test]
fn a_deadline_by_law_beats_quiet_hours() {
    let params = params();
    let request = Request::new("FEE.ISSUED", PHONE, &params);
    let due = |deadline: &str| {
        let request = Request { must_leave_by: Some(at(deadline)), ..request };
        rfc3339(planned(&request, "2018-11-30T22:00:00").unwrap().due_at)
    };
    assert_eq!(due("2018-12-01T00:00:00"), "2018-11-30T22:00:00+08:00");
    assert_eq!(due("2018-12-01T12:00:00"), "2018-12-01T08:00:00+08:00");
}

#[test]
fn a_message_waits_for_its_time_and_dies_when_that_is_over() {
    let params = params();
    let base = Request::new("FEE.REMINDER", PHONE, &params);
    let status = |request: Request<'_>| planned(&request, "2018-11-30T22:00:00").unwrap().status;
    let later = Request { not_before: Some(at("2018-12-02T10:00:00")), ..base };
    assert_eq!(status(later), Held);
    let until = |wall: &str| Request { expires_at: Some(at(wall)), ..base };
    assert_eq!(status(until("2018-12-01T08:00:00")), Expired, "it would leave when it is over");
    assert_eq!(status(until("2018-12-01T08:00:01")), Held);
    assert_eq!(status(Request { has_opted_out: true, ..base }), Suppressed);
    let plan = planned(&base, "2018-11-30T22:00:00").unwrap();
    assert_eq!(rfc3339(plan.expires_at), "2018-12-02T08:00:00+08:00");
    assert_eq!(plan.only_while, Some(Condition::FeeOwed));
}

#[test]
fn push_comes_before_sms_and_each_has_its_vendors_template() {
    let params = params();
    let reach = Reach { has_device: true, ..PHONE };
    let codes = |request: Request<'_>| {
        let attempts = planned(&request, "2018-11-30T10:00:00").unwrap().attempts;
        attempts.into_iter().map(|attempt| attempt.code).collect::<Vec<_>>()
    };
    let base = Request::new("PAY.SUCCEEDED", reach, &params);
    assert_eq!(codes(base), ["P_2", "SMS_2"]);
    assert_eq!(codes(Request { reach: PHONE, ..base }), ["SMS_2"]);
    let sms_first = ["sms".to_owned(), "push".to_owned()];
    assert_eq!(codes(Request { channels: Some(&sms_first), ..base }), ["SMS_2", "P_2"]);
    // The SMS vendor has no English text, so that channel speaks Chinese.
    assert_eq!(codes(Request { locale: Some("en"), ..base }), ["P_2_EN", "SMS_2"]);
}

#[test]
fn a_plan_says_what_the_person_reads_and_what_it_costs() {
    let params = params().with("last4", "9F3A");
    let request = Request::new("FEE.ISSUED", PHONE, &params);
    let plan = planned(&request, "2018-11-30T10:00:00").unwrap();
    let attempt = &plan.attempts[0];
    assert_eq!(
        attempt.text,
        "受理号201811300001应缴登记费80.00元，缴款码尾号9F3A，请于2018-12-05前在本单位微信/支付宝官方入口缴纳。本单位不会索要验证码。"
    );
    assert_eq!(attempt.segments, 2, "with 【园区不动产】 it has over 70 letters");
    let names: Vec<&str> = attempt.params.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["no", "amt", "last4", "date"]);
    assert!(!format!("{plan:?}").contains("2018113"));
}

#[test]
fn what_could_never_be_sent_is_refused_when_it_is_asked_for() {
    let good = params();
    let bad = Params::new().with("no", "201811300001").with("amt", "80 yuan");
    let code = |request: Request<'_>| planned(&request, "2018-11-30T10:00:00").unwrap_err().code();
    assert_eq!(code(Request::new("NO.SUCH", PHONE, &good)), "unknown_template");
    assert_eq!(code(Request::new("PAY.SUCCEEDED", PHONE, &bad)), "invalid_params");
    assert_eq!(code(Request::new("PAY.SUCCEEDED", Reach::default(), &good)), "no_channel");
    assert_eq!(code(Request::new("PAY.SUCCEEDED", Reach::default(), &bad)), "invalid_params");
    assert_eq!(code(Request::new("CASE.APPROVED", PHONE, &good)), "no_channel");
    let unknown = ["fax".to_owned()];
    let request = Request::new("PAY.SUCCEEDED", PHONE, &good);
    assert_eq!(code(Request { channels: Some(&unknown), ..request }), "unknown_channel");
}
