//! How the databases find what a statement asks for: no statement of an adapter reads a table that
//! grows with people from one end to the other, except those that are named here.
//!
//! The statements are read off the adapters' sources, so that none is left out.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;
use spare_key_server::store::postgres::{PostgresStore, PostgresUrl};
use spare_key_server::store::sqlite::SqliteStore;

use super::cluster::Database;

/// The tables that hold a row or more a person, or a row an event.
const LARGE: [&str; 16] = [
    "account",
    "totp",
    "batch",
    "code",
    "challenge",
    "session",
    "step_up",
    "trusted_device",
    "api_key",
    "refresh",
    "throttle",
    "event",
    "outbox",
    "notice",
    "address",
    "idempotency",
];

/// The statements in an adapter's sources: its string literals that begin like one.
fn statements(adapter: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/store")
        .join(adapter);
    let mut found = Vec::new();
    for file in fs::read_dir(folder).expect("the adapter") {
        let text = fs::read_to_string(file.expect("a file").path()).expect("text");
        let code = text.split("\n#[cfg(test)]\n").next().unwrap_or_default();
        for verb in ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"] {
            for (at, _) in code.match_indices(&format!("\"{verb} ")) {
                let literal = code[at + 1..].split('"').next().unwrap_or_default();
                found.push(literal.replace("\\\n", ""));
            }
        }
    }
    assert!(found.len() > 60, "{} statements only", found.len());
    found
}

/// The beginning of a statement, on one line.
fn short(sql: &str) -> String {
    let words: Vec<_> = sql.split_whitespace().collect();
    words.join(" ").chars().take(60).collect()
}

#[track_caller]
fn exactly(found: &BTreeSet<String>, known: &[&str]) {
    let known: BTreeSet<String> = known.iter().map(|&line| line.to_owned()).collect();
    let new: Vec<_> = found.difference(&known).collect();
    let gone: Vec<_> = known.difference(found).collect();
    assert!(new.is_empty(), "these read a whole table: {new:#?}");
    assert!(gone.is_empty(), "no longer so, take them off: {gone:#?}");
}

#[test]
fn sqlite_reads_no_large_table_from_end_to_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("spare-key.db");
    drop(SqliteStore::open(&path).expect("the store opens"));
    let db = Connection::open(&path).expect("the file");
    let (mut whole, mut planned, mut parts) = (BTreeSet::new(), 0, Vec::new());
    for sql in statements("sqlite") {
        let Ok(mut plan) = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")) else {
            parts.push(short(&sql));
            continue;
        };
        planned += 1;
        let steps = plan.raw_query().mapped(|row| row.get::<_, String>(3));
        for step in steps.map(|step| step.expect("a step")) {
            let aliased = |table: &str| sql.contains(&format!("{table} AS "));
            let Some(scanned) = step.strip_prefix("SCAN ") else {
                continue;
            };
            let name = scanned.split_whitespace().next().unwrap_or_default();
            if LARGE.contains(&name) || LARGE.iter().any(|table| aliased(table)) {
                whole.insert(format!("{} | {name}", short(&sql)));
            }
        }
    }
    assert!(planned > 60, "{planned} statements only were understood");
    parts.sort();
    // What is put together elsewhere does not parse by itself, nor what asks another database.
    assert_eq!(
        parts,
        [
            "INSERT INTO backup (taken_at) VALUES (?1)",
            "INSERT INTO restoring VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            "INSERT INTO {name} ({names}) SELECT {values} FROM json_each(",
            "SELECT EXISTS (SELECT 1 FROM account) AND NOT EXISTS ( SELEC",
            "SELECT a.id, a.login, (SELECT count(*) FROM totp AS t WHERE ",
            "SELECT id, login, last_generation, created_at, password_memo",
            "SELECT json_object({}) FROM {}",
            "SELECT taken_at FROM backup",
        ]
    );
    exactly(
        &whole,
        &[
            // The oldest, in the order of their numbers, no more than a slice.
            "DELETE FROM event WHERE id IN ( SELECT id FROM (SELECT id, a | event",
            // What waits there is a page, in its order; `t` is what was taken of it.
            "SELECT e.id, e.kind, e.at, e.actor, e.generation, e.number,  | o",
            "DELETE FROM outbox WHERE event_id IN (SELECT event_id FROM o | outbox",
            "SELECT EXISTS (SELECT 1 FROM outbox), EXISTS (SELECT 1 FROM  | outbox",
            "WITH taken AS MATERIALIZED ( SELECT e.id, e.account_id, e.at | o",
            "WITH taken AS MATERIALIZED ( SELECT e.id, e.account_id, e.at | outbox",
            "WITH taken AS MATERIALIZED ( SELECT e.id, e.account_id, e.at | t",
            // Counts: of the metrics, of a listing, of the keyring at the start.
            "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM | notice",
            "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM | outbox",
            "SELECT total - used, count(*) FROM batch WHERE state = 1 AND | batch",
            "SELECT count(*) FROM account | account",
            "SELECT key_id, state, count(*) FROM batch WHERE state IN (0, | batch",
            "SELECT password_key, count(*) FROM account WHERE password_di | account",
            "SELECT substr(secret, 1, 4), count(*) FROM totp WHERE length | totp",
            // Everybody's keys: there are few.
            "SELECT k.n, a.id, k.name, k.factor_at, k.created_at FROM api | k",
        ],
    );
}

