//! Aliyun's error codes and what each means for the message, the template or the account
//! (help.aliyun.com/document_detail/101346.html).

use domain::delivery::{Delivery, FaultScope, Undelivered};
use domain::time::{beijing, from_beijing};
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::super::for_record;

/// How long the gateway is left alone when it says that calls come too fast.
const GATEWAY_PAUSE: SignedDuration = SignedDuration::from_secs(2);

/// What a code in the answer to `SendSms` means.
pub(super) fn classify(code: &str, message: &str, now: Timestamp) -> Delivery {
    let fault = |scope| Delivery::AccountFault {
        scope,
        code: for_record(code),
        message: for_record(message),
    };
    match code {
        "isv.BUSINESS_LIMIT_CONTROL" => {
            Delivery::Throttled { until: window_end(message, now), message: for_record(message) }
        }
        "isv.OUT_OF_SERVICE"
        | "isv.AMOUNT_NOT_ENOUGH"
        | "isv.ACCOUNT_NOT_EXISTS"
        | "isv.ACCOUNT_ABNORMAL"
        | "isv.PRODUCT_UN_SUBSCRIPT"
        | "isv.PRODUCT_UNSUBSCRIBE"
        | "isv.DAY_LIMIT_CONTROL"
        | "isv.MONTH_LIMIT_CONTROL"
        | "isv.DENY_IP_RANGE"
        | "isp.RAM_PERMISSION_DENY"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingSecurityToken" => fault(FaultScope::Account),
        "isv.SMS_TEMPLATE_ILLEGAL"
        | "isv.SMS_SIGNATURE_ILLEGAL"
        | "isv.SMS_SIGNATURE_SCENE_ILLEGAL"
        | "isv.SIGN_STATE_ILLEGAL"
        | "isv.SMS_SIGN_ILLEGAL"
        | "isv.EXTEND_CODE_ERROR"
        | "isv.DOMESTIC_NUMBER_NOT_SUPPORTED" => fault(FaultScope::Template),
        // The vendor's own words: call again.
        "isp.SYSTEM_ERROR" => Delivery::Transient { detail: for_record(code) },
        _ => classify_family(code, message, now),
    }
}

/// What a code means that is known by its family only.
fn classify_family(code: &str, message: &str, now: Timestamp) -> Delivery {
    let begins = |families: &[&str]| families.iter().any(|family| code.starts_with(family));
    if begins(&["Throttling"]) {
        let until = now.saturating_add(GATEWAY_PAUSE).unwrap_or(Timestamp::MAX);
        return Delivery::Throttled { until, message: for_record(code) };
    }
    // The gateway refused who we are or when we signed, before the message was looked at.
    if begins(&["InvalidAccessKeyId", "Forbidden", "NoPermission", "InvalidTimeStamp", "Signature"])
        && code != "SignatureNonceUsed"
    {
        return Delivery::AccountFault {
            scope: FaultScope::Account,
            code: for_record(code),
            message: for_record(message),
        };
    }
    // What the vendor checks before it takes a message, and refuses for ever.
    if begins(&["isv.", "Missing", "InvalidParameter", "InvalidAction", "InvalidVersion"]) {
        return Delivery::Rejected { code: for_record(code), message: for_record(message) };
    }
    // A nonce that was used, a fault behind the gateway, a code that we do not know.
    Delivery::Unknown { detail: for_record(&format!("{code}: {message}")) }
}

/// When a window of flow control (流控) ends, by what the message says: minutes and hours are
/// natural ones in Beijing, a day is 24 h. An unnamed window counts as an hour.
fn window_end(message: &str, now: Timestamp) -> Timestamp {
    let wall = beijing(now);
    let end = if message.contains("天级") || message.to_ascii_lowercase().contains("day") {
        wall.checked_add(24.hours())
    } else if message.contains("分钟级") || message.to_ascii_lowercase().contains("minute") {
        let minute = wall.with().second(0).subsec_nanosecond(0).build();
        minute.and_then(|minute| minute.checked_add(1.minute()))
    } else {
        let hour = wall.with().minute(0).second(0).subsec_nanosecond(0).build();
        hour.and_then(|hour| hour.checked_add(1.hour()))
    };
    end.map_or(Timestamp::MAX, from_beijing)
}

