//! A database of the first released schema, opened with today's binary.

use rusqlite::Connection;
use sha2::{Digest as _, Sha256};
use spare_key_server::model::{Timestamp, TokenDigest};
use spare_key_server::store::Store;
use spare_key_server::store::postgres::{PostgresStore, PostgresUrl};
use spare_key_server::store::sqlite::SqliteStore;

use crate::cluster::Database;
use crate::codes::{issue, redeem};
use crate::support::{Place, http};

/// In an order in which each table refers to those before it.
const TABLES: [&str; 17] = [
    "account",
    "totp",
    "batch",
    "code",
    "client",
    "challenge",
    "session",
    "step_up",
    "trusted_device",
    "api_key",
    "refresh",
    "throttle",
    "event",
    "outbox",
    "idempotency",
    "setting",
    "signing_key",
];

const ISSUER: [&str; 2] = ["--issuer", "https://login.example.com"];

/// A store that today's binary has filled: alice has a list with one used code and a pending one.
fn filled(place: &Place, store: &str) -> Vec<String> {
    place.with_keyring();
    let data = [
        "dev",
        "--listen",
        "127.0.0.1:0",
        "--keyring",
        "keyring.toml",
        "--store",
        store,
    ];
    let running = place.start(&data);
    let said = running.says("Listening on http://");
    let address = said.replace("Listening on http://", "").trim().to_owned();
    let (_, codes) = issue(&address, "host%7Calice");
    assert_eq!(redeem(&address, "host%7Calice", &codes[0]).0, 200);
    let at = spare_key_server::clock::rfc3339(spare_key_server::clock::Clock::now(
        &spare_key_server::clock::SystemClock,
    ));
    let body = format!(r#"{{"proof":{{"amr":["pwd","otp"],"at":"{at}"}}}}"#);
    let stage = "POST /recovery/v1/accounts/host%7Calice/batches";
    assert_eq!(http(&address, stage, &body).0, 201);
    running.stop();
    codes
}

/// A session of alice's, as the first schema holds it.
fn session() -> (String, &'static str) {
    let digest: String = Sha256::digest("cookie")
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let values = "0, 1000, 1000, 1000, 9000000000000 FROM account WHERE id = 'host|alice'";
    (digest, values)
}

/// What must hold once the old database was opened.
fn everything_works(
    place: &Place,
    store: &str,
    codes: &[String],
    open: impl Fn() -> Box<dyn Store>,
) {
    let data = ["--keyring", "keyring.toml", "--store", store];
    // To look is not to migrate.
    for _ in 0..2 {
        let fit = place
            .run(&[&["check"], data.as_slice(), &ISSUER].concat())
            .done();
        assert!(
            fit.stdout.contains("schema 1, which is brought to "),
            "{fit:?}"
        );
    }
    let listen = ["dev", "--listen", "127.0.0.1:0"];
    let running = place.start(&[listen.as_slice(), &data].concat());
    let said = running.says("Listening on http://");
    let address = said.replace("Listening on http://", "").trim().to_owned();
    assert_eq!(
        redeem(&address, "host%7Calice", &codes[0]).0,
        403,
        "used is used"
    );
    let (status, answer) = redeem(&address, "host%7Calice", &codes[1]);
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("\"remaining\":8"), "{answer}");
    // The pending one goes live.
    let activate = "POST /recovery/v1/accounts/host%7Calice/batches/2/activate";
    let (status, answer) = http(&address, activate, r#"{"saved":true}"#);
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        redeem(&address, "host%7Calice", &codes[2]).0,
        403,
        "superseded"
    );
    let (number, _) = issue(&address, "host%7Calice");
    assert_eq!(number, 3);
    running.stop();
    let show = ["account", "show", "auth0|carol", "--json"];
    let carol = place.run(&[show.as_slice(), &data].concat()).done().json();
    assert_eq!(carol["authenticators"].as_array().unwrap().len(), 1);
    let fit = place
        .run(&[&["check"], data.as_slice(), &ISSUER].concat())
        .done();
    assert!(fit.stdout.contains("schema current"), "{fit:?}");
    let store = open();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cookie = TokenDigest(Sha256::digest("cookie").into());
    let now = Timestamp(2_000);
    let session = runtime
        .block_on(store.session(&cookie, now, Timestamp(500)))
        .unwrap();
    assert!(session.is_some(), "who was signed in still is");
}

