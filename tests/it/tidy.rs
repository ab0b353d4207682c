//! The invariants of the README's code map, read off the source itself.
//!
//! What is listed here as an exception has its reason beside it and may only go.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Where this file is; it names what it forbids.
const THIS: &str = "tests/it/tidy.rs";

/// What belongs to the adapters of the store alone.
const DATABASES: [&str; 3] = ["tokio_postgres", "deadpool_postgres", "postgres"];

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("the workspace").to_owned()
}

/// Every text file of the project, by its path. What is made and not written is left out.
fn sources() -> BTreeMap<String, String> {
    const MADE: [&str; 9] = [
        "target",
        "node_modules",
        "dist",
        "shots",
        "pkg",
        "spare-key-data",
        ".git",
        ".tools",
        "LICENSE",
    ];
    let root = root();
    let mut files = BTreeMap::new();
    let mut waiting = vec![root.clone()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str());
            if name.is_none_or(|name| MADE.contains(&name)) {
                continue;
            }
            if path.is_dir() {
                waiting.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                let name = path.strip_prefix(&root).expect("inside");
                files.insert(name.display().to_string(), text);
            }
        }
    }
    assert!(files.len() > 100, "where are the sources?");
    files
}

/// The Rust files below a folder, tests aside.
fn rust(below: &str) -> Vec<(String, String)> {
    let files = sources().into_iter();
    let files: Vec<_> = files
        .filter(|(path, _)| path.starts_with(below) && path.ends_with(".rs"))
        .filter(|(path, _)| !path.ends_with("/tests.rs"))
        .collect();
    assert!(!files.is_empty(), "nothing in {below}");
    files
}

/// The code of a file: no comments, and nothing of the tests at its end.
fn code(text: &str) -> String {
    let text = text.split("\n#[cfg(test)]\nmod tests {").next();
    let lines = text.unwrap_or_default().lines();
    let lines: Vec<_> = lines
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    lines.join("\n")
}

/// Whether a name stands in code as a word of its own.
fn names(code: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let behind = code[at + name.len()..].chars().next();
        !before.is_some_and(part) && !behind.is_some_and(part)
    })
}

/// The files below a folder that name something, with what they name.
fn naming(below: &str, forbidden: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (path, text) in rust(below) {
        let code = code(&text);
        for name in forbidden.iter().filter(|name| names(&code, name)) {
            found.insert(format!("{path}: {name}"));
        }
    }
    found
}

#[track_caller]
fn exactly(found: &BTreeSet<String>, known: &[&str]) {
    let known: BTreeSet<String> = known.iter().map(|&line| line.to_owned()).collect();
    let new: Vec<_> = found.difference(&known).collect();
    let gone: Vec<_> = known.difference(found).collect();
    assert!(new.is_empty(), "against the rule: {new:#?}");
    assert!(gone.is_empty(), "no longer so, take them off: {gone:#?}");
}

