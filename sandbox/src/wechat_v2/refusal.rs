//! How the old interface says no: always HTTP 200. What is not understood or not authentic fails in
//! `return_code`, unsigned; what is refused fails in `result_code`, signed.

use super::xml::Fields;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// `return_code` FAIL: there is no merchant to whom an answer could be signed.
    Unheard {
        /// What is wrong, for people.
        message: String,
        /// The number that bill downloads add.
        error_code: Option<&'static str>,
    },
    /// `result_code` FAIL.
    Business {
        /// `err_code`.
        code: &'static str,
        /// `err_code_des`.
        message: String,
        /// Whether a reversal must be asked for again.
        recall: Option<bool>,
    },
}

impl Refusal {
    /// The request is not understood or not authentic.
    pub(super) fn unheard(message: impl Into<String>) -> Self {
        Self::Unheard { message: message.into(), error_code: None }
    }

    /// A bill is not given out.
    pub(super) fn no_bill(error_code: &'static str, message: &str) -> Self {
        Self::Unheard { message: message.to_owned(), error_code: Some(error_code) }
    }

    /// The business is refused.
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self::Business { code, message: message.into(), recall: None }
    }

    /// A field that must be there is not.
    pub(super) fn lacks(field: &str) -> Self {
        Self::new("LACK_PARAMS", format!("缺少必填参数{field}"))
    }

    /// No such order.
    pub(super) fn no_order() -> Self {
        Self::new("ORDERNOTEXIST", "订单不存在")
    }

    /// The same refusal of a reversal, which says whether to ask again where it does not yet.
    pub(super) fn recalled(self, again: bool) -> Self {
        match self {
            Self::Business { code, message, recall } => {
                Self::Business { code, message, recall: recall.or(Some(again)) }
            }
            other @ Self::Unheard { .. } => other,
        }
    }

    /// Its fields; a signature is to be added when the second is true.
    pub(super) fn fields(self) -> (Fields, bool) {
        let mut fields = Fields::new();
        let mut put =
            |name: &str, value: &str| drop(fields.insert(name.to_owned(), value.to_owned()));
        let signed = match self {
            Self::Unheard { message, error_code } => {
                put("return_code", "FAIL");
                put("return_msg", &message);
                if let Some(number) = error_code {
                    put("error_code", number);
                }
                false
            }
            Self::Business { code, message, recall } => {
                put("return_code", "SUCCESS");
                put("return_msg", "OK");
                put("result_code", "FAIL");
                put("err_code", code);
                put("err_code_des", &message);
                if let Some(again) = recall {
                    put("recall", if again { "Y" } else { "N" });
                }
                true
            }
        };
        (fields, signed)
    }
}
