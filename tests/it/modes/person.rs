//! An order that one named person alone may pay. Who it is stands nowhere in clear: neither in the
//! database nor in the log.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::personal::Personal;
use payhub::demo::{ALIPAY, WECHAT};
use sandbox::{Pay, Person};
use serde_json::json;

use super::{given_back, placed, told};
use crate::harness::{World, word};

const NAME: &str = "欧阳实名";
const ID_NO: &str = "11010519491231002X";

fn person(name: &str, id_no: &str) -> Option<Person> {
    Some(Person { name: Personal::new(name), id_no: Personal::new(id_no), document: None })
}

/// What the log is allowed to say here, far more than an operator asks for.
const LOUD: &str =
    "info,payhub=trace,adapters=trace,callbacks=trace,tokio_postgres=debug,reqwest=debug";
static LINES: AtomicUsize = AtomicUsize::new(0);
static SHOWN: AtomicUsize = AtomicUsize::new(0);

/// The log of this process: counted, and looked through for the person.
struct Log;

impl io::Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LINES.fetch_add(1, Ordering::SeqCst);
        let text = String::from_utf8_lossy(line);
        if text.contains(NAME) || text.contains(ID_NO) {
            SHOWN.fetch_add(1, Ordering::SeqCst);
        }
        Ok(line.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How many rows of the whole database show a text in clear.
async fn shown(world: &World, text: &str) -> i64 {
    let database = world.database().await;
    let tables = database
        .query("SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public'", &[])
        .await
        .unwrap();
    assert!(tables.len() > 10);
    let mut found = 0;
    for table in tables {
        let table: String = table.get(0);
        // Bytes are shown as hexadecimal digits: a text in them is looked for in both ways.
        let query = format!(
            "SELECT count(*) FROM {table} AS t WHERE position($1 in to_jsonb(t)::text) > 0
                OR position(encode(convert_to($1, 'UTF8'), 'hex') in to_jsonb(t)::text) > 0"
        );
        found += database.query_one(&query, &[&text]).await.unwrap().get::<_, i64>(0);
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_named_person_pays_and_nobody_else_does() {
    let log = tracing_subscriber::fmt().with_env_filter(LOUD).with_writer(|| Log);
    log.try_init().unwrap();
    let world = World::open().await;
    for merchant in [WECHAT, ALIPAY] {
        let who = json!({"payer": {"identity": {"name": NAME, "id_no": ID_NO}}});
        let (fee, order) = placed(&world, merchant, merchant, who).await;
        let by =
            |payer| Pay { out_trade_no: word(&order, "out_trade_no"), payer, ..Pay::default() };
        for other in [person("欧阳实", ID_NO), person(NAME, "110101198001010010")] {
            let refused = world.sandbox.engine().pay_as(&by(other));
            assert!(refused.is_err(), "{merchant}: {refused:?}");
        }
        world.settle().await.unwrap();
        assert_eq!(world.fee_status(&fee).await, "issued", "{merchant}");
        world.sandbox.engine().pay_as(&by(person(NAME, ID_NO))).unwrap();
        world.settle().await.unwrap();
        told(&world, &fee, &order).await;
        given_back(&world, &fee, &order).await;
    }
    // Before the look at the database, which puts them into queries of its own.
    assert!(LINES.load(Ordering::SeqCst) > 0, "there is a log");
    assert_eq!(SHOWN.load(Ordering::SeqCst), 0);
    for text in [NAME, ID_NO] {
        assert_eq!(shown(&world, text).await, 0, "{text}");
    }
    assert!(shown(&world, "撤回").await > 0, "the look finds what is there");
    world.finish().await;
}
