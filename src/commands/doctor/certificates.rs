//! Until when certificates are good: those of the configuration, and those that providers sign with.

use domain::Clock as _;
use domain::time::business_day;
use jiff::{SignedDuration, Timestamp};

use super::Finding;
use crate::config::{Config, Dated};
use crate::hub::Hub;
use crate::keys::{self, Renewed};

/// From how long before its end on a certificate is a warning: a new one takes a visit to the
/// provider's platform, and at some providers a day.
const SOON: SignedDuration = SignedDuration::from_hours(24 * 30);

/// The certificates of the configuration, one line each.
pub(super) fn configured(config: &Config, now: Timestamp, findings: &mut Vec<Finding>) {
    for merchant in &config.merchants {
        for certificate in &merchant.certificates {
            let Dated { key, until, is_own } = certificate;
            let pair = if *is_own { "; it is that of the private key" } else { "" };
            let what = format!("merchant {}: {key}", merchant.id);
            findings.push(finding(&what, *until, now, pair));
        }
    }
}

/// The keys that providers sign with, fetched now, one line a merchant.
pub(super) async fn fetched(hub: &Hub, findings: &mut Vec<Finding>) {
    let now = hub.clock.now();
    for merchant in hub.merchants.values() {
        let what = format!("merchant {}: platform certificates", merchant.id);
        match keys::renew_now(hub, merchant).await {
            None => {}
            Some(Renewed::NoneThere) => findings
                .push(Finding::Ok(format!("{what}: none, the provider signs with its public key"))),
            Some(Renewed::Failed(why)) => findings.push(Finding::Fail {
                what: format!("{what}: cannot be fetched ({why})"),
                mend: "check merchant_serial_no, the keys, and that the address is reached"
                    .to_owned(),
            }),
            Some(Renewed::Good(None)) => {
                findings.push(Finding::Ok(format!("{what}: none needed beside its public key")));
            }
            Some(Renewed::Good(Some(until))) => findings.push(finding(&what, until, now, "")),
        }
    }
}

fn finding(what: &str, until: Timestamp, now: Timestamp, more: &str) -> Finding {
    let day = business_day(until);
    let left = until.duration_since(now);
    if left.is_negative() {
        return Finding::Fail {
            what: format!("{what}: ended on {day}"),
            mend: "get a new one from the provider's platform".to_owned(),
        };
    }
    if left < SOON {
        return Finding::Warn(format!("{what}: ends on {day}; get a new one now"));
    }
    Finding::Ok(format!("{what}: good until {day}{more}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_warns_a_month_before_it_ends() {
        let now: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        let said = |until: &str| match finding("x", until.parse().unwrap(), now, "") {
            Finding::Ok(what) => format!("OK {what}"),
            Finding::Warn(what) => format!("WARN {what}"),
            Finding::Fail { what, .. } => format!("FAIL {what}"),
        };
        assert_eq!(said("2026-11-23T00:00:00Z"), "FAIL x: ended on 2026-11-23");
        assert_eq!(said("2026-12-20T00:00:00Z"), "WARN x: ends on 2026-12-20; get a new one now");
        assert_eq!(said("2027-11-24T00:00:00Z"), "OK x: good until 2027-11-24");
    }
}
