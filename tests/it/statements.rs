//! Every SQL file is prepared against the migrated schema, and its parameters and columns are held
//! by a snapshot that a reader can check: `name: (parameters) -> (columns)`.

use std::fmt::Write as _;

use payhub::store::sql;

use crate::harness::World;

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/statements.txt");

#[allow(clippy::disallowed_methods, reason = "a test asks how it is run")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_fits_the_schema() {
    let world = World::open().await;
    let client = world.database().await;
    let mut found = String::new();
    for (name, text) in sql::ALL {
        assert!(text.starts_with("-- "), "{name}: its first line must say what no row means");
        let statement =
            client.prepare(text).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let parameters: Vec<&str> = statement.params().iter().map(|kind| kind.name()).collect();
        let columns: Vec<String> = statement
            .columns()
            .iter()
            .map(|column| format!("{} {}", column.name(), column.type_().name()))
            .collect();
        writeln!(found, "{name}: ({}) -> ({})", parameters.join(", "), columns.join(", ")).unwrap();
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(SNAPSHOT, &found).unwrap();
    }
    let expected = std::fs::read_to_string(SNAPSHOT).unwrap_or_default();
    assert_eq!(found, expected, "statements changed; look at them, then run with UPDATE_EXPECT=1");
    world.finish().await;
}

#[test]
fn every_file_is_a_statement() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/sql");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let known: Vec<String> = sql::ALL.iter().map(|(name, _)| format!("{name}.sql")).collect();
    assert_eq!(files, known);
}
