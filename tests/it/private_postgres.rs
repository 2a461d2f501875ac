//! The private PostgreSQL against real servers: what a killed hub, a killed server, a race and a wrong
//! folder do to it. Every test ends with its row still there, or with the folder untouched.

use std::{
    env, fs,
    io::{BufRead, BufReader, Lines, Read, Write},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        net::UnixListener,
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, Uid},
};
use payhub::{
    config::Environment,
    postgres::{Binaries, PostgresError, PrivatePostgres, Started},
};
use tokio_postgres::{Config, NoTls, SimpleQueryMessage};

static PLACES: AtomicU32 = AtomicU32::new(0);

/// A folder of its own for one test, which the server's account can reach.
struct Place {
    folder: PathBuf,
    home: PathBuf,
}

impl Place {
    fn new() -> Self {
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        let folder = Path::new("/tmp").join(format!("payhub-it-{}-{number}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        let home = folder.join("postgres");
        Self { folder, home }
    }

    fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    fn start(&self) -> PrivatePostgres {
        self.try_start().unwrap_or_else(|error| panic!("{error}"))
    }

    fn try_start(&self) -> Result<PrivatePostgres, PostgresError> {
        PrivatePostgres::start(&self.home, &binaries())
    }

    fn postmaster(&self) -> Option<Pid> {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        file.lines().next()?.parse().ok().map(Pid::from_raw)
    }

    /// Writes the lock file of a server that is ready.
    fn write_lock_file(&self, pid: u32, socket_dir: &Path) -> String {
        let (data, run) = (self.data(), socket_dir.display());
        let text = format!("{pid}\n{}\n1\n5432\n{run}\n\n  1 2\nready   \n", data.display());
        fs::write(data.join("postmaster.pid"), &text).unwrap();
        text
    }

    /// Starts the cluster in another process and returns when it runs.
    fn start_elsewhere(&self) -> Hub {
        let (_, module) = module_path!().split_once("::").unwrap();
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--nocapture", "--exact", &format!("{module}::as_another_process")]);
        command.arg(format!("home={}", self.home.display()));
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let holds = said.any(|line| line.unwrap().contains("holding"));
        assert!(holds, "the other process failed");
        Hub { process, _said: said }
    }
}

/// A hub in another process.
struct Hub {
    process: Child,
    /// Kept open, or its last words would be its failure.
    _said: Lines<BufReader<ChildStdout>>,
}

impl Hub {
    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(left_by_a_failed_test) = self.postmaster() {
            let _ = kill(left_by_a_failed_test, Signal::SIGQUIT);
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn binaries() -> Binaries {
    let environment = Environment::read();
    Binaries { explicit: environment.postgres_bin(), also: environment.postgres_search() }
}

/// Runs `sql` and returns the first column of its last row.
fn ask(server: &PrivatePostgres, sql: &str) -> String {
    let mut config = Config::new();
    config.host_path(server.socket_dir()).user(server.user()).dbname("postgres");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = config.connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        let answers = client.simple_query(sql).await.unwrap();
        let rows = answers.iter().filter_map(|answer| {
            let SimpleQueryMessage::Row(row) = answer else { return None };
            row.get(0).map(str::to_owned)
        });
        rows.last().unwrap_or_default()
    })
}

fn write_row(server: &PrivatePostgres) {
    ask(server, "CREATE TABLE kept (fen bigint); INSERT INTO kept VALUES (8880)");
}

fn assert_row(server: &PrivatePostgres) {
    assert_eq!(ask(server, "SELECT fen FROM kept"), "8880");
}

/// Not a test by itself: [`Place::start_elsewhere`] runs it as a second hub, until its input ends.
#[test]
fn as_another_process() {
    let Some(home) = env::args().find_map(|a| a.strip_prefix("home=").map(PathBuf::from)) else {
        return;
    };
    let server = PrivatePostgres::start(&home, &binaries()).unwrap();
    if server.started() == Started::Created {
        write_row(&server);
    }
    println!("holding");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

#[test]
fn a_row_outlives_stop_and_start() {
    let place = Place::new();
    let server = place.start();
    assert_eq!(server.started(), Started::Created);
    assert!(server.notice().contains(place.home.to_str().unwrap()), "{}", server.notice());
    write_row(&server);
    for (setting, value) in [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("TimeZone", "UTC"),
    ] {
        assert_eq!(ask(&server, &format!("SHOW {setting}")), value, "{setting}");
    }
    server.stop().unwrap();
    assert_eq!(place.postmaster(), None);

    let server = place.start();
    assert_eq!(server.started(), Started::Restarted);
    assert_row(&server);
    drop(server);
    assert_eq!(place.postmaster(), None, "dropping stops the server as well");
}

#[test]
fn a_killed_hub_leaves_its_server_to_the_next() {
    let place = Place::new();
    let mut hub = place.start_elsewhere();
    let postmaster = place.postmaster();
    hub.kill();

    let server = place.start();
    assert_eq!((server.started(), place.postmaster()), (Started::Adopted, postmaster));
    assert_row(&server);
    server.stop().unwrap();
    assert_eq!(place.postmaster(), None, "the killed hub no longer counts as a user");
}

#[test]
fn a_hub_and_its_server_killed_together_lose_nothing() {
    let place = Place::new();
    let mut hub = place.start_elsewhere();
    hub.process.kill().unwrap();
    kill(place.postmaster().unwrap(), Signal::SIGKILL).unwrap();

    let server = place.start();
    assert_eq!(server.started(), Started::Restarted);
    assert_row(&server);
}

#[test]
fn a_killed_server_that_nobody_reaped_is_not_taken_for_alive() {
    let place = Place::new();
    let mut hub = place.start_elsewhere();
    kill(place.postmaster().unwrap(), Signal::SIGKILL).unwrap();

    // The other process lives on and never waits for its child, which stays a zombie.
    let server = place.start();
    assert_eq!(server.started(), Started::Restarted);
    assert_row(&server);
    hub.kill();
}

#[test]
fn a_lock_file_that_names_a_stranger_is_cleared() {
    let place = Place::new();
    let server = place.start();
    write_row(&server);
    let owner = fs::metadata(place.data()).unwrap();
    let socket_dir = server.socket_dir().to_owned();
    server.stop().unwrap();

    let mut sleep = Command::new("sleep");
    sleep.arg("60").current_dir("/");
    if Uid::effective().is_root() {
        sleep.uid(owner.uid()).gid(owner.gid());
    }
    let mut stranger = sleep.spawn().unwrap();
    let text = place.write_lock_file(stranger.id(), &socket_dir);
    fs::write(socket_dir.join(".s.PGSQL.5432.lock"), &text).unwrap();

    let server = place.start();
    assert_eq!(server.started(), Started::Restarted);
    assert_row(&server);
    assert_eq!(stranger.try_wait().unwrap(), None, "the stranger was left alone");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn a_server_that_answers_but_cannot_be_seen_is_left_alone() {
    let place = Place::new();
    let server = place.start();
    let socket_dir = server.socket_dir().to_owned();
    server.stop().unwrap();
    // Stands for a server in another container: its number means nothing here, its socket does.
    let socket = UnixListener::bind(socket_dir.join(".s.PGSQL.5432")).unwrap();
    thread::spawn(move || {
        let (mut asker, _) = socket.accept().unwrap();
        // The question first: a server that hangs up on it gives no answer.
        asker.read_exact(&mut [0; 8]).unwrap();
        asker.write_all(b"N").unwrap();
    });
    let text = place.write_lock_file(i32::MAX.unsigned_abs(), &socket_dir);

    let error = place.try_start().unwrap_err();
    assert!(matches!(error, PostgresError::Elsewhere(_)), "{error}");
    let lock_file = place.data().join("postmaster.pid");
    assert_eq!(fs::read_to_string(&lock_file).unwrap(), text);
    fs::remove_file(lock_file).unwrap();
}

#[test]
fn of_two_hubs_that_race_one_creates_and_the_last_one_out_stops() {
    let place = Place::new();
    let (one, other) = thread::scope(|scope| {
        let one = scope.spawn(|| place.start());
        let other = scope.spawn(|| place.start());
        (one.join().unwrap(), other.join().unwrap())
    });
    let (first, second) =
        if one.started() == Started::Created { (one, other) } else { (other, one) };
    assert_eq!((first.started(), second.started()), (Started::Created, Started::Adopted));
    write_row(&first);
    first.stop().unwrap();
    assert_row(&second);
    second.stop().unwrap();
    assert_eq!(place.postmaster(), None);
}

#[test]
fn data_of_another_major_version_is_left_untouched() {
    let place = Place::new();
    let server = place.start();
    write_row(&server);
    server.stop().unwrap();
    let version = place.data().join("PG_VERSION");
    let made_by = fs::read_to_string(&version).unwrap();
    fs::write(&version, "99\n").unwrap();

    let error = place.try_start().unwrap_err();
    assert!(matches!(error, PostgresError::OtherMajor { made_by: 99, .. }), "{error}");
    assert!(error.to_string().contains(made_by.trim()), "names the installed one too: {error}");
    fs::write(&version, made_by).unwrap();
    assert_row(&place.start());
}

#[test]
fn a_folder_that_is_no_cluster_is_left_untouched() {
    let place = Place::new();
    fs::create_dir_all(place.data()).unwrap();
    if Uid::effective().is_root() {
        std::os::unix::fs::chown(place.data(), Some(65534), Some(65534)).unwrap();
    }
    fs::write(place.data().join("thesis.txt"), "draft").unwrap();
    let error = place.try_start().unwrap_err();
    assert!(matches!(error, PostgresError::NotACluster(_)), "{error}");
    assert_eq!(fs::read_to_string(place.data().join("thesis.txt")).unwrap(), "draft");
}

#[test]
fn a_home_too_deep_for_a_socket_gets_a_short_one() {
    let mut place = Place::new();
    place.home = place.folder.join("登记".repeat(20)).join("postgres");
    let server = place.start();
    assert!(!server.socket_dir().starts_with(&place.folder), "{}", server.socket_dir().display());
    write_row(&server);
    let socket_dir = server.socket_dir().to_owned();
    server.stop().unwrap();
    let server = place.start();
    assert_row(&server);
    assert_eq!(server.socket_dir(), socket_dir);
    server.stop().unwrap();
    fs::remove_dir(socket_dir).unwrap();
}

#[test]
fn root_is_told_when_the_server_cannot_reach_the_home() {
    if !Uid::effective().is_root() {
        return; // only root hands the server to another account
    }
    let place = Place::new();
    fs::set_permissions(&place.folder, fs::Permissions::from_mode(0o700)).unwrap();
    let error = place.try_start().unwrap_err();
    assert!(matches!(error, PostgresError::Unreachable { .. }), "{error}");
    fs::set_permissions(&place.folder, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(place.start().started(), Started::Created);
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let place = Place::new();
    place.start().stop().unwrap();
    fs::write(place.home.join("postgresql.conf"), "no_such_setting = 1\n").unwrap();
    let error = place.try_start().unwrap_err().to_string();
    assert!(error.contains("no_such_setting") && error.contains("postgres.log"), "{error}");
}

#[test]
fn an_empty_bin_folder_is_named() {
    let place = Place::new();
    let explicit = Binaries { explicit: Some(place.folder.clone()), also: Vec::new() };
    let error = PrivatePostgres::start(&place.home, &explicit).unwrap_err();
    assert!(matches!(error, PostgresError::NoBinaries { .. }), "{error}");
    assert!(error.to_string().contains(place.folder.to_str().unwrap()), "{error}");
}
