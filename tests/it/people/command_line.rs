//! The finance office at the command line: users, who may sign, the trail of it.

use domain::Clock as _;
use domain::time::business_day;
use payhub::clock::SystemClock;
use payhub::demo::WECHAT;

use crate::processes::town::Town;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_users_at_the_command_line() {
    let town = Town::open().await;
    let same = ("drain_s = 0", "drain_s = 0");
    let says = |words: &[&str]| {
        let done = town.command(words, same);
        let said = [done.stdout, done.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        (done.status.code().unwrap(), said)
    };
    assert_eq!(says(&["user", "list"]).1.trim(), "no users: every name is believed");
    let doctor = |says: String, told: &str| assert!(says.contains(told), "{told}: {says}");
    doctor(says(&["doctor"]).1, "WARN  users: none");
    let (code, said) = says(&["user", "add", "制单甲", "--role", "preparer,cashier"]);
    assert_eq!(code, 0, "{said}");
    let password = said.lines().find_map(|line| line.strip_prefix("password: ")).unwrap();
    assert_eq!(password.len(), 20);
    let (code, said) = says(&["user", "add", "复核乙", "--role", "reviewer", "--password-stdin"]);
    assert_eq!(code, 1, "nothing was given: {said}");
    assert!(said.contains("a password must have"), "{said}");
    assert_eq!(says(&["user", "add", "复核乙", "--role", "reviewer"]).0, 0);
    let (code, said) = says(&["user", "add", "丁", "--role", "cashier,reviewer"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("one person cannot be cashier and reviewer"), "{said}");
    assert_eq!(says(&["user", "add", "丁", "--role", "boss"]).0, 2);
    let (code, said) = says(&["user", "passwd", "制单甲"]);
    assert!(code == 0 && !said.contains(password), "{said}");
    doctor(says(&["doctor"]).1, "OK    users: 2 enabled");
    let day = business_day(SystemClock.now()).yesterday().unwrap().yesterday().unwrap().to_string();
    let day = ["reconcile", "--merchant", WECHAT, "--date", &day];
    let (code, said) = says(&[day.as_slice(), &["--user", "某某"]].concat());
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("there is no user \"某某\""), "{said}");
    let (code, said) = says(&[day.as_slice(), &["--user", "复核乙"]].concat());
    assert_eq!(code, 0, "{said}");
    let found = town.database().await.query_one("SELECT run_id FROM runs", &[]).await.unwrap();
    let run: String = found.get(0);
    let (code, said) = says(&["run", "prepare", &run, "--user", "复核乙"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("复核乙 is reviewer and may not prepare a run"), "{said}");
    assert_eq!(says(&["run", "prepare", &run, "--user", "制单甲"]).0, 0);
    assert_eq!(says(&["user", "disable", "复核乙"]).0, 0);
    let (code, said) = says(&["run", "review", &run, "--user", "复核乙"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("user 复核乙 is disabled"), "{said}");
    let (code, said) = says(&["difference", "list", "--older-than", "3"]);
    assert_eq!((code, said.trim()), (0, ""));
    let unknown = "dif_00000000000000000000000000000000";
    assert_eq!(says(&["difference", "approve", unknown, "--user", "制单甲"]).0, 2);
    let (code, said) = says(&["difference", "show", unknown]);
    assert_eq!((code, said.trim()), (1, "there is no such difference"));
    assert_eq!(says(&["key", "add", "other"]).0, 0);
    assert_eq!(says(&["key", "revoke", "other"]).0, 0);
    on_the_trail(&says, &run);
    town.finish().await;
}

/// What the test above did is on the trail, in order, and the trail is whole.
fn on_the_trail(says: &impl Fn(&[&str]) -> (i32, String), run: &str) {
    let (code, said) = says(&["audit", "list"]);
    assert_eq!(code, 0, "{said}");
    let told: Vec<String> = said
        .lines()
        .map(|line| line.split("  ").skip(2).take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        told,
        [
            "command line user.added",
            "command line user.added",
            "command line user.password_changed",
            "复核乙 run.asked_for",
            "制单甲 run.prepared",
            "command line user.disabled",
            "command line key.added",
            "command line key.revoked",
        ]
    );
    assert_eq!(says(&["audit", "list", "--after", "4", "--subject", run]).1.lines().count(), 1);
    let folder = tempfile();
    let (code, said) = says(&["audit", "export", "--out", &folder]);
    assert!(code == 0 && said.starts_with("8 entries"), "{said}");
    let table = std::fs::read_to_string(&folder).unwrap();
    assert_eq!(table.lines().count(), 9);
    std::fs::remove_file(&folder).unwrap();
    let (code, said) = says(&["verify-ledger"]);
    assert!(
        code == 0 && said.contains("8 acts on the audit trail") && said.contains("0 breaks"),
        "{said}"
    );
}

/// A file of this test's own.
fn tempfile() -> String {
    let name = format!("payhub-audit-{}.csv", std::process::id());
    std::env::temp_dir().join(name).to_str().unwrap().to_owned()
}
