//! The wire between a hub and its database, in the hands of a test: it counts what the hub sends,
//! and is cut at the message that the test names, before the database hears it or before the hub
//! hears the answer. A cut wire stays cut until it is mended.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};

/// On which side of the database's work the wire is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The database never hears the message.
    Before,
    /// The database has done what it says, and the hub never hears of it.
    After,
}

/// A wire.
pub(crate) struct Wire {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    socket: PathBuf,
    state: Mutex<State>,
    cut: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    /// Messages since the wire was armed: those that the database answers.
    sent: u64,
    armed: Option<(u64, Cut)>,
    /// Whether the wire is whole again as soon as it was cut.
    heals: bool,
    /// Whether the armed cut has happened.
    happened: bool,
    connections: Vec<AbortHandle>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
        self.shared.sever();
    }
}

impl Wire {
    /// A wire to the server whose socket is in a folder.
    pub(crate) async fn to(folder: &Path) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            socket: folder.join(".s.PGSQL.5432"),
            state: Mutex::default(),
            cut: watch::channel(false).0,
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, accepting }
    }

    /// How the hub reaches the database over it.
    pub(crate) fn settings(&self, user: &str, database: &str) -> tokio_postgres::Config {
        let mut settings = tokio_postgres::Config::new();
        settings.host("127.0.0.1").port(self.address.port()).user(user).dbname(database);
        settings
    }

    /// Cuts the wire at the `n`th message from now on.
    pub(crate) fn arm(&self, n: u64, cut: Cut) {
        let mut state = self.shared.state();
        (state.sent, state.armed, state.happened, state.heals) = (0, Some((n, cut)), false, false);
    }

    /// The next cut is over in the moment in which it happens: every connection is lost, and new
    /// ones can be had.
    pub(crate) fn heal_at_once(&self) {
        self.shared.state().heals = true;
    }

    /// Takes the order to cut back; whether it had happened.
    pub(crate) fn disarm(&self) -> bool {
        let mut state = self.shared.state();
        state.armed = None;
        state.happened
    }

    /// Makes it whole.
    pub(crate) fn mend(&self) {
        self.disarm();
        let _same = self.shared.cut.send_replace(false);
    }

    /// Waits until it is cut.
    pub(crate) async fn severed(&self) {
        self.shared.cut.subscribe().wait_for(|cut| *cut).await.unwrap();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a message of the hub; how the wire is cut there, if it is.
    fn count(&self) -> Option<Cut> {
        let mut state = self.state();
        state.sent += 1;
        match state.armed {
            Some((n, cut)) if n == state.sent => Some(cut),
            _ => None,
        }
    }

    /// The armed cut happens.
    fn strike(&self) {
        let heals = {
            let mut state = self.state();
            state.armed = None;
            state.happened = true;
            state.heals
        };
        if !heals {
            let _same = self.cut.send_replace(true);
        }
        self.sever();
    }

    fn sever(&self) {
        let connections = std::mem::take(&mut self.state().connections);
        connections.iter().for_each(AbortHandle::abort);
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut carried = JoinSet::new();
    while let Ok((hub, _)) = listener.accept().await {
        let task = carried.spawn(carry(hub, Arc::clone(&shared)));
        shared.state().connections.push(task);
        while carried.try_join_next().is_some() {}
    }
}

/// Carries one connection until either side closes it or it is cut.
async fn carry(mut hub: TcpStream, shared: Arc<Shared>) {
    if *shared.cut.borrow() {
        return;
    }
    let Ok(mut database) = UnixStream::connect(&shared.socket).await else { return };
    let _best_effort = hub.set_nodelay(true);
    let (mut frames, mut answer) = (Frames::default(), vec![0; 64 * 1024]);
    let mut asked = vec![0; 64 * 1024];
    loop {
        tokio::select! {
            read = hub.read(&mut asked) => {
                let Ok(length @ 1..) = read else { return };
                frames.waiting.extend_from_slice(&asked[..length]);
                while let Some((frame, is_asked)) = frames.next() {
                    let cut = if is_asked { shared.count() } else { None };
                    if cut == Some(Cut::Before) {
                        return shared.strike();
                    }
                    if database.write_all(&frame).await.is_err() {
                        return;
                    }
                    if cut == Some(Cut::After) {
                        until_ready(&mut database).await;
                        return shared.strike();
                    }
                }
            }
            read = database.read(&mut answer) => {
                let Ok(length @ 1..) = read else { return };
                if hub.write_all(&answer[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Swallows an answer to its end: the database is ready for the next question.
async fn until_ready(database: &mut UnixStream) {
    let (mut answer, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
    while !answer.ends_with(b"Z\0\0\0\x05I")
        && !answer.ends_with(b"Z\0\0\0\x05T")
        && !answer.ends_with(b"Z\0\0\0\x05E")
    {
        let Ok(length @ 1..) = database.read(&mut chunk).await else { return };
        answer.extend_from_slice(&chunk[..length]);
    }
}

/// What the hub sends, in messages of the protocol.
#[derive(Default)]
struct Frames {
    waiting: Vec<u8>,
    begun: bool,
}

impl Frames {
    /// The next whole message, and whether it is one that the database answers (a query or a sync).
    fn next(&mut self) -> Option<(Vec<u8>, bool)> {
        let kind = usize::from(self.begun);
        let length: [u8; 4] = self.waiting.get(kind..kind + 4)?.try_into().unwrap();
        let whole = kind + usize::try_from(u32::from_be_bytes(length)).unwrap();
        if self.waiting.len() < whole {
            return None;
        }
        let is_asked = self.begun && matches!(self.waiting[0], b'Q' | b'S');
        self.begun = true;
        Some((self.waiting.drain(..whole).collect(), is_asked))
    }
}
