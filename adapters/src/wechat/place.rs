//! The call that places an order. Its body is stored and repeated byte for byte, so nothing in here
//! may depend on anything but its arguments.

use domain::money::Fen;
use domain::personal::Personal;
use domain::time::rfc3339;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::order::{ORDER_MARKS, post};
use super::parties::{Names, Parties};
use super::ring::Ring;
use super::seal::Sealing;
use crate::limits::{self, Length, broken};
use crate::provider::{Document, Identity, LimitError, NewOrder, Product};
use crate::wire::Call;

/// The name of the parameter that holds where a payer's browser goes afterwards: it is no part of
/// the request, and is put behind the address that WeChat gives.
pub(super) const RETURN_URL: &str = "redirect_url";

/// How far ahead an order's end must be.
const SHORTEST_LIFE: SignedDuration = SignedDuration::from_mins(1);

#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    names: Names<'a>,
    description: &'a str,
    out_trade_no: &'a str,
    time_expire: String,
    notify_url: &'a str,
    amount: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    payer: Option<Payer<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scene_info: Option<Scene<'a>>,
}

#[derive(Serialize)]
struct Amount {
    total: i64,
    currency: &'static str,
}

#[derive(Default, Serialize)]
struct Payer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    openid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sp_openid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_openid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<SealedIdentity>,
}

#[derive(Serialize)]
struct SealedIdentity {
    #[serde(rename = "type")]
    document: &'static str,
    number: String,
    name: String,
}

/// From where a payer's browser pays.
#[derive(Serialize)]
pub(super) struct Scene<'a> {
    payer_client_ip: &'a str,
    h5_info: H5Info,
}

#[derive(Serialize)]
struct H5Info {
    #[serde(rename = "type")]
    kind: &'static str,
}

/// `POST /v3/pay/[partner/]transactions/{product}`.
pub(super) fn place(
    parties: &Parties,
    ring: &Ring,
    order: &NewOrder<'_>,
) -> Result<Call, LimitError> {
    let product = word(order.product)?;
    limits::number("out_trade_no", order.out_trade_no.as_str(), (6, 32), ORDER_MARKS)?;
    limits::text("subject", order.subject, Length::Bytes(127))?;
    limits::notify_url(order.notify_url, 255)?;
    payable("amount_fen", order.amount)?;
    long_enough(order.expires_at, order.now)?;
    let mut sealed_with = None;
    let body = Body {
        names: parties.names(),
        description: order.subject,
        out_trade_no: order.out_trade_no.as_str(),
        time_expire: rfc3339(order.expires_at),
        notify_url: order.notify_url,
        amount: Amount { total: order.amount.get(), currency: "CNY" },
        payer: payer(parties, ring, order, &mut sealed_with)?,
        scene_info: scene(order.product, order.client_ip)?,
    };
    let mut call = post(format!("{}/{product}", parties.orders()), &body)?;
    call.parameters.extend(sealed_with);
    call.parameters.extend(return_url(order.product, order.return_url)?);
    Ok(call)
}

/// The product's word in an address.
pub(super) fn word(product: Product) -> Result<&'static str, LimitError> {
    match product {
        Product::Native | Product::Jsapi | Product::H5 | Product::App => Ok(product.as_str()),
        Product::Codepay => Err(broken(
            "product",
            "codepay is not offered under APIv3; use a `wechat-v2` merchant for the counter",
        )),
        Product::Precreate | Product::Page | Product::Wap | Product::Create | Product::Pay => {
            let rule = "is not WeChat Pay's; use native, jsapi, h5 or app";
            Err(broken("product", format!("{} {rule}", product.as_str())))
        }
    }
}

/// The payer's openid where the product needs one.
pub(super) fn openid(
    product: Product,
    payer: Option<&domain::personal::Personal>,
) -> Result<Option<&str>, LimitError> {
    if product != Product::Jsapi {
        return Ok(None);
    }
    let openid = payer.map(domain::personal::Personal::clear).filter(|openid| !openid.is_empty());
    let Some(openid) = openid else {
        return Err(broken("payer.openid", "must be given for jsapi"));
    };
    if openid.len() > 128 || !openid.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(broken("payer.openid", "1 to 128 printable ASCII letters without blanks"));
    }
    Ok(Some(openid))
}

