//! Callbacks: notices of WeChat Pay and Alipay in turn, each verified, decrypted and durable with all its
//! rows before it is answered; beside two Node peers and the hub's own mode of one transaction each.

use std::net::SocketAddr;

use crate::database::Server;
use crate::given::{Given, Outcome};
use crate::load::{Connections, Measured};
use crate::notices::{Payable, signed};
use crate::serving::{self, HubSettings, Serving};
use crate::table::{Each, Row, Used, rounded};
use crate::{seed, stub};

/// The table that stands when one transaction takes one callback.
const ONE_EACH: &str = "[callbacks]\nper_commit = 1\n";
const TEMPLATE: &str = "callbacks_template";

/// What takes the callbacks.
#[derive(Clone, Copy)]
enum Receiver {
    /// The hub, with a further table of its configuration.
    Hub(&'static str),
    /// A Node peer: which rows it writes, in how many processes.
    Node(&'static str, usize),
}

struct Mode {
    name: &'static str,
    receiver: Receiver,
    connections: usize,
}

const MODES: [Mode; 8] = [
    Mode { name: "payhub, group commit", receiver: Receiver::Hub(""), connections: 32 },
    Mode { name: "payhub, a transaction each", receiver: Receiver::Hub(ONE_EACH), connections: 32 },
    Mode {
        name: "Node, the same rows, 1 process",
        receiver: Receiver::Node("full", 1),
        connections: 32,
    },
    Mode {
        name: "Node, the same rows, 2 processes",
        receiver: Receiver::Node("full", 2),
        connections: 32,
    },
    Mode {
        name: "Node, two rows, 1 process",
        receiver: Receiver::Node("lean", 1),
        connections: 32,
    },
    Mode {
        name: "Node, two rows, 2 processes",
        receiver: Receiver::Node("lean", 2),
        connections: 32,
    },
    Mode {
        name: "payhub, group commit, 8 connections",
        receiver: Receiver::Hub(""),
        connections: 8,
    },
    Mode {
        name: "payhub, group commit, 128 connections",
        receiver: Receiver::Hub(""),
        connections: 128,
    },
];

/// How much is sent.
struct Amount {
    warm: usize,
    measured: usize,
}

/// Runs them all: `count` callbacks measured with the hub (a quarter of them with a peer), after
/// `warm` that are not; `only` names modes by a part of their names.
pub async fn run(given: &Given) -> Outcome<()> {
    let count = given.or("count", 20_000)?;
    let warm = given.or("warm", 2_000)?;
    let server = Server::start(given).await?;
    let stub = stub::serve().await?;
    let orders = seed::orders(given, &server, TEMPLATE, stub, warm + count).await?;
    Row::head("callbacks, 32 connections where nothing is said");
    let mut rows = Vec::new();
    for (run, mode) in MODES.iter().filter(|mode| given.wants(mode.name)).enumerate() {
        let amount = match mode.receiver {
            Receiver::Hub(_) => Amount { warm, measured: count },
            Receiver::Node(..) => Amount { warm: warm / 2, measured: count / 4 },
        };
        let row = once(given, &server, stub, &orders, mode, &amount, run).await?;
        row.print();
        rows.push(row);
    }
    ratios(&rows);
    Ok(())
}

/// One mode, on a database of its own.
async fn once(
    given: &Given,
    server: &Server,
    stub: SocketAddr,
    orders: &[Payable],
    mode: &Mode,
    amount: &Amount,
    run: usize,
) -> Outcome<Row> {
    let database = format!("callbacks_{run}");
    server.clone(TEMPLATE, &database).await?;
    let mut receiver = start(given, server, stub, &database, mode.receiver).await?;
    let all = amount.warm + amount.measured;
    let notices = signed(orders.get(..all).unwrap_or(orders), run)?;
    let mut connections = Connections::open(receiver.address, mode.connections).await?;
    connections.send(&notices, 0..amount.warm).await?.must_succeed()?;
    let before = Used::now(receiver.process.id(), server);
    let measured = connections.send(&notices, amount.warm..all).await?;
    let each = before.each_until(Used::now(receiver.process.id(), server), amount.measured);
    measured.must_succeed()?;
    receiver.process.must_run()?;
    drop(connections);
    receiver.process.stop()?;
    check(given, server, &database, mode.receiver, all).await?;
    server.drop(&database).await?;
    Ok(row(mode.name, &measured, each))
}

fn row(name: &str, measured: &Measured, each: Each) -> Row {
    Row::of(name, measured, each)
}

async fn start(
    given: &Given,
    server: &Server,
    stub: SocketAddr,
    database: &str,
    receiver: Receiver,
) -> Outcome<Serving> {
    match receiver {
        Receiver::Hub(more) => {
            let table = format!("url = \"{}\"", server.url(database));
            let settings = HubSettings { database: &table, stub, role: "api", merchants: 1, more };
            serving::hub(given, &settings).await
        }
        Receiver::Node(rows, processes) => {
            let mut variables = peer_variables(server, database);
            variables.extend([("ROWS", rows.to_owned()), ("PROCESSES", processes.to_string())]);
            serving::peer(given, "callbacks.mjs", &variables).await
        }
    }
}

/// Where a peer finds database and keys.
pub fn peer_variables(server: &Server, database: &str) -> Vec<(&'static str, String)> {
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/keys");
    vec![
        ("PGHOST", server.socket().display().to_string()),
        ("PGUSER", server.user().to_owned()),
        ("PGDATABASE", database.to_owned()),
        ("KEYS", keys.to_owned()),
    ]
}

/// Fails unless each callback that was answered with success has all its rows.
async fn check(
    given: &Given,
    server: &Server,
    database: &str,
    receiver: Receiver,
    sent: usize,
) -> Outcome<()> {
    let client = server.connect(database).await?;
    let expected: &[(&str, usize)] = match receiver {
        Receiver::Node("lean", _) => &[("orders WHERE state = 'paid'", 1), ("events", 1)],
        Receiver::Hub(_) | Receiver::Node(..) => &[
            ("orders WHERE state = 'paid'", 1),
            ("callbacks", 1),
            ("payments", 1),
            ("payment_shares", 1),
            ("payment_balances", 1),
            ("fee_balances WHERE paid_fen = total_fen", 1),
            ("journal_entries", 1),
            ("journal_lines", 1),
            ("events WHERE type IN ('order.paid', 'fee.paid')", 2),
            ("notifications WHERE template = 'PAY.SUCCEEDED'", 1),
            ("deliveries WHERE kind = 'webhook'", 2),
            ("deliveries WHERE kind = 'sms'", 1),
        ],
    };
    for (rows, each) in expected {
        let found: i64 =
            client.query_one(&format!("SELECT count(*) FROM {rows}"), &[]).await?.get(0);
        // The one fee and order of each provider from which the others were copied told of
        // themselves before.
        if found < i64::try_from(sent * each)? {
            return Err(format!("{found} {rows}, but {sent} callbacks were answered").into());
        }
    }
    if matches!(receiver, Receiver::Hub(_)) && !serving::payhub(given, "verify-ledger")? {
        return Err("verify-ledger finds breaks".into());
    }
    Ok(())
}

/// How often the first row is faster, and with how much less processor time, than each other.
fn ratios(rows: &[Row]) {
    let Some((first, others)) = rows.split_first() else { return };
    println!(
        "\n| {} beside | times as many a second | times less CPU each |\n|---|---|---|",
        first.name
    );
    for other in others {
        println!(
            "| {} | {:.1} | {:.1} |",
            other.name,
            first.a_second / other.a_second,
            (other.each.server + other.each.database) / (first.each.server + first.each.database)
        );
    }
    let bound = 1e6 / first.each.all();
    println!(
        "\nAt {:.0} µs each in all, one core carries at most {} a second.",
        first.each.all(),
        rounded(bound)
    );
}
