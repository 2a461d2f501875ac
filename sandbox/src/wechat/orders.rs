//! Orders of WeChat Pay are placed: by a merchant for itself, or by a service provider for another.

use domain::Fen;
use domain::provider::Provider;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Asked;
use super::fields::{
    Identity, Scene, callback_address, expires_at, length, lives_long_enough, order_number,
    payable, strict,
};
use super::product::Product;
use super::refusal::Refusal;
use super::route::Side;
use crate::engine::World;
use crate::keys::Wechat;
use crate::random::Random;
use crate::state::{OnlyPayer, Order, OrderKey, Sub, later};

/// Both forms of the body; [`Wanted::check`] refuses what is the other side's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    appid: Option<String>,
    mchid: Option<String>,
    sp_appid: Option<String>,
    sp_mchid: Option<String>,
    sub_appid: Option<String>,
    sub_mchid: Option<String>,
    description: String,
    out_trade_no: String,
    time_expire: Option<String>,
    attach: Option<String>,
    notify_url: String,
    goods_tag: Option<String>,
    support_fapiao: Option<bool>,
    amount: Amount,
    detail: Option<Value>,
    scene_info: Option<Scene>,
    settle_info: Option<Value>,
    payer: Option<Payer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Amount {
    total: i64,
    currency: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payer {
    openid: Option<String>,
    sp_openid: Option<String>,
    sub_openid: Option<String>,
    identity: Option<Identity>,
}

fn missing(field: &str) -> Refusal {
    Refusal::parameter(field, "", "缺少必填参数")
}

fn unknown(field: &str) -> Refusal {
    Refusal::parameter(field, "", &format!("unknown field `{field}`"))
}

impl Wanted {
    /// Holds the limits; gives on whose behalf and the openid that is named.
    fn check(
        &self,
        merchant: &Wechat,
        product: Product,
        side: Side,
    ) -> Result<(Option<Sub>, Option<String>), Refusal> {
        let sub = self.parties(merchant, side)?;
        length("description", &self.description, 1, 127)?;
        order_number("out_trade_no", &self.out_trade_no)?;
        callback_address(&self.notify_url, 255)?;
        if let Some(attach) = &self.attach {
            length("attach", attach, 1, 128)?;
        }
        if let Some(tag) = &self.goods_tag {
            length("goods_tag", tag, 1, 32)?;
        }
        payable("/amount/total", self.amount.total, self.amount.currency.as_deref())?;
        Scene::check(self.scene_info.as_ref(), product == Product::H5)?;
        if self.detail.as_ref().is_some_and(|detail| detail.to_string().len() > 6144) {
            return Err(Refusal::parameter("/detail", "", "商品详情不超过6144字节"));
        }
        // Accepted and kept among the terms; the sandbox draws nothing from them.
        let _kept = (&self.support_fapiao, &self.settle_info);
        Ok((sub, self.openid(product, side)?))
    }

    /// Who orders, and for whom.
    fn parties(&self, merchant: &Wechat, side: Side) -> Result<Option<Sub>, Refusal> {
        let config = &merchant.config;
        let (mchid, appid, field) = match side {
            Side::Direct => (&self.mchid, &self.appid, "mchid"),
            Side::Partner => (&self.sp_mchid, &self.sp_appid, "sp_mchid"),
        };
        let mchid = mchid.as_ref().ok_or_else(|| missing(&format!("/{field}")))?;
        let appid = appid.as_ref().ok_or_else(|| missing("/appid"))?;
        let foreign = match side {
            Side::Direct => [&self.sp_appid, &self.sp_mchid, &self.sub_appid, &self.sub_mchid],
            Side::Partner => [&self.appid, &self.mchid, &None, &None],
        };
        if foreign.iter().any(|other| other.is_some()) {
            return Err(unknown(if side == Side::Direct { "sp_mchid" } else { "mchid" }));
        }
        if *mchid != config.mchid {
            return Err(Refusal::parameter(
                &format!("/{field}"),
                mchid,
                "商户号与签名的商户号不一致",
            ));
        }
        if *appid != config.appid {
            return Err(Refusal::new(400, "APPID_MCHID_NOT_MATCH", "AppID和mch_id不匹配"));
        }
        if side == Side::Direct {
            return Ok(None);
        }
        let sub = self.sub_mchid.as_deref().ok_or_else(|| missing("/sub_mchid"))?;
        sub_merchant(merchant, sub, self.sub_appid.as_deref()).map(Some)
    }

    /// The openid that an order inside WeChat must name, and no other may.
    fn openid(&self, product: Product, side: Side) -> Result<Option<String>, Refusal> {
        let payer = self.payer.as_ref();
        let named =
            |pick: fn(&Payer) -> &Option<String>| payer.and_then(|payer| pick(payer).as_ref());
        let (own, sp, sub) = (
            named(|payer| &payer.openid),
            named(|payer| &payer.sp_openid),
            named(|payer| &payer.sub_openid),
        );
        if product != Product::Jsapi {
            return if own.or(sp).or(sub).is_some() { Err(unknown("openid")) } else { Ok(None) };
        }
        let openid = match (side, own, sp, sub) {
            (Side::Direct, Some(openid), None, None) => openid,
            (Side::Partner, None, Some(openid), None) => openid,
            (Side::Partner, None, None, Some(openid)) if self.sub_appid.is_some() => openid,
            (Side::Partner, None, None, Some(_)) => return Err(missing("/sub_appid")),
            (Side::Direct, None, None, None) => return Err(missing("/payer/openid")),
            (Side::Partner, None, None, None) => return Err(missing("/payer/sp_openid")),
            (Side::Direct, _, _, _) => return Err(unknown("sp_openid")),
            (Side::Partner, _, _, _) => {
                return Err(Refusal::parameter("/payer", "", "sp_openid和sub_openid须填其一"));
            }
        };
        length("openid", openid, 1, 128)?;
        Ok(Some(openid.clone()))
    }
}

/// The sub-merchant of a service provider.
pub(super) fn sub_merchant(
    merchant: &Wechat,
    mchid: &str,
    appid: Option<&str>,
) -> Result<Sub, Refusal> {
    let known = merchant.config.sub_merchants.iter().find(|sub| sub.mchid == mchid);
    let known = known.ok_or_else(|| {
        Refusal::new(403, "NO_AUTH", "商户号该产品权限未开通或与服务商无受理关系")
    })?;
    if appid.is_some() && known.appid.as_deref() != appid {
        return Err(Refusal::new(400, "APPID_MCHID_NOT_MATCH", "sub_appid和sub_mchid不匹配"));
    }
    Ok(Sub { mchid: mchid.to_owned(), appid: appid.map(str::to_owned) })
}

/// `POST /v3/pay/[partner/]transactions/{product}`.
pub(super) fn place(
    world: &mut World,
    asked: &Asked<'_>,
    product: Product,
    side: Side,
) -> Result<Value, Refusal> {
    let (wanted, mut terms) = strict::<Wanted>(&asked.request.body)?;
    let merchant = world.keys.wechat(asked.mchid).ok_or_else(Refusal::no_merchant)?;
    let (sub, payer) = wanted.check(merchant, product, side)?;
    let identity = wanted.payer.as_ref().and_then(|payer| payer.identity.as_ref());
    let only_payer =
        identity.map(|identity| identity.open(merchant, asked.serial())).transpose()?;
    clear(&mut terms, only_payer.as_ref());
    let terms = json!([product.trade_type(), side == Side::Partner, terms]);
    let ends = expires_at(wanted.time_expire.as_deref(), asked.now)?;
    let key = (asked.mchid.to_owned(), wanted.out_trade_no.clone());
    match world.book.orders.get(&key) {
        Some(order) => again(order, &terms, asked.now)?,
        None => {
            lives_long_enough(wanted.time_expire.as_deref(), ends, asked.now)?;
            let order = Order {
                subject: wanted.description,
                amount: Fen::new(wanted.amount.total),
                product: product.trade_type(),
                sub,
                payer,
                only_payer,
                attach: wanted.attach,
                notify_url: Some(wanted.notify_url),
                terms,
                expires_at: ends,
                ..Order::new(Provider::Wechat, &key.0, &key.1, asked.now)
            };
            world.book.orders.insert(key.clone(), order);
        }
    }
    fresh_code(world, &key, product, asked.now)
}

/// Puts what was decrypted in the place of what was encrypted, which differs each time.
fn clear(terms: &mut Value, only: Option<&OnlyPayer>) {
    if let Some(OnlyPayer::Person(person)) = only {
        for (name, text) in [("number", &person.id_no), ("name", &person.name)] {
            if let Some(field) = terms.pointer_mut(&format!("/payer/identity/{name}")) {
                *field = json!(text.clear());
            }
        }
    }
}

/// A repeat must be identical and the order still open.
fn again(order: &Order, terms: &Value, now: Timestamp) -> Result<(), Refusal> {
    if order.is_paid() {
        Err(Refusal::paid())
    } else if order.closed_at.is_some() || now >= order.expires_at {
        Err(Refusal::new(400, "ORDER_CLOSED", "该订单已关闭"))
    } else if order.whole.is_some() || order.terms != *terms {
        Err(Refusal::number_used())
    } else {
        Ok(())
    }
}

/// Gives the order a fresh code; the older one dies.
pub(super) fn fresh_code(
    world: &mut World,
    key: &OrderKey,
    product: Product,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let seed = world.seed;
    let order = world.book.orders.get_mut(key).ok_or_else(Refusal::no_order)?;
    order.codes = order.codes.saturating_add(1);
    let count = order.codes.to_string();
    let mut chance = Random::of(seed, &["code", &key.0, &key.1, &count]);
    order.code = product.code(&mut chance, now);
    order.code_expires_at = later(now, product.code_life_s()).min(order.expires_at);
    Ok(product.answer(&order.code))
}
