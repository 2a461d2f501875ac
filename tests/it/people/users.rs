//! Users: until the first one names are believed, and from then on only who is one, enabled, and of
//! a role that allows it.

use domain::difference::Remedy;
use domain::personal::Secret;
use domain::sign_off::SignOffStep::{self, Prepared, ReopenAsked, Reopened, Reviewed};
use domain::user::UserRole::{self, Admin, Approver, Auditor, Cashier, Preparer, Reviewer};
use payhub::demo::WECHAT;
use payhub::differences::Doing;
use payhub::refunds::{self, Decision};
use payhub::sign_off::{Signing, sign};
use payhub::users;
use serde_json::json;

use super::{act, remedy, two_differences};
use crate::harness::{World, word};

fn password() -> Secret {
    Secret::new("correct horse battery")
}

async fn add(world: &World, name: &str, roles: &[UserRole]) -> String {
    match users::add(&world.hub, name, roles, &password()).await {
        Ok(user) => user.name,
        Err(fault) => fault.code.to_owned(),
    }
}

async fn step(world: &World, run: &str, step: SignOffStep, by: &str) -> String {
    let reason = step.needs_reason().then_some("数据有误");
    match sign(&world.hub, run, &Signing { step, by, reason }).await {
        Ok(run) => run.sign_off,
        Err(fault) => fault.code.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn until_the_first_user_names_are_believed() {
    let (world, id, _) = two_differences().await;
    assert_eq!(act(&world, &id, Doing::Assign { to: "谁也不是" }, "某某").await, "assigned");
    assert_eq!(add(&world, "张三", &[Preparer]).await, "张三");
    assert_eq!(act(&world, &id, remedy(Remedy::Park), "某某").await, "user_not_allowed");
    assert_eq!(act(&world, &id, remedy(Remedy::Park), " 张 三").await, "proposed");
    let by = "SELECT count(*) FROM difference_steps WHERE event = 'proposed' AND \"by\" = '张三'";
    assert_eq!(world.count(by).await, 1, "the name of the user is on record");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_without_the_role_is_refused() {
    let (world, id, _) = two_differences().await;
    for (name, roles) in [
        ("制单甲", [Preparer].as_slice()),
        ("复核乙", &[Reviewer]),
        ("审批丙", &[Approver]),
        ("出纳丁", &[Cashier]),
        ("审计戊", &[Auditor]),
        ("管理己", &[Admin]),
    ] {
        assert_eq!(add(&world, name, roles).await, name);
    }
    let path = format!("/v1/reconciliations?date=2018-11-30&merchant_id={WECHAT}");
    let run = word(&world.get(&path).await.unwrap().1["data"][0], "id");
    for by in ["复核乙", "审批丙", "出纳丁", "审计戊", "管理己", "陌生人"] {
        assert_eq!(step(&world, &run, Prepared, by).await, "user_not_allowed", "{by}");
    }
    assert_eq!(step(&world, &run, Prepared, "制单甲").await, "prepared");
    for by in ["制单甲", "审批丙", "出纳丁", "审计戊", "管理己"] {
        assert_eq!(step(&world, &run, Reviewed, by).await, "user_not_allowed", "{by}");
    }
    assert_eq!(step(&world, &run, Reviewed, "复核乙").await, "reviewed");
    // Of the two who open it again, one must be a reviewer.
    assert_eq!(step(&world, &run, ReopenAsked, "制单甲").await, "reviewed");
    assert_eq!(step(&world, &run, Reopened, "审批丙").await, "user_not_allowed");
    assert_eq!(step(&world, &run, Reopened, "复核乙").await, "reopened");
    let assign = |to| Doing::Assign { to };
    assert_eq!(act(&world, &id, assign("制单甲"), "出纳丁").await, "user_not_allowed");
    assert_eq!(act(&world, &id, assign("审计戊"), "复核乙").await, "user_not_allowed");
    assert_eq!(act(&world, &id, assign("制单甲"), "复核乙").await, "assigned");
    assert_eq!(act(&world, &id, remedy(Remedy::Park), "审批丙").await, "user_not_allowed");
    assert_eq!(act(&world, &id, remedy(Remedy::Park), "制单甲").await, "proposed");
    assert_eq!(act(&world, &id, Doing::Approve, "复核乙").await, "user_not_allowed");
    users::disable(&world.hub, "审批丙").await.unwrap();
    assert_eq!(act(&world, &id, Doing::Approve, "审批丙").await, "user_not_allowed");
    world.close_only().await;
}

/// A refund of a fresh payment.
async fn refund(world: &World) -> String {
    let (_, order, _) = world.paid(WECHAT, "9").await;
    let body = json!({"amount_fen": 1000, "reason": "多收"});
    let (_, asked) = world.post(&format!("/v1/orders/{order}/refunds"), &body).await.unwrap();
    word(&asked, "id")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_decides_on_a_refund_is_an_approver_and_it_is_on_the_trail() {
    let world = World::open_with("[policy]\nrefund_approval = \"always\"\n").await;
    add(&world, "审批丙", &[Approver]).await;
    add(&world, "制单甲", &[Preparer]).await;
    let id = refund(&world).await;
    let refused = refunds::decide(&world.hub, &id, Decision::Approve, "制单甲").await.unwrap_err();
    assert_eq!((refused.status, refused.code), (403, "user_not_allowed"));
    refunds::decide(&world.hub, &id, Decision::Approve, "审批丙").await.unwrap();
    let on_trail = format!(
        "SELECT count(*) FROM audit_entries WHERE action = 'refund.approved' AND subject = '{id}' AND \"by\" = '审批丙'"
    );
    assert_eq!(world.count(&on_trail).await, 1);
    world.seconds(120).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_that_clash_are_refused_by_the_program_and_by_the_database() {
    let world = World::open().await;
    for roles in [[Cashier, Reviewer], [Auditor, Preparer], [Admin, Approver]] {
        assert_eq!(add(&world, "张三", &roles).await, "roles_clash", "{roles:?}");
    }
    assert_eq!(add(&world, "张\u{200b}三", &[Preparer]).await, "by_invalid");
    assert_eq!(add(&world, "张三", &[Preparer, Reviewer]).await, "张三");
    assert_eq!(add(&world, "张 三", &[Cashier]).await, "user_taken", "the same person");
    let client = world.database().await;
    for (roles, rule) in [
        ("{auditor,preparer}", "an_auditor_and_an_admin_do_nothing_else"),
        ("{admin,cashier}", "an_auditor_and_an_admin_do_nothing_else"),
        ("{cashier,reviewer}", "a_cashier_does_not_check"),
        ("{boss}", "a_role_is_known"),
        ("{}", "a_role_is_known"),
    ] {
        let by_hand = format!("UPDATE users SET roles = '{roles}'");
        let refused = client.execute(&by_hand, &[]).await.unwrap_err();
        assert_eq!(refused.as_db_error().unwrap().constraint(), Some(rule), "{roles}");
    }
    let clear = client.execute("UPDATE users SET password_hash = 'secret'", &[]).await.unwrap_err();
    assert_eq!(clear.as_db_error().unwrap().constraint(), Some("no_password_is_kept"));
    drop(client);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_logs_in_knows_the_password_and_is_enabled() {
    let world = World::open().await;
    add(&world, "张三", &[Preparer]).await;
    let login = |name: &'static str, password: &'static str| {
        let world = &world;
        async move {
            let password = Secret::new(password);
            users::verify(&world.hub, name, &password).await.unwrap().map(|user| user.name)
        }
    };
    assert_eq!(login("张三", "correct horse battery").await.as_deref(), Some("张三"));
    for (name, password) in [
        ("张三", "correct horse batterx"),
        ("张三", ""),
        ("李四", "correct horse battery"),
        ("", ""),
    ] {
        assert_eq!(login(name, password).await, None, "{name} {password}");
    }
    let kept = "SELECT count(*) FROM users WHERE to_jsonb(users)::text LIKE '%horse%'";
    assert_eq!(world.count(kept).await, 0, "no password is kept");
    let short = users::set_password(&world.hub, "张三", &Secret::new("short")).await.unwrap_err();
    assert_eq!(short.code, "password_invalid");
    users::set_password(&world.hub, "张三", &Secret::new("another one, please")).await.unwrap();
    assert_eq!(login("张三", "correct horse battery").await, None);
    assert_eq!(login("张三", "another one, please").await.as_deref(), Some("张三"));
    users::disable(&world.hub, "张三").await.unwrap();
    assert_eq!(login("张三", "another one, please").await, None);
    assert_eq!(users::disable(&world.hub, "张三").await.unwrap_err().status, 404);
    let trail =
        "SELECT count(*) FROM audit_entries WHERE action LIKE 'user.%' AND subject = '张三'";
    assert_eq!(world.count(trail).await, 3);
    world.finish().await;
}
