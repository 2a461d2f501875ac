//! `/metrics`: counts for Prometheus. Labels come from closed sets (routes, merchants, verdicts),
//! never from what a client sends.

mod standing;

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, web};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::shared::Shared;
use super::{error, resource};
use crate::fault::Fault;
use crate::intake::Sizes;
use standing::Standing;

/// The form of what is answered.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The upper ends of the durations' classes, in seconds.
const CLASSES_S: [f64; 10] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0];
/// The upper ends of the classes of transactions, in callbacks.
const SIZES: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service.service(resource("/metrics").route(web::get().to(show)));
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: String,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Waiting {
    merchant: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Callback {
    merchant: String,
    verdict: &'static str,
}

/// What is counted.
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
    callbacks: Family<Callback, Counter>,
    callbacks_per_commit: Histogram,
    callbacks_waiting: Family<Waiting, Gauge>,
    standing: Standing,
}

impl Metrics {
    /// Nothing counted yet.
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("payhub");
        let requests = Family::default();
        let constructor: fn() -> Histogram = classes;
        let durations = Family::new_with_constructor(constructor);
        let callbacks = Family::default();
        registry.register("http_requests", "Requests by route and status", requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "Time from the first byte of a request to its answer",
            durations.clone(),
        );
        registry.register("callbacks", "Callbacks by merchant and verdict", callbacks.clone());
        let callbacks_per_commit = Histogram::new(SIZES);
        registry.register(
            "callbacks_per_commit",
            "Callbacks that were recorded in one transaction",
            callbacks_per_commit.clone(),
        );
        let callbacks_waiting = Family::default();
        registry.register(
            "callbacks_waiting",
            "Callbacks that wait for their transaction, by merchant",
            callbacks_waiting.clone(),
        );
        let standing = Standing::default();
        standing.register(&mut registry);
        Self {
            registry,
            requests,
            durations,
            callbacks,
            callbacks_per_commit,
            callbacks_waiting,
            standing,
        }
    }

    /// Counts a request.
    pub(super) fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let known = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"];
        let method = if known.contains(&method) { method } else { "other" }.to_owned();
        let route = route.to_owned();
        self.durations.get_or_create(&Route { route: route.clone() }).observe(took.as_secs_f64());
        self.requests.get_or_create(&Request { method, route, status }).inc();
    }

    /// Learns how many callbacks each transaction took.
    pub(super) fn callbacks_per_commit(&self) -> Sizes {
        let sizes = self.callbacks_per_commit.clone();
        Arc::new(move |callbacks| {
            sizes.observe(u32::try_from(callbacks).map_or(f64::INFINITY, f64::from));
        })
    }

    /// Learns how many callbacks of a merchant wait now.
    fn waiting(&self, merchant: &str, callbacks: usize) {
        let merchant = Waiting { merchant: merchant.to_owned() };
        let callbacks = i64::try_from(callbacks).unwrap_or(i64::MAX);
        self.callbacks_waiting.get_or_create(&merchant).set(callbacks);
    }

    /// Counts a callback.
    pub(super) fn callback(&self, merchant: &str, verdict: &'static str) {
        self.callbacks.get_or_create(&Callback { merchant: merchant.to_owned(), verdict }).inc();
    }
}

fn classes() -> Histogram {
    Histogram::new(CLASSES_S)
}

/// Counts for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operation",
    responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
pub(super) async fn show(http: HttpRequest, shared: Data<Shared>) -> HttpResponse {
    for (merchant, callbacks) in shared.intake.waiting() {
        shared.metrics.waiting(merchant.as_str(), callbacks);
    }
    shared.metrics.standing.look(&shared).await;
    let mut text = String::new();
    match encode(&mut text, &shared.metrics.registry) {
        Ok(()) => HttpResponse::Ok().insert_header((CONTENT_TYPE, OPENMETRICS)).body(text),
        Err(fault) => error::respond(&http, &Fault::internal(&fault)),
    }
}