/// The scene of a payment from a phone's browser.
pub(super) fn scene<'a>(
    product: Product,
    client_ip: Option<&'a str>,
) -> Result<Option<Scene<'a>>, LimitError> {
    if product != Product::H5 {
        return Ok(None);
    }
    let Some(client_ip) = client_ip else {
        return Err(broken("payer.client_ip", "must be given for h5"));
    };
    if client_ip.parse::<std::net::IpAddr>().is_err() || client_ip.len() > 45 {
        return Err(broken("payer.client_ip", "must be an IPv4 or IPv6 address"));
    }
    let h5_info = H5Info { kind: "Wap" };
    Ok(Some(Scene { payer_client_ip: client_ip, h5_info }))
}

/// What is kept beside the body, so that the payer's browser finds its way back.
pub(super) fn return_url(
    product: Product,
    url: Option<&str>,
) -> Result<Option<(String, String)>, LimitError> {
    let Some(url) = url.filter(|_| product == Product::H5) else { return Ok(None) };
    limits::return_url(url)?;
    Ok(Some((RETURN_URL.to_owned(), url.to_owned())))
}

/// An amount that can be paid at all.
pub(super) fn payable(field: &'static str, amount: Fen) -> Result<(), LimitError> {
    if amount.is_payable() {
        return Ok(());
    }
    Err(broken(field, "1 to 10000000000 fen"))
}

/// An order must be open for a minute at least.
pub(super) fn long_enough(expires_at: Timestamp, now: Timestamp) -> Result<(), LimitError> {
    if expires_at.duration_since(now) >= SHORTEST_LIFE {
        return Ok(());
    }
    Err(broken("expires_in_s", "must end at least 1 minute from now"))
}

fn payer<'a>(
    parties: &Parties,
    ring: &Ring,
    order: &NewOrder<'a>,
    sealed_with: &mut Option<(String, String)>,
) -> Result<Option<Payer<'a>>, LimitError> {
    let openid = openid(order.product, order.payer)?;
    let payer = match (&parties.sub, parties.sub_appid()) {
        (None, _) => Payer { openid, ..Payer::default() },
        (Some(_), None) => Payer { sp_openid: openid, ..Payer::default() },
        (Some(_), Some(_)) => Payer { sub_openid: openid, ..Payer::default() },
    };
    let Some(identity) = order.identity else {
        return Ok(openid.is_some().then_some(payer));
    };
    if !matches!(order.product, Product::Native | Product::Jsapi) {
        return Err(broken("payer.identity", "only native and jsapi can ask who pays"));
    }
    let mut sealing = Sealing::begin(ring, order.now, order.chance, "payer.identity")?;
    let identity = sealed_identity(&mut sealing, identity)?;
    *sealed_with = Some(sealing.parameter());
    Ok(Some(Payer { identity: Some(identity), ..payer }))
}

fn sealed_identity(
    sealing: &mut Sealing,
    identity: &Identity,
) -> Result<SealedIdentity, LimitError> {
    Ok(SealedIdentity {
        document: match identity.document {
            Document::IdentityCard => "IDCARD",
            Document::HongKongMacaoPermit => "HONGKONG_MACAO",
            Document::HongKongMacaoResidence => "HONGKONG_MACAO_RESIDENT",
            Document::TaiwanResidence => "TAIWAN_RESIDENT",
            Document::ForeignResidence => "FOREIGN_RESIDENT",
            Document::Passport => "OVERSEA_PASSPORT",
        },
        // The check letter of a document is a capital X, whatever a person types.
        number: sealing.field(
            "payer.identity.id_no",
            &Personal::new(identity.id_no.clear().replace('x', "X")),
        )?,
        name: sealing.field("payer.identity.name", &identity.name)?,
    })
}
