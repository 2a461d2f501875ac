//! Phone numbers as callers write them, brought into the one form that is sealed and looked up.

use crate::fault::Fault;

/// The eleven digits of a mainland mobile number, however it is written (`138 1234 1234`,
/// `+86-138…`), or another country's number as `+` and 8 to 15 digits.
///
/// # Errors
/// 422 `phone_invalid`; `field` names the member and the number is not repeated.
pub(super) fn normal(field: &str, given: &str) -> Result<String, Fault> {
    let bare: String = given.trim().chars().filter(|letter| !" -()".contains(*letter)).collect();
    let mainland = ["+86", "0086", "86", ""]
        .iter()
        .filter_map(|prefix| bare.strip_prefix(prefix))
        .find(|digits| is_mobile(digits));
    let abroad = bare
        .strip_prefix('+')
        .filter(|digits| (8..=15).contains(&digits.len()) && are_digits(digits))
        .filter(|digits| !digits.starts_with("86") && !digits.starts_with('0'));
    match (mainland, abroad) {
        (Some(digits), _) => Ok(digits.to_owned()),
        (None, Some(digits)) => Ok(format!("+{digits}")),
        (None, None) => Err(Fault::invalid(
            "phone_invalid",
            format!(
                "{field} must be a mainland mobile number of 11 digits, or + and the country's \
                 code and number"
            ),
        )
        .with("path", field)),
    }
}

fn is_mobile(digits: &str) -> bool {
    let mut first = digits.bytes();
    digits.len() == 11
        && are_digits(digits)
        && first.next() == Some(b'1')
        && first.next().is_some_and(|second| (b'3'..=b'9').contains(&second))
}

fn are_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_has_one_form() {
        for given in ["13812341234", " 138 1234 1234", "+86-138-1234-1234", "008613812341234"] {
            assert_eq!(normal("payer.phone", given).unwrap(), "13812341234", "{given}");
        }
        assert_eq!(normal("payer.phone", "+852 9123 4567").unwrap(), "+85291234567");
    }

    #[test]
    fn what_no_message_can_reach_is_refused_without_being_repeated() {
        for bad in ["", "110", "12812341234", "1381234123", "+8613", "051288888888", "+1", "abc"] {
            let fault = normal("payer.phone", bad).unwrap_err();
            assert_eq!(fault.code, "phone_invalid", "{bad}");
            assert!(fault.detail.starts_with("payer.phone"));
            assert!(bad.len() < 5 || !fault.detail.contains(bad));
        }
    }
}
