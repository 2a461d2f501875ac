//! `payhub refund treasury` and `payhub verify-ledger`, as a person types them.

use std::path::PathBuf;
use std::process::{Command, Output};

use payhub::demo::WECHAT;
use serde_json::Value;

use super::{applied, check, refund_now};
use crate::harness::{World, word};

/// A `payhub.toml` over the database of the world, with the office's own master key.
struct Typed {
    folder: PathBuf,
}

impl Drop for Typed {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.folder);
    }
}

impl Typed {
    fn over(world: &World) -> Self {
        let url = world.database_url();
        let name = url.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
        let folder =
            std::env::temp_dir().join(format!("payhub-typed-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let config = format!(
            "[database]\nurl = \"{url}\"\n\
             [security]\nmaster_key = \"cGF5aHViIGRlbW9uc3RyYXRpb24ga2V5IDAwMDAwMDE=\"\n"
        );
        std::fs::write(folder.join("payhub.toml"), config).unwrap();
        Self { folder }
    }

    fn payhub(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_payhub"))
            .args(words)
            .arg("--config")
            .arg(self.folder.join("payhub.toml"))
            .output()
            .unwrap()
    }

    /// Tells a step and gives what was printed, with the exit code.
    fn step(&self, refund: &Value, event: &str, user: &str, more: &[&str]) -> (i32, String) {
        let id = word(refund, "id");
        let day = super::FRIDAY;
        let mut words = vec!["refund", "treasury", &id, "--event", event, "--user", user];
        words.extend(["--occurred-on", day].into_iter().chain(more.iter().copied()));
        let done = self.payhub(&words);
        let said = [done.stdout, done.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        (done.status.code().unwrap(), said)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_is_told_on_the_command_line_and_the_ledger_proves_it() {
    let world = World::open().await;
    let (fee, asked) = applied(&world, WECHAT, "1").await;
    let typed = Typed::over(&world);
    let (code, said) = typed.step(&asked, "verified", "registry", &[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("may not be who makes it verified"), "{said}");
    let (code, said) = typed.step(&asked, "verified", "zhang", &["--document-no", "核-1"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("verified by zhang"), "{said}");
    for (event, user) in [("approved", "zhang"), ("paid", "wang")] {
        let (code, said) = typed.step(&asked, event, user, &[]);
        assert_eq!(code, 1, "{event} by {user}: {said}");
    }
    assert_eq!(typed.step(&asked, "approved", "finance", &[]).0, 0);
    let (code, said) = typed.step(&asked, "paid", "treasury", &[]);
    assert_eq!(code, 0, "{said}");
    check(&refund_now(&world, &asked).await, "succeeded", "paid");
    assert_eq!(typed.step(&asked, "returned", "treasury", &[]).0, 1, "it must say why");
    assert_eq!(typed.step(&asked, "returned", "treasury", &["--reason", "账号有误"]).0, 0);
    let (code, said) = typed.step(&asked, "rejected", "treasury", &["--reason", "账号已销"]);
    assert_eq!(code, 0, "{said}");
    check(&refund_now(&world, &asked).await, "failed", "rejected");
    assert_eq!(world.fee_status(&fee).await, "paid");
    let proof = typed.payhub(&["verify-ledger"]);
    let said = String::from_utf8(proof.stdout).unwrap();
    assert_eq!(proof.status.code(), Some(0), "{said}");
    assert!(said.contains("1 journals, 6 entries, 0 breaks"), "{said}");
    world.finish().await;
}