// L16: an upgrade keeps old codes valid.
#[test]
fn a_file_of_the_first_schema_goes_on_working() {
    let place = Place::new();
    let codes = filled(&place, "sqlite:today.db");
    let old = Connection::open(place.path("test.db")).unwrap();
    old.execute_batch(include_str!("../../migrations/sqlite/0001_first.sql"))
        .unwrap();
    old.execute_batch("PRAGMA application_id = 1399868281; PRAGMA user_version = 1")
        .unwrap();
    let today = place.path("today.db");
    old.execute("ATTACH ?1 AS today", [today.to_str().unwrap()])
        .unwrap();
    for table in TABLES {
        let columns: Vec<String> = old
            .prepare("SELECT name FROM pragma_table_info(?1, 'main')")
            .unwrap()
            .query_map([table], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        // The first schema kept the digests of used codes.
        let values = columns.iter().map(|name| match (table, name.as_str()) {
            ("code", "salt") => "coalesce(salt, zeroblob(16))".to_owned(),
            ("code", "digest") => "coalesce(digest, zeroblob(32))".to_owned(),
            _ => format!("\"{name}\""),
        });
        let values = values.collect::<Vec<_>>().join(", ");
        let names = columns
            .iter()
            .map(|name| format!("\"{name}\""))
            .collect::<Vec<_>>();
        let names = names.join(", ");
        let copy = format!("INSERT INTO {table} ({names}) SELECT {values} FROM today.{table}");
        old.execute_batch(&copy).unwrap();
    }
    let (digest, values) = session();
    old.execute_batch(&format!(
        "INSERT INTO session (digest, account_n, kind, auth_time, factor_at, seen_at, expires_at)
         SELECT x'{digest}', n, {values}"
    ))
    .unwrap();
    let used = "SELECT count(*) FROM code WHERE used_at IS NOT NULL AND digest IS NOT NULL";
    let count = |db: &Connection| db.query_row(used, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count(&old), 1);
    drop(old);
    let path = place.path("test.db");
    let open = || -> Box<dyn Store> { Box::new(SqliteStore::open(&path).unwrap()) };
    everything_works(&place, "sqlite:test.db", &codes, open);
    let db = Connection::open(&path).unwrap();
    assert_eq!(count(&db), 0, "what was kept of used codes is wiped");
}

/// Row L16.
#[test]
fn a_database_of_the_first_schema_goes_on_working() {
    let database = Database::create(&[]);
    let place = Place::new();
    let url = database.url();
    let codes = filled(&place, &url);
    let first = include_str!("../../migrations/postgres/0001_first.sql");
    let mut script = format!(
        "ALTER SCHEMA spare_key RENAME TO today;
         CREATE SCHEMA spare_key;
         SET search_path TO spare_key;
         CREATE TABLE migration (number bigint PRIMARY KEY, name text NOT NULL,
                                 probed bigint NOT NULL DEFAULT 0);
         INSERT INTO migration (number, name) VALUES (1, '0001_first');
         {first}
         CREATE FUNCTION copy_of(t text) RETURNS void LANGUAGE plpgsql AS $f$
         DECLARE names text; vals text;
         BEGIN
             SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position),
                    string_agg(CASE
                        WHEN t = 'code' AND column_name = 'salt'
                            THEN 'coalesce(salt, decode(repeat(''00'', 16), ''hex''))'
                        WHEN t = 'code' AND column_name = 'digest'
                            THEN 'coalesce(digest, decode(repeat(''00'', 32), ''hex''))'
                        ELSE quote_ident(column_name) END, ', ' ORDER BY ordinal_position)
             INTO names, vals FROM information_schema.columns
             WHERE table_schema = 'spare_key' AND table_name = t;
             EXECUTE format('INSERT INTO spare_key.%I (%s) OVERRIDING SYSTEM VALUE
                             SELECT %s FROM today.%I', t, names, vals, t);
         END $f$;\n"
    );
    for table in TABLES {
        script.push_str(&format!("SELECT copy_of('{table}');\n"));
    }
    for (table, number) in [
        ("account", "n"),
        ("totp", "n"),
        ("api_key", "n"),
        ("event", "id"),
    ] {
        script.push_str(&format!(
            "SELECT setval(pg_get_serial_sequence('spare_key.{table}', '{number}'), 10000);\n"
        ));
    }
    let (digest, values) = session();
    script.push_str(&format!(
        "INSERT INTO session (digest, account_n, kind, auth_time, factor_at, seen_at, expires_at)
         SELECT '\\x{digest}'::bytea, n, {values};
         DROP FUNCTION copy_of(text); DROP SCHEMA today CASCADE;"
    ));
    database.sql(&script);
    let used =
        "SELECT count(*) FROM spare_key.code WHERE used_at IS NOT NULL AND digest IS NOT NULL";
    assert_eq!(database.sql(used), "1");
    let open = || -> Box<dyn Store> {
        Box::new(PostgresStore::open(&PostgresUrl::parse(&url).unwrap()).unwrap())
    };
    everything_works(&place, &url, &codes, open);
    assert_eq!(
        database.sql(used),
        "0",
        "what was kept of used codes is wiped"
    );
}
