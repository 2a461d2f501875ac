//! The light of a case (预警灯): how much of its time is left, at a glance. Thresholds are data.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A deadline's light. Later ones are worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    /// In time (正常).
    Green,
    /// Little time is left (预警).
    Yellow,
    /// Overdue (超期).
    Red,
}

impl Light {
    /// Its word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }
}

impl fmt::Display for Light {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// When a light turns yellow; red is overdue and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LightPolicy {
    /// Yellow when no more than so many working days are left after today.
    pub yellow_days_left: u32,
    /// Yellow when more than this share of the limit is used, as (parts, of so many).
    pub yellow_share_used: (u32, u32),
}

impl Default for LightPolicy {
    /// One working day left, or more than two thirds used.
    fn default() -> Self {
        Self { yellow_days_left: 1, yellow_share_used: (2, 3) }
    }
}

impl LightPolicy {
    /// The light of a case that is in time, with `left` of its `limit` working days left.
    #[must_use]
    pub fn while_in_time(self, left: u32, limit: u32) -> Light {
        let (parts, of) = self.yellow_share_used;
        let used = u64::from(limit.saturating_sub(left));
        let past_share =
            used.saturating_mul(u64::from(of)) > u64::from(limit).saturating_mul(u64::from(parts));
        if left <= self.yellow_days_left || past_share { Light::Yellow } else { Light::Green }
    }
}
