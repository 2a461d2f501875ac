//! The hub over HTTP: backend services under `/v1`, providers under `/callbacks`, and what an
//! operator asks for. Handlers read a request, hand it to the hub and write the answer; they decide
//! nothing about money. The work itself runs on the hub's main runtime, so that it outlives the
//! connection that asked for it and the HTTP worker that took it.

mod address;
mod answer;
mod auth;
mod bank;
mod body;
mod call;
mod callbacks;
mod cases;
mod combined;
mod deliveries;
mod differences;
mod doubts;
mod endpoints;
mod error;
mod events;
mod fees;
mod fiscal;
mod health;
mod idempotency;
mod incidents;
mod metrics;
mod notifications;
mod observe;
mod openapi;
mod orders;
mod paper;
mod payers;
mod phone;
mod query;
mod receipts;
mod reconciliations;
mod refunds;
mod remittances;
pub mod schema;
mod shared;
mod signatures;
mod statements;
mod supervision;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::KeepAlive;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpResponse, HttpServer, web};
use tokio::net::TcpSocket;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::fault::Fault;
use crate::hub::Hub;

use shared::Shared;

/// How long a client may take to send its headers.
const HEADERS: Duration = Duration::from_secs(5);
/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(75);
/// The most connections one worker holds.
const MOST_CONNECTIONS: usize = 4096;
/// How much longer than [`DRAIN`] a stop may take before it is given up.
const GRACE: Duration = Duration::from_secs(2);

/// How long requests in hand may take to end when the server stops.
const DRAIN: Duration = Duration::from_secs(20);
/// How many threads take requests, at least and at most; their work is done elsewhere.
const WORKERS: (usize, usize) = (2, 8);
/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// What a server serves.
#[derive(Clone, Copy, Debug)]
pub struct HttpOptions {
    /// Backend services and providers; without it only what an operator asks for.
    pub api: bool,
    /// Whether this process runs the background workers, for `/readyz`.
    pub works: bool,
}

/// Why the hub does not listen.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is taken, or is none of this machine's.
    #[error(
        "cannot listen on {address}: {source}; stop what listens there, or set server.listen to \
         another address"
    )]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the machine says.
        source: io::Error,
    },
}

/// A server that runs.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    handle: ServerHandle,
    task: JoinHandle<io::Result<()>>,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests, lets those in hand end for a bounded time, and returns.
    pub async fn stop(self) {
        let patience = DRAIN.saturating_add(GRACE);
        if tokio::time::timeout(patience, self.handle.stop(true)).await.is_err() {
            tracing::warn!("requests were still in hand when the server stopped");
        }
        self.task.abort();
    }

    /// Ends where it stands: every connection is cut, answered or not.
    pub async fn kill(self) {
        self.handle.stop(false).await;
        self.task.abort();
    }
}

/// Takes an address without serving on it yet; port 0 takes a free one. Must be called on a runtime.
///
/// # Errors
/// When the address is taken, or is none of this machine's.
pub fn bind(listen: SocketAddr) -> Result<TcpListener, HttpError> {
    let socket = || {
        let socket = if listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // What a hub before this one left half closed must not keep it from starting.
        socket.set_reuseaddr(true)?;
        socket.bind(listen)?;
        socket.listen(BACKLOG)?.into_std()
    };
    socket().map_err(|source| HttpError::Listen { address: listen, source })
}

/// Serves `hub` on a bound socket. Must be called on a multi-thread runtime, which then also does
/// the work of the requests.
///
/// # Errors
/// When the socket cannot be listened on.
pub fn serve(
    hub: Arc<Hub>,
    socket: TcpListener,
    options: HttpOptions,
) -> Result<Running, HttpError> {
    let address = socket
        .local_addr()
        .map_err(|source| HttpError::Listen { address: ([0, 0, 0, 0], 0).into(), source })?;
    let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let (least, most) = WORKERS;
    let shared = web::Data::new(Shared::new(hub, Handle::current(), options));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(shared.clone())
            .wrap(from_fn(address::check))
            .wrap(from_fn(observe::observe))
            .configure(operation)
            .configure(|service| {
                if options.api {
                    api(service)
                }
            })
            .default_service(web::to(nothing_here))
    })
    .workers(processors.clamp(least, most))
    .disable_signals()
    .keep_alive(KeepAlive::Timeout(IDLE))
    .client_request_timeout(HEADERS)
    .max_connections(MOST_CONNECTIONS)
    .shutdown_timeout(DRAIN.as_secs())
    .listen(socket)
    .map_err(|source| HttpError::Listen { address, source })?
    .run();
    let handle = server.handle();
    let task = tokio::spawn(server);
    tracing::info!("listening on http://{address}");
    Ok(Running { address, handle, task })
}

/// What backend services and providers call, a line a resource.
fn api(service: &mut web::ServiceConfig) {
    service
        .configure(fees::configure)
        .configure(orders::configure)
        .configure(combined::configure)
        .configure(refunds::configure)
        .configure(incidents::configure)
        .configure(remittances::configure)
        .configure(cases::configure)
        .configure(notifications::configure)
        .configure(reconciliations::configure)
        .configure(statements::configure)
        .configure(doubts::configure)
        .configure(signatures::configure)
        .configure(differences::configure)
        .configure(supervision::configure)
        .configure(bank::configure)
        .configure(payers::configure)
        .configure(fiscal::configure)
        .configure(events::configure)
        .configure(endpoints::configure)
        .configure(deliveries::configure)
        .configure(callbacks::configure)
        .configure(receipts::configure)
        .configure(openapi::configure);
}

/// What an operator asks for, of every process.
fn operation(service: &mut web::ServiceConfig) {
    service.configure(health::configure).configure(metrics::configure);
}

/// A path with the methods that it has; any other method is 405.
fn resource(path: &str) -> actix_web::Resource {
    web::resource(path).default_service(web::to(other_method))
}

async fn nothing_here(http: actix_web::HttpRequest) -> HttpResponse {
    error::respond(&http, &Fault::not_found("address"))
}

async fn other_method(http: actix_web::HttpRequest) -> HttpResponse {
    let detail = format!("{} is not possible here; see /openapi.json", http.method());
    let mut fault = Fault::unreadable("method_not_allowed", detail);
    fault.status = 405;
    error::respond(&http, &fault)
}
