//! The edge where callbacks come in, over real sockets: whoever sends slowly, much or rubbish keeps
//! no good callback from its answer.

use std::time::{Duration, Instant};

use ::sandbox::Sealed;
use futures_util::future::join_all;
use payhub::demo::WECHAT;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::World;
use crate::intake::{paid_unheard, say, taken};

/// A connection over which a callback of `length` bytes was begun.
async fn begun(world: &World, length: usize) -> TcpStream {
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    let head = format!(
        "POST /callbacks/{WECHAT} HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// How many of these connections found no room, or none any more, once the hub has looked at each.
async fn told_to_come_again(streams: &mut [TcpStream]) -> usize {
    let answers = streams.iter_mut().map(|stream| async {
        let mut first = [0; 12];
        let answer = tokio::time::timeout(Duration::from_secs(4), stream.read_exact(&mut first));
        match answer.await {
            Ok(Ok(_)) => {
                assert_eq!(std::str::from_utf8(&first[9..]).unwrap(), "503");
                true
            }
            Ok(Err(_cut)) => true,
            Err(_still_held) => false,
        }
    });
    join_all(answers).await.into_iter().filter(|told| *told).count()
}

/// The status of an answer; `None` where the connection ended without one.
async fn status(stream: &mut TcpStream) -> Option<u16> {
    let mut head = [0; 12];
    tokio::time::timeout(Duration::from_secs(20), stream.read_exact(&mut head))
        .await
        .expect("an answer within 20 seconds")
        .ok()?;
    std::str::from_utf8(&head[9..]).unwrap().parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_sends_his_body_too_slowly_is_cut_off_and_holds_nobody_up() {
    let world = World::open().await;
    let numbers = paid_unheard(&world, WECHAT, 1).await;
    let since = Instant::now();
    let mut silent = begun(&world, 1000).await;
    silent.write_all(b"{").await.unwrap();
    let mut dripping = begun(&world, 1000).await;
    let drops = async {
        // One byte after the other is not coming either.
        while dripping.write_all(b" ").await.is_ok() && since.elapsed().as_secs() < 20 {
            let answered = tokio::time::timeout(Duration::from_millis(200), dripping.readable());
            if answered.await.is_ok() {
                break;
            }
        }
        status(&mut dripping).await
    };
    let good = say(&world, WECHAT, &numbers[0]);
    let (slow, drops) = tokio::join!(status(&mut silent), drops);
    assert_eq!((slow, drops), (Some(408), Some(408)));
    assert!((9..15).contains(&since.elapsed().as_secs()), "{:?}", since.elapsed());
    assert_eq!(good.await.unwrap(), taken(WECHAT));
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), silent.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the connection is not kept");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_long_bodies_find_no_room_and_take_none_from_callbacks() {
    let world = World::open_with("[callbacks]\nmost_bytes = 4194304\n").await;
    let numbers = paid_unheard(&world, WECHAT, 1).await;
    let long = vec![b' '; 250_000];
    let mut streams = Vec::new();
    for _ in 0..12 {
        let mut stream = begun(&world, 260_000).await;
        // The hub may have answered already.
        let _refused = stream.write_all(&long).await;
        streams.push(stream);
    }
    // A million bytes are for bodies that are not whole: four fit, and the first are told to come again.
    let told = told_to_come_again(&mut streams).await;
    assert!((8..=9).contains(&told), "{told} of 12 found no room");
    assert_eq!(say(&world, WECHAT, &numbers[0]).await.unwrap(), taken(WECHAT));
    drop(streams);
    world.finish().await;
}

/// A callback over a connection of its own, its body in two pieces with `between` in the middle.
async fn in_two_pieces(
    world: &World,
    number: &str,
    between: impl Future<Output = ()>,
) -> Option<u16> {
    let Sealed { headers, body, .. } = world.sandbox.engine().sealed_callback(number).unwrap();
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    let mut head = format!("POST /callbacks/{WECHAT} HTTP/1.1\r\nHost: hub\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    let (first, second) = body.split_at(body.len() / 2);
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(first).await.unwrap();
    between.await;
    stream.write_all(second).await.unwrap();
    status(&mut stream).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_bodies_that_never_end_keep_no_callback_from_its_place() {
    // A million bytes are for bodies that are not whole: sixty-four of these.
    let world = World::open_with("[callbacks]\nmost_bytes = 4194304\n").await;
    let numbers = paid_unheard(&world, WECHAT, 3).await;
    let mut streams = Vec::new();
    for _ in 0..1000 {
        let mut stream = begun(&world, 16_384).await;
        let _cut_off = stream.write_all(&[b' '; 16_383]).await;
        streams.push(stream);
    }
    let told = told_to_come_again(&mut streams).await;
    assert!(told >= 936, "{told} of 1000 found no room");
    assert_eq!(say(&world, WECHAT, &numbers[0]).await.unwrap(), taken(WECHAT));
    // In the time between its pieces others begin, and are no older than it.
    let others = async {
        for _ in 0..32 {
            let mut stream = begun(&world, 16_384).await;
            let _cut_off = stream.write_all(&[b' '; 16_383]).await;
            streams.push(stream);
        }
        assert_eq!(say(&world, WECHAT, &numbers[1]).await.unwrap(), taken(WECHAT));
    };
    assert_eq!(in_two_pieces(&world, &numbers[2], others).await, Some(200));
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 3);
    drop(streams);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_rubbish_starves_no_callback_and_holds_one_connection_at_most() {
    let world = World::open().await;
    let numbers = paid_unheard(&world, WECHAT, 20).await;
    // What is refused cannot be written for now: no answer waits for it.
    let held = world.database().await;
    held.batch_execute("BEGIN; LOCK TABLE refused_callbacks IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let floods: Vec<_> = (0..64)
        .map(|at| {
            let (client, url) =
                (world.client().clone(), world.url(&format!("/callbacks/{WECHAT}")));
            let stopped = stopped.clone();
            tokio::spawn(async move {
                let mut refused = 0_u32;
                while !*stopped.borrow() {
                    let request = client
                        .post(&url)
                        .header("Wechatpay-Serial", format!("PUB_KEY_ID_{at}"))
                        .body("{\"forged\":true}");
                    let answer = request.send().await.unwrap();
                    assert_eq!(answer.status().as_u16(), 401);
                    refused += 1;
                }
                refused
            })
        })
        .collect();
    let mut slowest = Duration::ZERO;
    for number in &numbers {
        let since = Instant::now();
        assert_eq!(say(&world, WECHAT, number).await.unwrap(), taken(WECHAT));
        slowest = slowest.max(since.elapsed());
    }
    let waits = "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'payhub' AND wait_event_type = 'Lock'";
    world.becomes(waits, 1).await;
    stop.send(true).unwrap();
    let mut refused = 0;
    for flood in floods {
        refused += flood.await.unwrap();
    }
    assert!(refused > 500, "{refused} is no flood");
    assert!(slowest < Duration::from_secs(3), "{slowest:?} beside {refused} refused ones");
    held.batch_execute("ROLLBACK").await.unwrap();
    let kept = "SELECT (count(*) BETWEEN 1 AND 200)::int::bigint FROM refused_callbacks";
    world.becomes(kept, 1).await;
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 20);
    drop(held);
    world.finish().await;
}
