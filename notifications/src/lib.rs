//! Who is told what, over which channel and when (通知). Pure: a request, the texts, the policy and
//! the time go in; a [`Plan`] comes out, and after each attempt the [`NextStep`].
//!
//! Sending an SMS is not idempotent. So the dispatcher writes the attempt down before it sends,
//! treats a row that it finds half-way after a crash as [`Delivery::Unknown`], and asks the vendor
//! before it ever sends again. A message is never sent twice because nobody knew.
//!
//! ```
//! use domain::delivery::{Delivery, Lookup};
//! use notifications::{
//!     Catalogue, Channel, ChannelKind, NextStep, Params, Policy, Progress, Reach, Request,
//!     VendorTemplate, after, after_lookup, plan,
//! };
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let catalogue = Catalogue::built_in()?;
//! let policy = Policy {
//!     channels: vec![Channel {
//!         id: "sms-main".into(),
//!         kind: ChannelKind::AliyunSms,
//!         signature: Some("园区不动产".into()),
//!     }],
//!     templates: vec![VendorTemplate {
//!         event: "PAY.SUCCEEDED".into(),
//!         channel: "sms-main".into(),
//!         code: "SMS_1".into(),
//!         locale: "zh-CN".into(),
//!     }],
//!     ..Policy::default()
//! };
//! let now = "2018-11-30T10:00:00+08:00".parse()?;
//! let params = Params::new().with("no", "201811300001").with("amt", "80.00");
//! let reach = Reach { has_phone: true, ..Reach::default() };
//! let plan = plan(&Request::new("PAY.SUCCEEDED", reach, &params), &catalogue, &policy, now)?;
//! // Store plan.status, plan.due_at, plan.expires_at, and (sealed) plan.attempts. When due, send
//! // plan.attempts[0] through its channel: attempt.code, attempt.params. Then:
//! let progress = Progress {
//!     attempts_made: 1,
//!     has_next_channel: plan.attempts.len() > 1,
//!     urgency: plan.urgency,
//!     expires_at: plan.expires_at,
//!     now,
//!     jitter: 500, // a random number of 0 to 1000
//! };
//! let outcome = Delivery::Unknown { detail: "time-out".into() };
//! if let NextStep::Query { at } = after(&outcome, &progress, &policy) {
//!     // ask the vendor at `at`; its record decides
//!     let next = after_lookup(&Lookup::Absent, 1, now, &Progress { now: at, ..progress }, &policy);
//!     assert!(matches!(next, NextStep::Query { .. })); // too early to believe
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Every change of [`NotificationStatus`] goes through [`NotificationStatus::after`];
//! [`NextStep::transition`] says which one a step is.

mod arrivals;
mod hours;
mod next;
mod params;
mod plan;
mod policy;
mod status;
mod template;
mod text;

pub use domain::delivery::{Arrival, Delivery, FaultScope, Lookup, Undelivered};

pub use arrivals::fold;
pub use hours::{Hours, HoursError};
pub use next::{
    ACCOUNT_PAUSE, ATTEMPTS_MAX, Alarm, FailReason, LOOKUP_GIVE_UP, LOOKUP_SETTLES, NextStep,
    Progress, after, after_arrival, after_lookup,
};
pub use params::{Kind, LONGEST_VALUE, ParamError, Params};
pub use plan::{ChannelAttempt, Plan, PlanError, Reach, Request, plan};
pub use policy::{Channel, ChannelKind, Policy, VendorTemplate};
pub use status::{NotificationStatus, StatusError, Transition};
pub use template::{Catalogue, CatalogueError, Condition, DEFAULT_LOCALE, Template, Urgency};
pub use text::{LONG_PART, LONGEST, SINGLE_PART, has_link, length, refused_letter, segments};
