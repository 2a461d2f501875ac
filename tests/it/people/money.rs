//! Remedies that move money in the books: write-offs and forced matches.

use domain::Fen;
use domain::difference::Remedy;
use payhub::demo::WECHAT;
use payhub::differences::{Doing, Proposal};
use payhub::ledger;
use sandbox::Action;
use serde_json::json;

use super::{NEXT_MORNING, act, difference, remedy, spoil, two_differences};
use crate::harness::{World, at, word};

const ENTRIES: &str = "SELECT count(*) FROM journal_entries WHERE kind LIKE '%written_off'";
const BACK: &str = "SELECT count(*) FROM journal_entries WHERE kind LIKE '%taken_back'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_off_posts_one_entry_and_its_reopening_takes_it_back() {
    let (world, id, _) = two_differences().await;
    act(&world, &id, Doing::Assign { to: "张三" }, "李四").await;
    let of = |fen: i64| {
        let amount = Some(Fen::new(fen));
        let (refund_id, with) = (None, None);
        Doing::Propose(Proposal { remedy: Remedy::WriteOff, amount, refund_id, with })
    };
    assert_eq!(act(&world, &id, of(7999), "张三").await, "remedy_invalid", "not a part of it");
    for round in 1..=2 {
        assert_eq!(act(&world, &id, of(8000), "张三").await, "proposed");
        assert_eq!(act(&world, &id, Doing::WriteOff, "张三").await, "difference_conflict");
        assert_eq!(act(&world, &id, Doing::Approve, "李四").await, "approved");
        assert_eq!(act(&world, &id, Doing::Resolve, "张三").await, "difference_conflict");
        // Two hubs at once post one entry.
        let (one, two) = tokio::join!(
            act(&world, &id, Doing::WriteOff, "张三"),
            act(&world, &id, Doing::WriteOff, "王五")
        );
        let mut outcomes = [one, two];
        outcomes.sort();
        assert_eq!(outcomes, ["difference_conflict", "written_off"]);
        assert_eq!(world.count(ENTRIES).await, round);
        assert_eq!(world.count(BACK).await, round - 1);
        assert_eq!(ledger::verify(&world.hub).await.unwrap().breaks, [""; 0]);
        if round == 1 {
            // Two wrote it off: one alone does not take it up again, under whatever spelling.
            assert_eq!(act(&world, &id, Doing::Reopen, "李四").await, "written_off");
            assert_eq!(act(&world, &id, Doing::Reopen, "李 四").await, "same_person");
            assert_eq!(world.count(BACK).await, 0);
            taken_up_again_by_hand(&world, &id).await;
            assert_eq!(act(&world, &id, Doing::Reopen, "张三").await, "open");
            assert_eq!(act(&world, &id, Doing::Reopen, "李四").await, "difference_conflict");
            assert_eq!(world.count(BACK).await, 1);
            act(&world, &id, Doing::Assign { to: "张三" }, "李四").await;
        }
    }
    let client = world.database().await;
    let lines = "SELECT debit, credit, amount_fen FROM journal_lines JOIN journal_entries USING (merchant_id, seq)
                  WHERE kind = 'short_written_off'";
    let line = client.query(lines, &[]).await.unwrap().remove(0);
    let (debit, credit, fen): (String, String, i64) = (line.get(0), line.get(1), line.get(2));
    assert_eq!((debit.as_str(), credit.as_str(), fen), ("write_offs", "provider_clearing", 8000));
    // An entry that nobody's step tells of, and a step without its entry, are found.
    for hand in [
        "DELETE FROM difference_steps WHERE event = 'written_off'",
        "UPDATE difference_steps SET amount_fen = 1 WHERE event = 'written_off'",
        "UPDATE differences SET status = 'open' WHERE status = 'written_off'",
    ] {
        let hand = format!("BEGIN; SET LOCAL session_replication_role = replica; {hand}");
        client.batch_execute(&hand).await.unwrap();
        let mut found = 0;
        for (name, text) in payhub::store::sql::ALL {
            if name.starts_with("breaks_of_") {
                found += client.query(*text, &[]).await.unwrap().len();
            }
        }
        client.batch_execute("ROLLBACK").await.unwrap();
        assert!(found > 0, "{hand}");
    }
    drop(client);
    world.finish().await;
}

