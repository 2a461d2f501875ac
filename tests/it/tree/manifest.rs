//! Who may depend on whom, and on what from outside. A new dependency is a decision: it is added
//! here in the same change, for the member that needs it.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::{none, read};

/// A member: its folder, the members it may see, and the crates from outside that it may use.
struct Member {
    name: &'static str,
    manifest: &'static str,
    sees: &'static str,
    uses: &'static str,
    /// No I/O and no async anywhere in its tree.
    is_pure: bool,
}

const MEMBERS: [Member; 7] = [
    Member {
        name: "domain",
        manifest: "domain/Cargo.toml",
        sees: "",
        uses: "jiff serde serde_json thiserror toml uuid",
        is_pure: true,
    },
    Member {
        name: "adapters",
        manifest: "adapters/Cargo.toml",
        sees: "domain",
        uses: "aes-gcm aws-lc-rs base64 chacha20 encoding_rs flate2 hmac ipnet jiff md-5 memchr quick-xml \
               rand_core rsa serde serde_json sha1 sha2 subtle thiserror url x509-parser zeroize zip",
        is_pure: true,
    },
    Member {
        name: "callbacks",
        manifest: "callbacks/Cargo.toml",
        sees: "domain adapters",
        uses: "jiff serde serde_json thiserror",
        is_pure: true,
    },
    Member {
        name: "reconciliation",
        manifest: "reconciliation/Cargo.toml",
        sees: "domain",
        uses: "csv jiff memchr serde serde_json thiserror",
        is_pure: true,
    },
    Member {
        name: "notifications",
        manifest: "notifications/Cargo.toml",
        sees: "domain",
        uses: "jiff serde serde_json thiserror toml",
        is_pure: true,
    },
    Member {
        name: "sandbox",
        manifest: "sandbox/Cargo.toml",
        sees: "domain adapters",
        uses: "actix-web askama aws-lc-rs base64 encoding_rs flate2 futures-util hmac jiff md-5 quick-xml rcgen reqwest \
               serde serde_json sha1 sha2 subtle thiserror tokio tracing url uuid x509-parser zip",
        is_pure: false,
    },
    Member {
        name: "payhub",
        manifest: "Cargo.toml",
        sees: "domain adapters callbacks reconciliation notifications sandbox",
        uses: "actix-web aes-gcm argon2 askama aws-lc-rs base64 bytes clap csv deadpool-postgres flate2 \
               futures-util hkdf hmac ipnet jiff nix prometheus-client refinery reqwest \
               rust_xlsxwriter serde serde_json serde_path_to_error sha2 subtle thiserror tokio tokio-postgres toml \
               tracing tracing-subscriber url utoipa uuid zeroize zip",
        is_pure: false,
    },
];

/// Members that are built only when they are asked for: they need tools of their own and measure or
/// attack what the others are.
const ASKED_FOR: [Member; 2] = [
    Member {
        name: "benches",
        manifest: "benches/Cargo.toml",
        sees: "domain adapters payhub",
        uses: "base64 divan encoding_rs jiff nix rsa serde_json sha2 tokio tokio-postgres uuid",
        is_pure: false,
    },
    Member {
        name: "fuzz",
        manifest: "fuzz/Cargo.toml",
        sees: "domain adapters",
        uses: "aws-lc-rs base64 jiff libfuzzer-sys md-5",
        is_pure: true,
    },
];

/// Crates that only tests may use, in any member.
const FOR_TESTS: &str =
    "aes-gcm calamine proptest rcgen rsa sha1 tokio-rustls toml encoding_rs flate2 zip";

/// What I/O and async come with: none of it may be in a pure member's tree.
const IMPURE: [&str; 12] = [
    "tokio",
    "mio",
    "socket2",
    "reqwest",
    "hyper",
    "actix-web",
    "actix-rt",
    "tokio-postgres",
    "postgres-protocol",
    "deadpool",
    "async-trait",
    "futures-executor",
];

fn manifest(path: &str) -> Table {
    read(path).parse().unwrap_or_else(|fault| panic!("{path}: {fault}"))
}

fn names(table: Option<&Value>) -> BTreeSet<String> {
    table.and_then(Value::as_table).map(|t| t.keys().cloned().collect()).unwrap_or_default()
}