/// Why a message did not arrive, by the carrier's code. Carriers differ, so only codes that are
/// the same everywhere are told apart.
pub(super) fn undelivered(code: &str) -> Undelivered {
    let code = code.to_ascii_uppercase();
    let begins = |families: &[&str]| families.iter().any(|family| code.starts_with(family));
    if begins(&["MOBILE_NOT_ON_SERVICE", "NOT_EXIST", "MK:0001", "MK:0000", "MI:0001"]) {
        Undelivered::AbsentNumber
    } else if begins(&["EXPIRED", "UNDELIV", "MOBILE_TERMINAL", "MK:0005", "MK:0012", "MI:0024"]) {
        Undelivered::Unreachable
    } else if begins(&["REJECTD", "BLACK", "IN_BLACK", "MOBILE_IN_BLACK", "MK:9999"]) {
        Undelivered::Blacklisted
    } else if begins(&["CONTENT_", "KEYWORD", "HAS_BLACK_KEY", "NOPASS"]) {
        Undelivered::ContentBlocked
    } else if begins(&["FREQ", "FLOW_CONTROL", "SMS_CONTROL", "LIMIT"]) {
        Undelivered::Frequency
    } else {
        Undelivered::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &str, message: &str, expected: &str) {
        let now = "2018-11-30T14:03:25+08:00".parse().unwrap();
        let read = classify(code, message, now);
        let mut shown = read.as_str().to_owned();
        if let Delivery::Throttled { until, .. } = &read {
            shown = format!("throttled until {}", beijing(*until));
        }
        if let Delivery::AccountFault { scope, .. } = &read {
            shown = format!("fault of {}", scope.as_str());
        }
        assert_eq!(shown, expected, "{code} {message}");
    }

    #[test]
    fn flow_control_waits_for_the_window_that_it_names() {
        let code = "isv.BUSINESS_LIMIT_CONTROL";
        check(code, "触发分钟级流控Permits:1", "throttled until 2018-11-30T14:04:00");
        check(code, "触发小时级流控Permits:5", "throttled until 2018-11-30T15:00:00");
        check(code, "触发天级流控Permits:10", "throttled until 2018-12-01T14:03:25");
        check(code, "触发流控", "throttled until 2018-11-30T15:00:00");
        check("Throttling.User", "", "throttled until 2018-11-30T14:03:27");
        check("Throttling", "", "throttled until 2018-11-30T14:03:27");
    }

    #[test]
    fn a_fault_of_the_account_is_not_a_fault_of_the_message() {
        for code in [
            "isv.OUT_OF_SERVICE",
            "isv.AMOUNT_NOT_ENOUGH",
            "isv.DAY_LIMIT_CONTROL",
            "isp.RAM_PERMISSION_DENY",
            "SignatureDoesNotMatch",
            "InvalidAccessKeyId.NotFound",
            "InvalidAccessKeyId.Inactive",
            "InvalidTimeStamp.Expired",
            "Forbidden.AccessKeyDisabled",
        ] {
            check(code, "", "fault of account");
        }
        for code in ["isv.SMS_TEMPLATE_ILLEGAL", "isv.SMS_SIGNATURE_ILLEGAL"] {
            check(code, "", "fault of template");
        }
    }

    #[test]
    fn only_what_is_surely_refused_is_rejected_and_only_what_is_surely_not_taken_is_repeated() {
        for code in [
            "isv.MOBILE_NUMBER_ILLEGAL",
            "isv.TEMPLATE_MISSING_PARAMETERS",
            "isv.PARAM_LENGTH_LIMIT",
            "isv.SMS_CONTENT_ILLEGAL",
            "isv.NEVER_HEARD_OF",
            "MissingPhoneNumbers",
            "InvalidAction.NotFound",
        ] {
            check(code, "", "rejected");
        }
        check("isp.SYSTEM_ERROR", "", "transient");
        for code in ["SignatureNonceUsed", "InternalError", "ServiceUnavailable", "isp.X", ""] {
            check(code, "", "unknown");
        }
    }

    #[test]
    fn only_a_phone_out_of_reach_merits_another_message() {
        for (code, reason) in [
            ("UNDELIV", Undelivered::Unreachable),
            ("expired", Undelivered::Unreachable),
            ("MK:0001", Undelivered::AbsentNumber),
            ("REJECTD", Undelivered::Blacklisted),
            ("CONTENT_KEYWORD", Undelivered::ContentBlocked),
            ("CB:7777", Undelivered::Unknown),
            ("", Undelivered::Unknown),
        ] {
            assert_eq!(undelivered(code), reason, "{code}");
        }
    }
}