/// The database refuses one alone as well.
async fn taken_up_again_by_hand(world: &World, id: &str) {
    let client = world.database().await;
    let by_hand = format!(
        "INSERT INTO difference_steps (difference_id, position, event, \"by\", reason, told_at)
         SELECT difference_id, max(position) + 1, 'reopened', '李四 ', 'x', max(told_at)
           FROM difference_steps WHERE difference_id = '{id}' GROUP BY difference_id"
    );
    let refused = client.batch_execute(&by_hand).await.unwrap_err();
    let rule = refused.as_db_error().unwrap().constraint().unwrap_or_default();
    assert_eq!(rule, "nobody_takes_a_write_off_up_again_alone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forced_match_does_not_end_what_others_agreed_to_on_the_other_side() {
    let (world, missing, extra) = two_differences().await;
    for id in [&missing, &extra] {
        act(&world, id, Doing::Assign { to: "张三" }, "李四").await;
    }
    let (amount, refund_id, with) = (None, None, Some(extra.as_str()));
    let forced = Doing::Propose(Proposal { remedy: Remedy::ForceMatch, amount, refund_id, with });
    act(&world, &missing, forced, "张三").await;
    act(&world, &missing, Doing::Approve, "李四").await;
    // Meanwhile others agree that the other side is written off.
    act(&world, &extra, remedy(Remedy::WriteOff), "王五").await;
    act(&world, &extra, Doing::Approve, "李四").await;
    let matching = Doing::ForceMatch { with: &extra };
    assert_eq!(act(&world, &missing, matching, "张三").await, "difference_conflict");
    assert_eq!(word(&difference(&world, &extra).await, "status"), "approved");
    // Once that is declined, it ends.
    act(&world, &extra, remedy(Remedy::Park), "王五").await;
    assert_eq!(act(&world, &missing, matching, "张三").await, "difference_conflict");
    act(&world, &extra, Doing::Decline, "李四").await;
    assert_eq!(act(&world, &missing, matching, "张三").await, "resolved");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forced_match_consumes_both_rows_once() {
    let (world, missing, extra) = two_differences().await;
    for id in [&missing, &extra] {
        act(&world, id, Doing::Assign { to: "张三" }, "李四").await;
    }
    let with = |with| {
        let (amount, refund_id) = (None, None);
        Doing::Propose(Proposal { remedy: Remedy::ForceMatch, amount, refund_id, with })
    };
    assert_eq!(act(&world, &missing, with(None), "张三").await, "remedy_invalid");
    assert_eq!(act(&world, &missing, with(Some(&missing)), "张三").await, "remedy_invalid");
    assert_eq!(act(&world, &missing, with(Some(&extra)), "张三").await, "proposed");
    assert_eq!(act(&world, &extra, with(Some(&missing)), "王五").await, "proposed");
    let matching = |other| Doing::ForceMatch { with: other };
    assert_eq!(act(&world, &missing, matching(&extra), "张三").await, "difference_conflict");
    for id in [&missing, &extra] {
        assert_eq!(act(&world, id, Doing::Approve, "李四").await, "approved");
    }
    assert_eq!(act(&world, &missing, Doing::Resolve, "张三").await, "difference_conflict");
    assert_eq!(act(&world, &missing, matching(&missing), "张三").await, "difference_conflict");
    // From both sides at once: the rows are used up once.
    let (one, two) = tokio::join!(
        act(&world, &missing, matching(&extra), "张三"),
        act(&world, &extra, matching(&missing), "王五")
    );
    let mut outcomes = [one, two];
    outcomes.sort();
    assert_eq!(outcomes, ["difference_conflict", "resolved"]);
    for id in [&missing, &extra] {
        assert_eq!(word(&difference(&world, id).await, "status"), "resolved");
    }
    let matched = "SELECT count(*) FROM difference_steps WHERE event = 'matched'";
    assert_eq!(world.count(matched).await, 1);
    let client = world.database().await;
    let by_hand =
        "INSERT INTO difference_steps (difference_id, position, event, \"by\", other_id, told_at)
                   SELECT difference_id, position + 1, 'matched', '张三', other_id, told_at
                     FROM difference_steps WHERE event = 'matched'";
    let refused = client.execute(by_hand, &[]).await.unwrap_err();
    let rule = refused.as_db_error().unwrap().constraint().unwrap_or_default();
    assert_eq!(rule, "what_is_over_is_taken_up_again_first");
    drop(client);
    // Taken up again, both are.
    assert_eq!(act(&world, &extra, Doing::Reopen, "李四").await, "open");
    assert_eq!(word(&difference(&world, &missing).await, "status"), "open");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_two_sides_of_one_payment_is_not_matched() {
    let world = World::open().await;
    let (_, _, one) = world.paid(WECHAT, "1").await;
    let (_, _, two) = world.paid(WECHAT, "2").await;
    spoil(&world, Action::MissingRow, &one);
    spoil(&world, Action::ChangedRow, &two);
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    let (_, list) = world.get("/v1/differences").await.unwrap();
    let ids: Vec<String> =
        list["data"].as_array().unwrap().iter().map(|one| word(one, "id")).collect();
    let [first, second] = ids.as_slice() else { panic!("{list}") };
    act(&world, first, Doing::Assign { to: "张三" }, "李四").await;
    let (amount, refund_id, with) = (None, None, Some(second.as_str()));
    let matched = Proposal { remedy: Remedy::ForceMatch, amount, refund_id, with };
    assert_eq!(act(&world, first, Doing::Propose(matched), "张三").await, "remedy_invalid");
    // The differing amount is what is written off, not the whole.
    act(&world, second, Doing::Assign { to: "张三" }, "李四").await;
    assert_eq!(act(&world, second, remedy(Remedy::WriteOff), "张三").await, "proposed");
    let proposed = difference(&world, second).await["steps"][1]["amount_fen"].clone();
    assert_eq!(proposed, json!(100));
    // The database counts as the program does.
    for (id, apart) in [(first, -8000), (second, 100)] {
        assert_eq!(difference(&world, id).await["apart_fen"], json!(apart));
        assert_eq!(world.count(&format!("SELECT difference_apart('{id}')")).await, apart);
    }
    world.finish().await;
}
