//! A stored message as it is sent: its address and values opened, its plan made anew from the
//! texts and channels of today, so that a mended configuration mends what waits.

use std::sync::LazyLock;

use domain::personal::Personal;
use jiff::Timestamp;
use notifications::{
    Catalogue, CatalogueError, Channel, ChannelAttempt, Params, Plan, PlanError, Policy, Progress,
    Reach, Request, Urgency, VendorTemplate, plan,
};
use serde_json::{Map, Value};

use super::jitter;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::record::params_context;
use crate::seal::Purpose;
use crate::store::notifications::LockedNotification;

/// The place for which every phone is sealed: a fee's is copied into its messages.
pub(super) const PHONE: &[u8] = b"phone";

/// The texts that come with the hub.
static TEXTS: LazyLock<Result<Catalogue, CatalogueError>> = LazyLock::new(Catalogue::built_in);

/// The texts.
pub(super) fn texts() -> Result<&'static Catalogue, Fault> {
    TEXTS.as_ref().map_err(|error| Fault::internal(error))
}

/// The office's channels and rules, the channels of `event` first and in the order of its
/// templates.
pub(super) fn policy(hub: &Hub, event: &str) -> Policy {
    let mut order: Vec<&str> = Vec::new();
    let of_event = hub.templates.0.iter().filter(|row| row.event == event);
    let named = of_event.chain(&hub.templates.0).map(|row| row.channel.as_str());
    for id in named.chain(hub.channels.keys().map(String::as_str)) {
        if !order.contains(&id) {
            order.push(id);
        }
    }
    let channels = order.into_iter().filter_map(|id| {
        let vendor = &hub.channels.get(id)?.vendor;
        let kind = vendor.kind().parse().ok()?;
        let signature = Some(vendor.signature().to_owned());
        Some(Channel { id: id.to_owned(), kind, signature })
    });
    let templates = hub.templates.0.iter().map(|row| VendorTemplate {
        event: row.event.clone(),
        channel: row.channel.clone(),
        code: row.code.clone(),
        locale: row.locale.clone(),
    });
    Policy {
        quiet_hours: hub.policy.quiet_hours,
        channels: channels.collect(),
        templates: templates.collect(),
        ..Policy::default()
    }
}

/// A stored message, opened.
pub(super) struct Message {
    /// The row.
    pub(super) notification: LockedNotification,
    /// Whom it is for.
    pub(super) phone: Personal,
    /// The office's rules.
    pub(super) policy: Policy,
    plan: Result<Plan, PlanError>,
}

impl Message {
    /// Opens a message and plans it.
    pub(super) fn open(hub: &Hub, notification: LockedNotification) -> Result<Self, Fault> {
        let context = params_context(&notification.id);
        let values = hub.sealer.open(
            Purpose::PersonalData,
            &notification.params_sealed,
            context.as_bytes(),
        )?;
        let values: Map<String, Value> =
            serde_json::from_slice(&values).map_err(|error| Fault::internal(&error))?;
        let phone = hub.sealer.open(Purpose::PersonalData, &notification.to_sealed, PHONE)?;
        let phone =
            String::from_utf8(phone).map_err(|error| Fault::internal(&error.utf8_error()))?;
        let policy = policy(hub, &notification.template);
        let params = Params::from_json(&values);
        let catalogue = texts()?;
        let plan = params.map_err(PlanError::from).and_then(|params| {
            let reach = Reach { has_phone: true, ..Reach::default() };
            let request = Request {
                locale: Some(&notification.locale),
                channels: notification.channels.as_deref(),
                not_before: notification.not_before,
                expires_at: notification.expires_at,
                ..Request::new(&notification.template, reach, &params)
            };
            plan(&request, catalogue, &policy, notification.created_at)
        });
        Ok(Self { notification, phone: Personal::new(phone), policy, plan })
    }

    /// What its channel takes.
    ///
    /// # Errors
    /// Why it can never be sent.
    pub(super) fn attempt(&self) -> Result<&ChannelAttempt, String> {
        let plan = self.plan.as_ref().map_err(ToString::to_string)?;
        let channel = &self.notification.channel;
        plan.attempts
            .iter()
            .find(|attempt| attempt.channel == *channel)
            .ok_or_else(|| format!("there is no template for it on channel {channel}"))
    }

    /// The channel behind the present one.
    pub(super) fn next_channel(&self) -> Option<&str> {
        let attempts = &self.plan.as_ref().ok()?.attempts;
        let mut behind =
            attempts.iter().skip_while(|attempt| attempt.channel != self.notification.channel);
        behind.next()?;
        behind.next().map(|attempt| attempt.channel.as_str())
    }

    /// The plan, where there is one.
    pub(super) fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref().ok()
    }

    /// How far it has come after `tries` attempts on its channel.
    pub(super) fn progress(&self, tries: i32, now: Timestamp) -> Result<Progress, Fault> {
        let plan = self.plan();
        let expires_at = plan.map(|plan| plan.expires_at).or(self.notification.expires_at);
        Ok(Progress {
            attempts_made: usize::try_from(tries).unwrap_or_default(),
            has_next_channel: self.next_channel().is_some(),
            urgency: plan.map_or(Urgency::Normal, |plan| plan.urgency),
            expires_at: expires_at.unwrap_or(Timestamp::MAX),
            now,
            jitter: jitter()?,
        })
    }
}