#[test]
fn postgres_reads_no_large_table_from_end_to_end() {
    let database = Database::create(&[]);
    let url = PostgresUrl::parse(&database.url()).expect("an address");
    drop(PostgresStore::open(&url).expect("the store opens"));
    let (mut whole, mut planned, mut parts) = (BTreeSet::new(), 0, Vec::new());
    for sql in statements("postgres") {
        let values = (1..20).take_while(|n| sql.contains(&format!("${n}")));
        let values = values.map(|_| "NULL").collect::<Vec<_>>().join(", ");
        let values = if values.is_empty() {
            values
        } else {
            format!("({values})")
        };
        // An index is used wherever one can be: what is read whole even so has none.
        let explained = std::panic::catch_unwind(|| {
            database.sql(&format!(
                "SET search_path TO spare_key; SET enable_seqscan TO off;
                 SET plan_cache_mode TO force_generic_plan; SET jit TO off;
                 PREPARE asked AS {sql}; EXPLAIN (FORMAT JSON) EXECUTE asked{values}"
            ))
        });
        let Ok(explained) = explained else {
            parts.push(short(&sql));
            continue;
        };
        planned += 1;
        let plan: Value = serde_json::from_str(&explained).expect("a plan");
        scans(&plan, &mut |table| {
            whole.insert(format!("{} | {table}", short(&sql)));
        });
        // Nor what is due once for each that is due.
        let mut due = plan_indexes(&plan);
        due.retain(|index| !index.ends_with("_pkey"));
        due.sort();
        let twice = due.windows(2).any(|two| two[0] == two[1]);
        assert!(!(twice && sql.starts_with("WITH due")), "{sql}: {due:?}");
    }
    assert!(planned > 60, "{planned} statements only were understood");
    assert!(parts.is_empty(), "not understood: {parts:#?}");
    exactly(
        &whole,
        &[
            // The beginning that three statements share.
            "SELECT id, login, last_generation, created_at, password_memo | account",
            // The oldest, in the order of their numbers, no more than a slice.
            "WITH oldest AS MATERIALIZED ( SELECT id, at FROM event ORDER | event",
            // What waits there is a page, in its order.
            "SELECT e.id, e.kind, e.at, e.actor, e.generation, e.number,  | event",
            "SELECT e.id, e.kind, e.at, e.actor, e.generation, e.number,  | outbox",
            "SELECT EXISTS (SELECT 1 FROM outbox), EXISTS (SELECT 1 FROM  | outbox",
            "WITH taken AS ( DELETE FROM outbox WHERE event_id = ANY (ARR | outbox",
            // Counts of the keyring at the start.
            "SELECT key_id, state = 1, count(*) FROM batch WHERE state IN | batch",
            "SELECT password_key, count(*) FROM account WHERE password_di | account",
            "SELECT substr(secret, 1, 4), count(*) FROM totp WHERE length | totp",
            // Everybody's keys: there are few.
            "SELECT k.n, (SELECT id FROM account WHERE n = k.account_n),  | api_key",
        ],
    );
}

/// The indexes that a plan uses, each as often as it does.
fn plan_indexes(plan: &Value) -> Vec<String> {
    match plan {
        Value::Array(parts) => parts.iter().flat_map(plan_indexes).collect(),
        Value::Object(parts) => {
            let name = parts.get("Index Name").and_then(Value::as_str);
            let own = name.map(str::to_owned).into_iter();
            own.chain(parts.values().flat_map(plan_indexes)).collect()
        }
        _ => Vec::new(),
    }
}

/// Every step that reads a whole large table, or a whole index of one.
fn scans(plan: &Value, found: &mut dyn FnMut(&str)) {
    match plan {
        Value::Array(parts) => parts.iter().for_each(|part| scans(part, found)),
        Value::Object(parts) => {
            let text = |name: &str| parts.get(name).and_then(Value::as_str).unwrap_or_default();
            let (kind, table) = (text("Node Type"), text("Relation Name"));
            let reads = matches!(kind, "Seq Scan" | "Index Scan" | "Index Only Scan");
            if reads && !parts.contains_key("Index Cond") && LARGE.contains(&table) {
                found(table);
            }
            parts.values().for_each(|part| scans(part, found));
        }
        _ => {}
    }
}
