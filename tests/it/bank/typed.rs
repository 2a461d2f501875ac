//! The same at the command line: a statement is taken in, two people close a difference, and the file
//! for the treasury is written.

use std::path::PathBuf;

use super::{balance, csv, friday_is_due, settlement_of};
use crate::harness::typed::Typed;
use crate::harness::word;

fn file(name: &str, content: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("payhub-{}-{name}", std::process::id()));
    std::fs::write(&path, content).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_is_typed_in_and_two_people_close_its_difference() {
    let world = friday_is_due().await;
    let typed = Typed::over(&world);
    let bad = file("bad.csv", &csv(&["B1,2018-12-03,in,12,r,n", "B2,2018-12-03,in,1.0,r,n,a"]));
    let (code, said) = typed.says(&["bank", "import", bad.to_str().unwrap()]);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("row 2, counter_account: ") && said.contains("row 3, amount_fen: "),
        "{said}"
    );
    let good = file("good.csv", &csv(&["B1,2018-12-03,in,12000,清算 1900000001,n,a"]));
    let (code, said) = typed.says(&["bank", "import", good.to_str().unwrap()]);
    assert_eq!(code, 1, "what is not explained is a problem: {said}");
    assert!(
        said.contains("1 rows, 1 booked, 0 known; 0 matched, 1 proposed, 0 unmatched"),
        "{said}"
    );
    let (code, said) = typed.says(&["bank", "import", "/nowhere/at/all.csv"]);
    assert_eq!((code, said.contains("/nowhere/at/all.csv")), (2, true), "{said}");
    let id = word(&settlement_of(&world, "wechat:1900000001", "2018-11-30").await, "settlement_id");
    let by = |user: &str| {
        let args =
            ["bank", "confirm", "B1", "--settlement", &id, "--user", user, "--reason", "已查"];
        typed.says(&args)
    };
    let (code, said) = by("张三");
    assert_eq!((code, said.contains("-10.00: another must confirm")), (0, true), "{said}");
    assert_eq!(by("张三").0, 1);
    let (code, said) = by("李四");
    assert_eq!((code, said.contains("matched by 李四")), (0, true), "{said}");
    assert_eq!(balance(&world, "provider_clearing").await, 1000);
    let out = file("settlement.csv", "");
    let day = ["bank", "settlement-file", "--date", "2018-11-30", "--out", out.to_str().unwrap()];
    let (code, said) = typed.says(&day);
    assert_eq!((code, said.contains("SHA-256")), (0, true), "{said}");
    let written = std::fs::read_to_string(&out).unwrap();
    assert_eq!(written.lines().count(), 1, "nothing went to the treasury that day: {written}");
    for path in [bad, good, out] {
        std::fs::remove_file(path).unwrap();
    }
    world.finish().await;
}
