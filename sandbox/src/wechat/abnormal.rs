//! An abnormal refund (退款异常) is sent to another account: `apply-abnormal-refund`.

use serde::Deserialize;
use serde_json::Value;

use super::Asked;
use super::fields::{length, opened, strict};
use super::refunds;
use super::refusal::Refusal;
use crate::engine::World;
use crate::state::{Ending, Standing, later};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    sub_mchid: Option<String>,
    out_refund_no: String,
    r#type: String,
    bank_type: Option<String>,
    bank_account: Option<String>,
    real_name: Option<String>,
}

impl Wanted {
    /// A payer's card must be named in full, the merchant's account not at all.
    fn check(&self, world: &World, asked: &Asked<'_>) -> Result<(), Refusal> {
        match self.r#type.as_str() {
            "MERCHANT_BANK_CARD" => Ok(()),
            "USER_BANK_CARD" => {
                let missing = |field: &str| Refusal::parameter(field, "", "缺少必填参数");
                let merchant = world.keys.wechat(asked.mchid).ok_or_else(Refusal::no_merchant)?;
                let bank = self.bank_type.as_deref().ok_or_else(|| missing("/bank_type"))?;
                length("bank_type", bank, 1, 16)?;
                for (field, sealed) in
                    [("/bank_account", &self.bank_account), ("/real_name", &self.real_name)]
                {
                    let sealed = sealed.as_ref().ok_or_else(|| missing(field))?;
                    let clear = opened(merchant, asked.serial(), field, sealed)?;
                    let digits = clear.clear().bytes().all(|byte| byte.is_ascii_digit());
                    if field == "/bank_account" && !digits {
                        return Err(Refusal::parameter(field, "", "银行卡号不合法"));
                    }
                }
                Ok(())
            }
            other => Err(Refusal::parameter("/type", other, "异常退款处理方式不合法")),
        }
    }
}

/// `POST /v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund`: processing from now on.
pub(super) fn redirect(
    world: &mut World,
    asked: &Asked<'_>,
    refund_id: &str,
) -> Result<Value, Refusal> {
    let (wanted, _) = strict::<Wanted>(&asked.request.body)?;
    wanted.check(world, asked)?;
    let gone = || Refusal::new(404, "RESOURCE_NOT_EXISTS", "退款单不存在");
    let delay = world.keys.wechat(asked.mchid).map_or(0, |known| known.config.refund_delay_s);
    let key = refunds::key(asked.mchid, &wanted.out_refund_no);
    let refund = world
        .book
        .refunds
        .get_mut(&key)
        .filter(|refund| refund.refund_no == refund_id)
        .filter(|refund| refund.is_for(wanted.sub_mchid.as_deref()))
        .ok_or_else(gone)?;
    if refund.standing(asked.now) != Standing::Abnormal {
        return Err(Refusal::new(400, "INVALID_REQUEST", "退款单状态非退款异常，不可发起异常退款"));
    }
    refund.ending = Ending::Success;
    refund.done_at = later(asked.now, delay);
    let told = refunds::described(refund, asked.now);
    refunds::announce(world, &key);
    Ok(told)
}