/// The names under a heading of a manifest.
fn dependencies(manifest: &str) -> Vec<String> {
    let (_, rest) = manifest
        .split_once("\n[dependencies]\n")
        .expect("dependencies");
    let lines = rest.lines().take_while(|line| !line.starts_with('['));
    lines
        .filter_map(|line| line.split(['.', ' ']).next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_core_has_nothing_from_outside() {
    let sources = sources();
    assert_eq!(dependencies(&sources["core/Cargo.toml"]), ["zeroize"]);
    let lib = &sources["core/src/lib.rs"];
    assert!(lib.lines().any(|line| line == "#![no_std]"));
    exactly(
        &naming("core/src", &["std", "serde", "getrandom", "rand"]),
        &[],
    );
}

#[test]
fn the_module_for_browsers_has_no_logic() {
    let lib = &sources()["wasm/src/lib.rs"];
    assert!(lib.lines().count() <= 160);
    let mut found = BTreeSet::new();
    for line in code(lib).lines().map(str::trim) {
        let words = ["if", "match", "while", "loop"];
        if words.iter().any(|word| names(line, word)) {
            found.insert(line.to_owned());
        }
    }
    // Nothing given is passed on as nothing.
    exactly(&found, &["give::edit(&match before.map(Zeroizing::new) {"]);
}

#[test]
fn the_domain_knows_nothing_of_http_json_or_sql() {
    let forbidden = ["axum", "serde_json", "serde", "rusqlite", "hyper", "utoipa"];
    exactly(&naming("server/src/domain", &DATABASES), &[]);
    exactly(&naming("server/src/domain", &forbidden), &[]);
    exactly(
        &naming(
            "server/src/domain",
            &["crate::http", "sqlite", "crate::cli"],
        ),
        &[],
    );
    exactly(&naming("server/src/domain", &["crate::app"]), &[]);
}

#[test]
fn an_adapter_knows_neither_domain_nor_http() {
    let forbidden = ["crate::domain", "crate::http", "axum", "crate::cli"];
    exactly(&naming("server/src/store", &forbidden), &[]);
}

#[test]
fn a_dialect_sees_no_other_and_no_store() {
    let http = root().join("server/src/http");
    let folders = fs::read_dir(http).expect("the dialects");
    let dialects: BTreeSet<String> = folders
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .collect();
    assert!(dialects.contains("native") && dialects.contains("pages"));
    for own in &dialects {
        let below = format!("server/src/http/{own}/");
        let others = dialects.iter().filter(|other| *other != own);
        let others: Vec<String> = others
            .flat_map(|other| [format!("http::{other}"), format!("super::super::{other}")])
            .collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        exactly(&naming(&below, &others), &[]);
        exactly(&naming(&below, &["rusqlite", "sqlite", "crate::app"]), &[]);
        exactly(&naming(&below, &DATABASES), &[]);
        exactly(&naming(&below, &["crate::store"]), &[]);
    }
}

#[test]
fn only_wire_files_expose_a_code() {
    let mut found = BTreeSet::new();
    for below in ["server/src", "wasm/src"] {
        for (path, text) in rust(below) {
            let wire = path.ends_with("/wire.rs") || path.contains("/wire/");
            if !wire && names(&code(&text), "expose") {
                found.insert(path);
            }
        }
    }
    exactly(
        &found,
        &[
            // A code that the person typed, back to the page it was typed into.
            "wasm/src/give.rs",
        ],
    );
}

/// Rows S4, A-03, A-04.
#[test]
fn one_file_draws_one_hashes_one_reads_the_time() {
    let rules: [(&[&str], &[&str]); 3] = [
        (
            &["getrandom", "OsRng", "thread_rng", "KeyPair::generate"],
            &[
                "server/src/entropy.rs: KeyPair::generate",
                "server/src/entropy.rs: getrandom",
            ],
        ),
        (
            &[
                "argon2",
                "Argon2",
                "spare_key_argon2id",
                "bcrypt",
                "pbkdf2",
                "scrypt",
            ],
            &[
                // What other systems hashed, for the pool of the one below.
                "server/src/hasher/foreign.rs: Argon2",
                "server/src/hasher/foreign.rs: argon2",
                "server/src/hasher/foreign.rs: bcrypt",
                "server/src/hasher/foreign.rs: pbkdf2",
                "server/src/hasher/foreign.rs: scrypt",
                "server/src/hasher/ours.rs: Argon2",
                "server/src/hasher/ours.rs: argon2",
                "server/src/hasher/ours.rs: spare_key_argon2id",
            ],
        ),
        (
            &["SystemTime", "Instant", "Timestamp::now"],
            &[
                "server/src/clock.rs: Instant",
                "server/src/clock.rs: SystemTime",
            ],
        ),
    ];
    for (names, known) in rules {
        exactly(&naming("server/src", names), known);
    }
}

#[test]
fn files_are_short_and_have_a_name_that_says_something() {
    for (path, text) in sources() {
        let written = [".rs", ".js", ".mjs", ".css", ".html", ".sql", ".sh"];
        if written.iter().any(|end| path.ends_with(end)) {
            let lines = text.lines().count();
            assert!(lines <= 500, "{path} has {lines} lines");
        }
        assert!(!path.contains("utils"), "{path}");
    }
}

#[test]
fn no_lint_is_silenced_and_no_test_left_out() {
    for (path, text) in sources() {
        if path == THIS {
            continue;
        }
        let forbidden: &[&str] = match path.rsplit_once('.') {
            Some((_, "rs")) => &["#[allow(", "#![allow(", "#[ignore"],
            Some((_, "mjs" | "js")) => &["test.skip(", "test.only(", "it.skip(", "skip: true"],
            _ => &[],
        };
        for forbidden in forbidden {
            assert!(!text.contains(forbidden), "{path}: {forbidden}");
        }
    }
}

#[test]
fn nothing_names_a_machine_or_a_registry() {
    // The beginnings of absolute paths, written so that they are not here.
    let paths = ["work", "root", "home"].map(|name| format!("/{name}/"));
    for (path, text) in sources() {
        let whole = path != THIS;
        for forbidden in paths.iter().filter(|_| whole) {
            // Not in the middle of another path: `a/home/b` is none of a machine.
            let found = text.match_indices(forbidden.as_str()).any(|(at, _)| {
                let before = text[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || "._-}".contains(c))
            });
            assert!(!found, "{path}: {forbidden}");
        }
        if path.ends_with("package-lock.json") {
            assert!(!text.contains("\"resolved\""), "{path}");
        }
        let hosts = ["registry.npmjs", "registry.yarnpkg", "static.crates.io"];
        for host in hosts.iter().filter(|_| whole) {
            assert!(!text.contains(host), "{path}: {host}");
        }
    }
}

#[test]
fn the_migrations_of_all_stores_have_the_same_numbers_and_names() {
    let folder = root().join("server/migrations");
    let mut stores: Vec<(PathBuf, BTreeSet<String>)> = Vec::new();
    for entry in fs::read_dir(folder).expect("the stores") {
        let store = entry.expect("an entry").path();
        let files = fs::read_dir(&store).expect("a store");
        let files = files.map(|file| file.expect("a file").file_name());
        let files: BTreeSet<_> = files.filter_map(|name| name.into_string().ok()).collect();
        for (place, file) in files.iter().enumerate() {
            let number = format!("{:04}_", place + 1);
            assert!(file.starts_with(&number), "{file} is not number {number}");
        }
        stores.push((store, files));
    }
    let (_, first) = stores.first().expect("a store");
    for (store, files) in &stores {
        assert_eq!(files, first, "{}", store.display());
    }
}

#[test]
fn every_path_of_the_code_map_is_there() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let (_, map) = readme.split_once("\n## Code map\n").expect("a code map");
    let map = map.split("\n## ").next().expect("its text");
    let mut paths = 0;
    for row in map.lines().filter(|line| line.starts_with('|')) {
        let place = row.split('|').nth(1).expect("a column");
        for path in place.split('`').skip(1).step_by(2) {
            paths += 1;
            assert!(root().join(path).exists(), "there is no {path}");
        }
    }
    assert!(paths >= 15, "{paths} paths only");
}

/// Rows S15, A-29: where something secret that was presented is compared with what is expected.
#[test]
fn what_is_presented_is_compared_in_constant_time() {
    exactly(
        &naming("server/src", &["ct_eq"]),
        &[
            "server/src/domain/challenge.rs: ct_eq",
            "server/src/domain/client.rs: ct_eq",
            "server/src/domain/redeem.rs: ct_eq",
            "server/src/http/auth0/my_account.rs: ct_eq",
            "server/src/http/pages/visitor.rs: ct_eq",
            "server/src/keyring/follow.rs: ct_eq",
        ],
    );
}
