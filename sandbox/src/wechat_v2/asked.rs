//! A request as it is proved to be the merchant's: flat XML, the merchant's number, the signature
//! under the algorithm that the request names.

use jiff::Timestamp;

use super::refusal::Refusal;
use super::route::Route;
use super::sign::{self, SignType};
use super::xml::{self, Fields};
use crate::engine::World;
use crate::faults::Action;
use crate::message::Received;
use crate::state::{Order, Sub};
use crate::verdict::{Proof, Verdicts};

/// An authentic request.
pub(super) struct Asked {
    pub(super) route: Route,
    pub(super) mchid: String,
    pub(super) appid: String,
    pub(super) api_key: String,
    pub(super) sign_type: SignType,
    /// On whose behalf, in service-provider mode.
    pub(super) sub: Option<Sub>,
    pub(super) fields: Fields,
    pub(super) now: Timestamp,
    /// The fault that strikes it.
    pub(super) action: Option<Action>,
}

impl Asked {
    /// The value of a field; empty is absent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of a field that must be there, of at most so many bytes.
    pub(super) fn need(&self, name: &str, most: usize) -> Result<&str, Refusal> {
        let value = self.get(name).ok_or_else(|| Refusal::lacks(name))?;
        self.fits(name, value, most)
    }

    /// The value of a field that may be absent.
    pub(super) fn may(&self, name: &str, most: usize) -> Result<Option<&str>, Refusal> {
        self.get(name).map(|value| self.fits(name, value, most)).transpose()
    }

    fn fits<'a>(&self, name: &str, value: &'a str, most: usize) -> Result<&'a str, Refusal> {
        if value.chars().count() <= most {
            Ok(value)
        } else {
            Err(self.route.wrong(format!("{name}长度超过{most}")))
        }
    }

    /// A number of fen, at least one.
    pub(super) fn fen(&self, name: &str) -> Result<i64, Refusal> {
        let value = self.need(name, 20)?;
        let digits = value.bytes().all(|byte| byte.is_ascii_digit()) && !value.starts_with('0');
        match value.parse() {
            Ok(fen) if digits && (1..=LARGEST).contains(&fen) => Ok(fen),
            _ => Err(self.route.wrong(format!("{name}须为正整数，单位为分"))),
        }
    }

    /// Whether an order was placed on behalf of the same merchant as this request.
    pub(super) fn sees(&self, order: &Order) -> bool {
        let mchid = |sub: &Option<Sub>| sub.as_ref().map(|sub| sub.mchid.clone());
        order.whole.is_none() && mchid(&order.sub) == mchid(&self.sub)
    }

    /// What a repeat must have in common with the first request.
    pub(super) fn terms(&self) -> serde_json::Value {
        let own = |name: &str| matches!(name, "nonce_str" | "sign" | "sign_type");
        let kept = self.fields.iter().filter(|(name, value)| !own(name) && !value.is_empty());
        kept.map(|(name, value)| (name.clone(), serde_json::Value::from(value.as_str())))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

/// The largest order of the sandbox, in fen.
const LARGEST: i64 = 10_000_000_000;

/// Reads a request, proves that it is a merchant's, and notes what the manual has otherwise.
pub(super) fn read(
    world: &mut World,
    now: Timestamp,
    route: Route,
    request: &Received,
) -> Result<Asked, Refusal> {
    world.verdicts.signature(Proof::Missing);
    if request.method != "POST" {
        return Err(Refusal::unheard("请使用post方法"));
    }
    let fields = xml::read(&request.body, "xml").map_err(Refusal::unheard)?;
    deviations(&mut world.verdicts, route, request, &fields);
    let value = |name: &str| fields.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let mchid = value("mch_id").ok_or_else(|| Refusal::unheard("缺少参数mch_id"))?;
    let merchant = world.keys.wechat(mchid).map(|merchant| &merchant.config);
    let (Some(config), Some(api_key)) =
        (merchant, merchant.and_then(|config| config.api_key.clone()))
    else {
        world.verdicts.signature(Proof::Bad);
        return Err(Refusal::unheard("商户号mch_id不存在或未设置API密钥"));
    };
    let (mchid, appid) = (mchid.to_owned(), config.appid.clone());
    if value("sign").is_none() {
        return Err(Refusal::unheard("签名错误，缺少sign"));
    }
    let sign_type = SignType::of(value("sign_type"));
    let proved = sign_type.is_some_and(|kind| sign::verifies(&fields, &api_key, kind));
    world.verdicts.signature(if proved { Proof::Ok } else { Proof::Bad });
    let (Some(sign_type), true) = (sign_type, proved) else {
        if value("sign_type").is_none() && sign::verifies(&fields, &api_key, SignType::HmacSha256) {
            world.verdicts.deviates("sign_type: missing, though the signature is HMAC-SHA256");
        }
        return Err(Refusal::unheard("签名错误，请检查后再试"));
    };
    let asked =
        Asked { route, mchid, appid, api_key, sign_type, fields, now, sub: None, action: None };
    Ok(asked)
}

/// What must hold for every authentic request.
pub(super) fn check(world: &mut World, asked: &mut Asked) -> Result<(), Refusal> {
    let appid = asked.need("appid", 32)?;
    if appid != asked.appid {
        let known = world.keys.wechat.iter().any(|merchant| merchant.config.appid == appid);
        return Err(if known {
            Refusal::new("APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配")
        } else {
            Refusal::new("APPID_NOT_EXIST", "appid不存在")
        });
    }
    let nonce = asked.need("nonce_str", 32)?;
    world.verdicts.nonce(&asked.mchid, nonce);
    asked.sub = behalf(world, asked)?;
    Ok(())
}

/// On whose behalf a service provider asks.
fn behalf(world: &World, asked: &Asked) -> Result<Option<Sub>, Refusal> {
    let Some(mchid) = asked.may("sub_mch_id", 32)? else { return Ok(None) };
    let known = world.keys.wechat(&asked.mchid).and_then(|merchant| {
        merchant.config.sub_merchants.iter().find(|known| known.mchid == mchid)
    });
    let Some(known) = known else {
        return Err(Refusal::new("NOAUTH", "商户无此接口权限: 子商户号不存在或未授权"));
    };
    let appid = asked.may("sub_appid", 32)?;
    if appid.is_some() && known.appid.as_deref().is_some_and(|own| Some(own) != appid) {
        return Err(Refusal::new("APPID_MCHID_NOT_MATCH", "sub_appid和sub_mch_id不匹配"));
    }
    Ok(Some(Sub { mchid: mchid.to_owned(), appid: appid.map(str::to_owned) }))
}

/// What the real provider lets pass and the manual has otherwise.
fn deviations(verdicts: &mut Verdicts, route: Route, request: &Received, fields: &Fields) {
    let header = |name: &str| request.header(name).unwrap_or_default();
    if header("user-agent").is_empty() {
        verdicts.deviates("User-Agent: missing");
    }
    if !header("content-type").contains("xml") {
        verdicts.deviates("Content-Type: not XML");
    }
    for (name, value) in fields {
        if value.is_empty() {
            verdicts.deviates(format!("{name}: empty; leave it out"));
        } else if value == "null" {
            verdicts.deviates(format!("{name}: the word null; leave it out"));
        }
        if !route.knows(name) {
            let name: String = name.chars().take(40).collect();
            verdicts.deviates(format!("{name}: not in the manual of this call"));
        }
    }
}
