//! A PostgreSQL server of the tests' own: made when the first test of a binary asks for it, from
//! Debian's package, and gone with the process, however that ends.
//!
//! A shell holds on to it and waits for the end of its standard input, which the operating system
//! closes with the process. Without PostgreSQL the tests fail and say what to install.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

const MISSING: &str = "PostgreSQL is not installed, and these tests need it: there is no initdb in \
                       /usr/lib/postgresql/*/bin; install it with: apt-get install postgresql";

/// Makes, starts, waits, stops, erases. PostgreSQL refuses to run as root, so it is then run as the
/// user that Debian's package makes. Nothing is flushed to the disk: a crash of the computer is not
/// what is tried here.
const KEEPER: &str = r#"
set -eu
trap '' INT HUP TERM
bin=$1 folder=$2 port=$3
as() { "$@"; }
if [ "$(id -u)" = 0 ]; then
    as() { setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"; }
    chown postgres "$folder"
fi
cd "$folder"
finish() { as "$bin/pg_ctl" -D data -m immediate stop >&2 || true; rm -rf "$folder"; }
trap finish EXIT
as "$bin/initdb" -D data -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >&2
as openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
    -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -addext basicConstraints=critical,CA:FALSE -keyout data/server.key -out data/server.crt >&2
cat > data/pg_hba.conf <<'END'
local   all all                    trust
hostssl all locked 127.0.0.1/32    scram-sha-256
host    all locked 127.0.0.1/32    reject
host    all all    127.0.0.1/32    trust
END
cat >> data/postgresql.conf <<END
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = '$folder'
max_connections = 400
shared_buffers = 64MB
fsync = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
min_wal_size = 32MB
max_wal_size = 96MB
ssl = on
END
as "$bin/pg_ctl" -D data -w -t 60 -l "$folder/log" start >&2 || { cat log >&2; exit 1; }
echo ready
cat >/dev/null
"#;

/// The running server.
struct Cluster {
    bin: PathBuf,
    folder: PathBuf,
    port: u16,
    /// Its end is the server's end.
    _held: ChildStdin,
}

/// The one of this process.
fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Result<Cluster, String>> = OnceLock::new();
    let started = CLUSTER.get_or_init(|| {
        let bin = newest_bin().ok_or(MISSING)?;
        // Between choosing a port and listening on it somebody else may take it.
        start(&bin).or_else(|_| start(&bin))
    });
    match started {
        Ok(cluster) => cluster,
        Err(why) => panic!("{why}"),
    }
}

fn newest_bin() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let number = |folder: &Path| folder.file_name()?.to_str()?.parse::<u32>().ok();
    versions
        .map(|version| version.path())
        .filter(|folder| folder.join("bin/initdb").is_file())
        .max_by_key(|folder| number(folder))
        .map(|folder| folder.join("bin"))
}

fn start(bin: &Path) -> Result<Cluster, String> {
    let folder = tempfile::Builder::new().prefix("spare-key-pg").tempdir();
    // The keeper erases it, also when this process is killed.
    let folder = folder.map_err(|error| error.to_string())?.keep();
    let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    let port = free.map_err(|error| error.to_string())?.port();
    let log = folder.with_extension("log");
    let said = fs::File::create(&log).map_err(|error| error.to_string())?;
    let mut keeper = Command::new("bash")
        .args(["-c", KEEPER, "bash"])
        .args([bin, &folder])
        .arg(port.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(said)
        .spawn()
        .map_err(|error| format!("bash: {error}"))?;
    let mut line = String::new();
    let out = keeper.stdout.take().expect("its standard output");
    BufReader::new(out)
        .read_line(&mut line)
        .map_err(|error| error.to_string())?;
    let said = fs::read_to_string(&log).unwrap_or_default();
    fs::remove_file(&log).map_err(|error| error.to_string())?;
    if line != "ready\n" {
        return Err(format!("PostgreSQL did not start: {said}"));
    }
    Ok(Cluster {
        bin: bin.to_owned(),
        folder,
        port,
        _held: keeper.stdin.take().expect("its standard input"),
    })
}

impl Cluster {
    #[track_caller]
    fn tool(&self, name: &str, args: &[&str]) -> String {
        let ended = Command::new(self.bin.join(name))
            .env_clear()
            .env("PGHOST", &self.folder)
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", "postgres")
            .args(args)
            .output()
            .expect("PostgreSQL's tools can be started");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{name}: {said}");
        String::from_utf8_lossy(&ended.stdout).trim().to_owned()
    }
}

/// A database of a test's own, dropped with it.
#[derive(Debug)]
pub(crate) struct Database {
    /// Its name.
    pub(crate) name: String,
}

impl Database {
    /// A new one, with `createdb`'s options.
    #[track_caller]
    pub(crate) fn create(options: &[&str]) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let name = format!("test_{}", MADE.fetch_add(1, Ordering::Relaxed));
        cluster().tool("createdb", &[options, &[name.as_str()]].concat());
        Self { name }
    }

    /// Its address for a user, over TCP.
    pub(crate) fn url_of(&self, user: &str) -> String {
        let port = cluster().port;
        format!("postgres://{user}@localhost:{port}/{}", self.name)
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// Runs statements as a stranger to the product; what they give, a line a row.
    #[track_caller]
    pub(crate) fn sql(&self, sql: &str) -> String {
        let quietly = [
            "-qAtX",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            &self.name,
            "-c",
            sql,
        ];
        self.tool("psql", &quietly)
    }

    /// Runs one of PostgreSQL's own tools on the server that it is on.
    #[track_caller]
    pub(crate) fn tool(&self, name: &str, args: &[&str]) -> String {
        cluster().tool(name, args)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Those of the whole binary would fill a disk. It goes with the server at the latest.
        let gone = std::panic::catch_unwind(|| {
            cluster().tool("dropdb", &["--force", "--if-exists", &self.name])
        });
        drop(gone);
    }
}
