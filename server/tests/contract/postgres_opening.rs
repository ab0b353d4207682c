//! Opening a PostgreSQL database: schemas, encryption, passwords; and what each refusal says.

use std::path::Path;

use spare_key_server::store::postgres::{OpenError, PostgresStore, PostgresUrl, RootsError};
use spare_key_server::store::{Standing, Upkeep as _};

use super::Fixture as _;
use super::cluster::Database;
use super::postgres::{OneDatabase, few, statements, store};
use super::sample;

/// Opens what cannot be opened; the words name the password nowhere.
#[track_caller]
fn refused(url: &str) -> OpenError {
    let error = PostgresStore::open(&PostgresUrl::parse(url).unwrap()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    error
}

#[test]
fn every_statement_of_the_adapter_is_one_that_the_schema_knows() {
    let db = OneDatabase::open();
    let found = statements();
    assert!(found.len() > 70, "{} statements only", found.len());
    let mut script = "SET search_path TO spare_key;\n".to_owned();
    for (number, statement) in found.iter().enumerate() {
        script.push_str(&format!("PREPARE s{number} AS {statement};\n"));
    }
    db.database.sql(&script);
}

#[test]
fn a_newer_schema_is_refused_with_both_numbers() {
    let db = OneDatabase::open();
    db.database
        .sql("INSERT INTO spare_key.migration (number, name) VALUES (4711, 'later')");
    let refused = refused(&db.database.url());
    let OpenError::Newer { found, known, .. } = &refused else {
        panic!("{refused:?}");
    };
    assert_eq!(*found, 4_711);
    let (words, ours) = (refused.to_string(), format!("up to {known}"));
    assert!(words.contains("4711") && words.contains(&ours) && words.contains("newer spare-key"));
}

#[test]
fn a_schema_of_somebody_elses_is_refused_and_left_alone() {
    let database = Database::create(&[]);
    database.sql("CREATE SCHEMA spare_key; CREATE TABLE spare_key.recipe (cake text)");
    assert!(matches!(
        refused(&database.url()),
        OpenError::Foreign { .. }
    ));
    let tables =
        database.sql("SELECT relname FROM pg_class WHERE relname IN ('recipe', 'account')");
    assert_eq!(tables, "recipe");
}

#[tokio::test]
async fn a_database_may_be_shared_with_tables_of_the_same_names() {
    let database = Database::create(&[]);
    database.sql("CREATE TABLE account (cake text); CREATE SCHEMA spare_key");
    let store = store(&database);
    sample::has_account(&store, "alice").await;
    assert_eq!(database.sql("SELECT count(*) FROM public.account"), "0");
    assert_eq!(database.sql("SELECT id FROM spare_key.account"), "alice");
}

#[test]
fn a_database_that_cannot_hold_every_text_is_refused() {
    let ascii = ["--encoding=SQL_ASCII", "--locale=C", "--template=template0"];
    let database = Database::create(&ascii);
    let refused = refused(&database.url());
    assert!(matches!(refused, OpenError::Encoding { .. }));
    assert!(refused.to_string().contains("SQL_ASCII"));
}

#[test]
fn a_database_that_is_only_read_is_refused() {
    let db = OneDatabase::open();
    let name = &db.database.name;
    db.database.sql(&format!(
        "ALTER DATABASE {name} SET default_transaction_read_only = on"
    ));
    let words = refused(&db.database.url()).to_string();
    assert!(words.contains("does not allow writes"), "{words}");
}

#[test]
fn many_can_open_a_new_database_at_the_same_moment() {
    let database = Database::create(&[]);
    std::thread::scope(|scope| {
        let opening: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| PostgresStore::open(&few(&database.url()))))
            .collect();
        let stores: Vec<_> = opening
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect();
        assert!(stores.iter().all(Result::is_ok), "{stores:?}");
    });
    let applied = database.sql("SELECT number, name FROM spare_key.migration ORDER BY 1");
    assert!(applied.starts_with("1|0001_first\n2|0002_retention\n"));
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres");
    let files = std::fs::read_dir(folder).unwrap().count();
    assert_eq!(applied.lines().count(), files, "each once: {applied}");
}