/// What a manifest names that its member may not: arrows, undecided crates, versions of its own.
fn undecided(member: &Member, manifest: &Table) -> Vec<String> {
    let mut allowed: BTreeSet<&str> = member.sees.split_whitespace().collect();
    allowed.extend(member.uses.split_whitespace());
    let mut faults: Vec<String> = names(manifest.get("dependencies"))
        .into_iter()
        .filter(|name| !allowed.contains(name.as_str()))
        .map(|name| format!("{}: may not depend on {name}", member.name))
        .collect();
    allowed.extend(FOR_TESTS.split_whitespace());
    faults.extend(
        names(manifest.get("dev-dependencies"))
            .into_iter()
            .filter(|name| !allowed.contains(name.as_str()))
            .map(|name| format!("{}: its tests may not depend on {name}", member.name)),
    );
    faults.extend(
        ["build-dependencies", "target", "patch", "replace"]
            .into_iter()
            .filter(|key| manifest.contains_key(*key))
            .map(|key| format!("{}: [{key}] is nowhere decided on", member.name)),
    );
    faults
}

#[test]
fn every_arrow_and_every_dependency_is_decided_on() {
    let all = MEMBERS.iter().chain(&ASKED_FOR);
    none(all.flat_map(|member| undecided(member, &manifest(member.manifest))).collect());
}

#[test]
fn a_forbidden_arrow_is_found() {
    let [domain, ..] = &MEMBERS;
    for (planted, is_fault) in [
        ("[dependencies]\njiff.workspace = true", false),
        ("[dependencies]\nadapters.workspace = true", true),
        ("[dependencies]\ntokio = \"1\"", true),
        ("[dev-dependencies]\nproptest = \"1\"", false),
        ("[dev-dependencies]\nsandbox.workspace = true", true),
        ("[build-dependencies]\njiff = \"1\"", true),
    ] {
        let found = undecided(domain, &planted.parse().unwrap());
        assert_eq!(!found.is_empty(), is_fault, "{planted}: {found:?}");
    }
}

#[test]
fn every_member_is_listed_here_and_built_by_default() {
    let workspace = manifest("Cargo.toml")["workspace"].clone();
    let list = |key: &str| -> BTreeSet<String> {
        let entries = workspace[key].as_array().unwrap();
        entries.iter().map(|entry| entry.as_str().unwrap().to_owned()).collect()
    };
    let mut expected: BTreeSet<String> =
        MEMBERS.iter().map(|m| m.name.to_owned()).filter(|name| name != "payhub").collect();
    let asked_for = ASKED_FOR.iter().map(|m| m.name.to_owned());
    assert_eq!(list("members"), expected.iter().cloned().chain(asked_for).collect());
    expected.insert(".".to_owned());
    assert_eq!(list("default-members"), expected, "`cargo test` would skip a member in silence");
}

#[test]
fn every_member_keeps_the_lints() {
    for member in &MEMBERS {
        let manifest = manifest(member.manifest);
        let keeps = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        assert_eq!(keeps, Some(&Value::Boolean(true)), "{}", member.name);
    }
}

/// Package to its dependencies, by name, as Cargo.lock resolved them for all members together.
fn resolved(lock: &Table) -> BTreeMap<String, BTreeSet<String>> {
    let mut tree: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in lock["package"].as_array().unwrap() {
        let below = tree.entry(package["name"].as_str().unwrap().to_owned()).or_default();
        for dependency in
            package.get("dependencies").and_then(Value::as_array).into_iter().flatten()
        {
            let name = dependency.as_str().unwrap().split(' ').next().unwrap();
            below.insert(name.to_owned());
        }
    }
    tree
}

/// The way from a member's ordinary dependencies to a crate that brings I/O or async.
fn way_to_impurity(
    starts: &BTreeSet<String>,
    tree: &BTreeMap<String, BTreeSet<String>>,
) -> Option<String> {
    let mut ways: Vec<Vec<String>> = starts.iter().map(|start| vec![start.clone()]).collect();
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop() {
        let here = way.last().unwrap();
        if IMPURE.contains(&here.as_str()) {
            return Some(way.join(" -> "));
        }
        if seen.insert(here.clone()) {
            for next in tree.get(here).into_iter().flatten() {
                ways.push(way.iter().chain([next]).cloned().collect());
            }
        }
    }
    None
}

#[test]
fn the_pure_members_have_no_io_and_no_async_in_their_trees() {
    let tree = resolved(&manifest("Cargo.lock"));
    let faults = MEMBERS.iter().filter(|member| member.is_pure).filter_map(|member| {
        let starts = names(manifest(member.manifest).get("dependencies"));
        way_to_impurity(&starts, &tree).map(|way| format!("{}: {way}", member.name))
    });
    none(faults.collect());
}

#[test]
fn a_detour_to_io_is_found() {
    let tree = resolved(&manifest("Cargo.lock"));
    let starts = BTreeSet::from(["refinery".to_owned()]);
    assert!(way_to_impurity(&starts, &tree).is_some_and(|way| way.contains(" -> ")));
}
