//! Migrations are compiled in by a macro, which cargo cannot see through: a new file must make it
//! compile again.

#[allow(clippy::print_stdout, reason = "this is how a build script speaks to cargo")]
fn main() {
    println!("cargo:rerun-if-changed=src/store/migrations");
}