#[test]
fn looking_whether_a_store_is_there_makes_none() {
    let database = Database::create(&[]);
    let url = few(&database.url());
    assert_eq!(PostgresStore::look(&url).unwrap(), Standing::Absent);
    assert_eq!(
        database.sql("SELECT to_regnamespace('spare_key') IS NULL"),
        "t"
    );
    drop(store(&database));
    assert_eq!(PostgresStore::look(&url).unwrap(), Standing::Current);
}

#[test]
fn a_server_that_is_not_there_is_named_without_the_password() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let words = refused(&format!("postgres://spare:hunter2@127.0.0.1:{port}/codes")).to_string();
    assert!(
        words.contains(&format!("127.0.0.1:{port}/codes")),
        "{words}"
    );
    assert!(words.contains("refused"), "{words}");
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    // It takes connections and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("postgres://spare:hunter2@127.0.0.1:{port}/codes?connect_timeout=1");
    let words = refused(&url).to_string();
    assert!(words.contains("did not answer in time"), "{words}");
}

/// Makes a user who needs a password and encryption; where the server's certificate is.
fn locked(database: &Database) -> String {
    // A user is of the whole server, and tests run beside each other.
    database.sql(
        "DO $$ BEGIN
             CREATE ROLE locked LOGIN SUPERUSER PASSWORD 'correct';
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
         END $$",
    );
    let folder = database.sql("SHOW data_directory");
    let own = tempfile::Builder::new().suffix(".pem").tempfile().unwrap();
    let (_, path) = own.keep().unwrap();
    std::fs::copy(Path::new(&folder).join("server.crt"), &path).unwrap();
    path.display().to_string()
}

#[tokio::test]
async fn the_way_to_the_database_is_encrypted_and_the_server_checked() {
    let db = OneDatabase::open();
    let own = locked(&db.database);
    let right = db.database.url_of("locked:correct");
    let store = PostgresStore::open(&few(&format!("{right}?sslmode=require&sslrootcert={own}")));
    let store = store.unwrap();
    store.ping().await.unwrap();
    let encrypted = db.database.sql(
        "SELECT DISTINCT s.ssl, s.version FROM pg_stat_ssl AS s JOIN pg_stat_activity AS a USING (pid)
         WHERE a.usename = 'locked' AND a.datname = current_database()",
    );
    assert_eq!(encrypted, "t|TLSv1.3");
    drop(store);

    // Nobody vouches for this certificate but itself.
    let system = refused(&format!("{right}?sslmode=verify-full"));
    assert!(system.to_string().contains("certificate"), "{system}");
    // The name is checked, whatever word was used: it is not that of the address.
    let other_name = right.replace("localhost", "db.example.com");
    let named = refused(&format!(
        "{other_name}?hostaddr=127.0.0.1&sslmode=verify-ca&sslrootcert={own}"
    ));
    assert!(named.to_string().contains("not valid for name"), "{named}");
    let clear = refused(&format!("{right}?sslmode=disable"));
    assert!(clear.to_string().contains("no encryption"), "{clear}");
    std::fs::remove_file(own).unwrap();
}

#[test]
fn a_wrong_password_is_told_and_not_repeated() {
    let db = OneDatabase::open();
    let own = locked(&db.database);
    let wrong = db.database.url_of("locked:hunter2");
    let words = refused(&format!("{wrong}?sslmode=require&sslrootcert={own}")).to_string();
    assert!(words.contains("password authentication failed"), "{words}");
    std::fs::remove_file(own).unwrap();
}

#[test]
fn authorities_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (missing, empty) = (folder.path().join("a.pem"), folder.path().join("b.pem"));
    std::fs::write(&empty, "Dear Alice").unwrap();
    for path in [missing, empty] {
        let path = path.display();
        let url = format!("postgres://spare:hunter2@localhost/x?sslrootcert={path}");
        let error = refused(&url);
        assert!(matches!(error, OpenError::Roots(RootsError::File { .. })));
        assert!(error.to_string().contains(&path.to_string()), "{error}");
    }
}
