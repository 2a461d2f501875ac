//! Load: keep-alive connections over raw TCP that send prepared requests, one after another, and
//! read just enough of each answer. All of them share one thread, so that little is taken from what
//! is loaded.

use std::cell::Cell;
use std::net::SocketAddr;
use std::ops::Range;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use crate::given::Outcome;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Open connections.
pub struct Connections(Vec<Connection>);

/// What a run of requests gave.
#[derive(Default)]
pub struct Measured {
    /// How long it took from the first request to the last answer.
    pub took: Duration,
    /// How long each answer took, in microseconds, sorted.
    pub micros: Vec<u32>,
    /// How many were answered other than with success.
    pub failed: usize,
    /// The first such answer.
    pub failure: Option<String>,
}

impl Measured {
    /// Successful requests a second.
    pub fn a_second(&self) -> f64 {
        (self.micros.len() - self.failed) as f64 / self.took.as_secs_f64()
    }

    /// The time within which so many thousandths of the answers came, in milliseconds.
    pub fn within(&self, thousandths: usize) -> f64 {
        let last = self.micros.len().saturating_sub(1);
        let at = (self.micros.len() * thousandths / 1000).min(last);
        self.micros.get(at).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
    }

    /// Fails unless every request succeeded.
    pub fn must_succeed(&self) -> Outcome<()> {
        match &self.failure {
            None => Ok(()),
            Some(why) => {
                Err(format!("{} of {} failed: {why}", self.failed, self.micros.len()).into())
            }
        }
    }

    /// Adds another run of the same requests.
    pub fn add(&mut self, other: Self) {
        self.took += other.took;
        self.micros.extend(other.micros);
        self.micros.sort_unstable();
        self.failed += other.failed;
        self.failure = self.failure.take().or(other.failure);
    }
}

impl Connections {
    /// Opens so many.
    pub async fn open(address: SocketAddr, count: usize) -> Outcome<Self> {
        let mut open = Vec::with_capacity(count);
        for _ in 0..count {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            open.push(Connection { stream, buffer: Vec::with_capacity(16 * 1024) });
        }
        Ok(Self(open))
    }

    /// Sends the requests of `range`, each once, as fast as they are answered.
    pub async fn send(
        &mut self,
        requests: &Rc<Vec<Vec<u8>>>,
        range: Range<usize>,
    ) -> Outcome<Measured> {
        self.send_at(requests, range, None).await
    }

    /// The same at a steady pace of so many a second.
    pub async fn send_at(
        &mut self,
        requests: &Rc<Vec<Vec<u8>>>,
        range: Range<usize>,
        a_second: Option<f64>,
    ) -> Outcome<Measured> {
        let next = Rc::new(Cell::new(range.start));
        let begun = Instant::now();
        let local = LocalSet::new();
        let tasks: Vec<_> = std::mem::take(&mut self.0)
            .into_iter()
            .map(|connection| {
                let turn = Turn {
                    next: Rc::clone(&next),
                    first: range.start,
                    end: range.end,
                    begun,
                    a_second,
                };
                local.spawn_local(connection.send(Rc::clone(requests), turn))
            })
            .collect();
        local.await;
        let took = begun.elapsed();
        let mut all = Measured::default();
        for task in tasks {
            let (connection, measured) = task.await??;
            self.0.push(connection);
            all.add(measured);
        }
        all.took = took;
        Ok(all)
    }
}

/// Who sends what next.
struct Turn {
    next: Rc<Cell<usize>>,
    first: usize,
    end: usize,
    begun: Instant,
    a_second: Option<f64>,
}

impl Turn {
    async fn take(&self) -> Option<usize> {
        let index = self.next.get();
        if index >= self.end {
            return None;
        }
        self.next.set(index + 1);
        if let Some(a_second) = self.a_second {
            let due = Duration::from_secs_f64((index - self.first) as f64 / a_second);
            tokio::time::sleep_until((self.begun + due).into()).await;
        }
        Some(index)
    }
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn send(mut self, requests: Rc<Vec<Vec<u8>>>, turn: Turn) -> Outcome<(Self, Measured)> {
        let mut measured = Measured::default();
        while let Some(index) = turn.take().await {
            let request = requests.get(index).ok_or("fewer requests than asked for")?;
            let begun = Instant::now();
            let answer = tokio::time::timeout(PATIENCE, self.ask(request)).await;
            let answer = answer.map_err(|_elapsed| "an answer did not come within a minute")??;
            measured.micros.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
            if !(200..300).contains(&answer.status) {
                measured.failed += 1;
                measured.failure.get_or_insert_with(|| {
                    format!("{}: {}", answer.status, String::from_utf8_lossy(answer.body))
                });
            }
        }
        Ok((self, measured))
    }

    async fn ask(&mut self, request: &[u8]) -> Outcome<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let (status, body) = loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server hung up".into());
            }
            if let Some((status, from, to)) = head(&self.buffer)
                && self.buffer.len() >= to
            {
                break (status, from..to);
            }
        };
        Ok(Answer { status, body: &self.buffer[body] })
    }
}

struct Answer<'a> {
    status: u16,
    body: &'a [u8],
}

/// Status, and where the body begins and ends, once the head is whole.
fn head(buffer: &[u8]) -> Option<(u16, usize, usize)> {
    let end = buffer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&buffer[..end]).ok()?;
    let status = head.get(9..12)?.parse().ok()?;
    let length = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let from = end + 4;
    Some((status, from, from + length.unwrap_or(0)))
}

/// A request as it goes over the wire.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// Asks once on a connection of its own: status and body.
pub async fn ask(address: SocketAddr, request: &[u8]) -> Outcome<(u16, Vec<u8>)> {
    let stream = TcpStream::connect(address).await?;
    let mut connection = Connection { stream, buffer: Vec::new() };
    let answer = tokio::time::timeout(PATIENCE, connection.ask(request)).await??;
    Ok((answer.status, answer.body.to_vec()))
}
