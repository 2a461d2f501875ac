//! What is under way goes on whatever is waited for; what comes due is claimed as long as anything is
//! under way; and a shift that is over begins nothing.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use tokio::sync::{Notify, Semaphore, watch};

use super::*;
use crate::hub::Health;

/// Nothing is leased.
async fn free(_items: Vec<u32>) -> Result<(), Fault> {
    Ok(())
}

#[tokio::test]
async fn one_that_hangs_holds_up_no_other_and_there_are_never_more_than_allowed() {
    let due = RefCell::new((0..20).collect::<Vec<u32>>());
    let (hangs, at_once, most) = (Notify::new(), Cell::new(0_u32), Cell::new(0));
    let claim = |room: i64| {
        let mut due = due.borrow_mut();
        let kept = due.len().saturating_sub(usize::try_from(room).unwrap());
        let found = due.split_off(kept);
        async move { Ok(found) }
    };
    let work = |number: u32| {
        let (hangs, at_once, most, due) = (&hangs, &at_once, &most, &due);
        async move {
            at_once.set(at_once.get() + 1);
            most.set(most.get().max(at_once.get()));
            match number {
                19 => hangs.notified().await,
                0 => hangs.notify_one(),
                _ => tokio::task::yield_now().await,
            }
            assert!(number != 19 || due.borrow().is_empty());
            at_once.set(at_once.get() - 1);
        }
    };
    let done = keep_busy(3, &Shift::once(), claim, free, work).await;
    assert_eq!(done.map_err(|fault| fault.detail), Ok(20));
    assert_eq!(most.get(), 3);
}

#[tokio::test]
async fn what_is_under_way_goes_on_while_a_claim_waits_for_what_it_holds() {
    // One connection, which one of the first two holds for a while; the other is done at once, and
    // the next claim waits for the connection.
    let (pool, claims) = (Semaphore::new(1), Cell::new(0_u32));
    let claim = |_room: i64| {
        claims.set(claims.get() + 1);
        let (pool, is_first) = (&pool, claims.get() == 1);
        async move {
            let _connection = pool.acquire().await.unwrap();
            Ok(if is_first { vec![0, 1] } else { Vec::new() })
        }
    };
    let work = |number: u32| {
        let pool = &pool;
        async move {
            if number == 1 {
                let _connection = pool.acquire().await.unwrap();
                for _ in 0..1000 {
                    tokio::task::yield_now().await;
                }
            }
        }
    };
    let shift = Shift::once();
    let done = timeout(Duration::from_secs(5), keep_busy(3, &shift, claim, free, work)).await;
    assert_eq!(done.expect("nobody stands still").map_err(|fault| fault.detail), Ok(2));
    assert!(claims.get() > 1);
}

#[tokio::test]
async fn as_long_as_one_is_under_way_what_comes_due_is_claimed_and_its_lease_is_renewed() {
    let (claims, renewals, hangs) = (Cell::new(0_u32), Cell::new(0_u32), Notify::new());
    let claim = |_room: i64| {
        claims.set(claims.get() + 1);
        // The first hangs; whatever else comes due comes due late.
        let found = match claims.get() {
            1 => vec![0],
            200 => vec![1],
            _ => Vec::new(),
        };
        async move { Ok(found) }
    };
    let renew = |items: Vec<u32>| {
        assert_eq!(items.first(), Some(&0), "what is under way");
        renewals.set(renewals.get() + 1);
        async { Ok(()) }
    };
    let work = |number: u32| {
        let hangs = &hangs;
        async move {
            match number {
                0 => hangs.notified().await,
                _ => hangs.notify_one(),
            }
        }
    };
    let at_once = Rhythm { look: Duration::from_micros(100), renewal: Duration::ZERO };
    let done = keep(at_once, 2, &Shift::once(), claim, renew, work).await;
    assert_eq!(done.map_err(|fault| fault.detail), Ok(2));
    assert!(renewals.get() >= 199, "renewed {} times", renewals.get());
}

#[tokio::test]
async fn a_shift_that_is_over_ends_what_is_under_way_and_begins_nothing() {
    let (stop, stopped) = watch::channel(false);
    let beat = Health::default().begin("orders".into(), Duration::ZERO);
    let shift = Shift::of(stopped, Arc::clone(&beat));
    let (claims, ended) = (Cell::new(0_u32), Cell::new(0_u32));
    let claim = |_room: i64| {
        claims.set(claims.get() + 1);
        let number = claims.get();
        async move { Ok(vec![number]) }
    };
    let work = |number: u32| {
        let (stop, ended) = (&stop, &ended);
        async move {
            if number == 3 {
                stop.send(true).unwrap();
                tokio::task::yield_now().await;
            }
            ended.set(ended.get() + 1);
        }
    };
    let done = keep_busy(2, &shift, claim, free, work).await;
    let taken = done.map_err(|fault| fault.detail).unwrap();
    assert_eq!(taken, usize::try_from(claims.get()).unwrap(), "what was claimed");
    assert_eq!(ended.get(), claims.get(), "is done");
    assert!((3..=4).contains(&claims.get()), "and no more: {}", claims.get());
}

#[tokio::test]
async fn what_cannot_be_claimed_at_first_is_told() {
    let claim = |_room: i64| async { Err::<Vec<u32>, _>(Fault::unavailable("away")) };
    assert!(keep_busy(3, &Shift::once(), claim, free, |_number| async {}).await.is_err());
}
