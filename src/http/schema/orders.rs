//! Orders.

use utoipa::ToSchema;

/// Who pays, where the product wants to know.
#[derive(Debug, ToSchema)]
pub struct OrderPayer {
    /// At WeChat.
    pub openid: Option<String>,
    /// At Alipay.
    pub buyer_id: Option<String>,
    /// The payer's address.
    pub client_ip: Option<String>,
    /// Who alone may pay.
    pub identity: Option<Identity>,
}

/// A person by name and document: only this person may pay.
#[derive(Debug, ToSchema)]
pub struct Identity {
    /// The name as on the document.
    pub name: String,
    /// The document's number.
    pub id_no: String,
    /// `identity_card` (when absent), `hong_kong_macao_permit`, `hong_kong_macao_residence`,
    /// `taiwan_residence`, `foreign_residence` or passport.
    pub document: Option<String>,
}

/// Fees to be collected.
#[derive(Debug, ToSchema)]
pub struct OrderRequest {
    /// As configured.
    pub merchant_id: String,
    /// native, jsapi, h5, app or codepay at WeChat; precreate, page, wap, app, create or pay at
    /// Alipay.
    pub product: String,
    /// 1 to 50 fees, each paid off whole.
    pub fee_ids: Vec<String>,
    /// What the payer reads.
    pub subject: Option<String>,
    /// Who pays.
    pub payer: Option<OrderPayer>,
    /// The payer's barcode, at the counter (codepay, pay).
    pub auth_code: Option<String>,
    /// Where the payer's browser goes afterwards: https.
    pub return_url: Option<String>,
    /// 60 to 604800 seconds; when absent 7200, at the counter 60.
    pub expires_in_s: Option<i64>,
}

/// What the payer needs. `kind` says which other members there are.
#[derive(Debug, ToSchema)]
pub struct Pay {
    /// `qr_code`, redirect, form, jsapi, app or none.
    pub kind: String,
    /// `qr_code`: the text to show as a code.
    pub code_url: Option<String>,
    /// redirect: where to go.
    pub url: Option<String>,
    /// form: a page that submits itself.
    pub html: Option<String>,
    /// jsapi, app: signed parameters, as the wallet's kit takes them.
    pub params: Option<serde_json::Value>,
}

/// A payment.
#[derive(Debug, ToSchema)]
pub struct Payment {
    /// pay_….
    pub id: String,
    /// The provider's number.
    pub provider_trade_no: String,
    /// Gross.
    pub amount_fen: i64,
    /// When the provider says that it was paid.
    #[schema(format = DateTime)]
    pub paid_at: String,
    /// callback, query or bill.
    pub source: String,
    /// Whether some of it settles no fee.
    pub surplus: bool,
    /// How much of it settles no fee.
    pub surplus_fen: i64,
}

/// Why a provider refused.
#[derive(Debug, ToSchema)]
pub struct Refused {
    /// The hub's word.
    pub reason: Option<String>,
    /// The provider's code.
    pub provider_code: String,
    /// The provider's text.
    pub provider_message: Option<String>,
}

/// An order.
#[derive(Debug, ToSchema)]
pub struct Order {
    /// ord_….
    pub id: String,
    /// cmb_…, when it is one payee's part of a combined order.
    pub combined_id: Option<String>,
    /// Through which merchant.
    pub merchant_id: String,
    /// wechat or alipay.
    pub provider: String,
    /// As asked.
    pub product: String,
    /// The hub's number at the provider.
    pub out_trade_no: String,
    /// created, pending, unknown, paid, closed or failed.
    pub status: String,
    /// What is to be paid.
    pub amount_fen: i64,
    /// What the payer reads.
    pub subject: String,
    /// The fees.
    pub fee_ids: Vec<String>,
    /// When it was written.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Until when it may be paid.
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// What the payer needs.
    pub pay: Option<Pay>,
    /// When it was paid.
    #[schema(format = DateTime)]
    pub paid_at: Option<String>,
    /// Whether that was after it had been closed.
    pub paid_late: bool,
    /// The provider's number of the payment.
    pub provider_trade_no: Option<String>,
    /// What was given back of all payments.
    pub refunded_fen: i64,
    /// Every payment.
    pub payments: Vec<Payment>,
    /// When it was closed.
    #[schema(format = DateTime)]
    pub closed_at: Option<String>,
    /// When another wallet took its place while its code stayed payable.
    #[schema(format = DateTime)]
    pub superseded_at: Option<String>,
    /// Why the provider refused it.
    pub refused: Option<Refused>,
}
