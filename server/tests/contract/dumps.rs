//! Backups of a PostgreSQL database, as whoever runs the product takes them.

use std::path::Path;

use super::cluster::Database;

/// `pg_dump` of what is ours.
#[track_caller]
pub(crate) fn dump(database: &Database, file: &Path) {
    let file = format!("--file={}", file.display());
    let what = [
        "--format=custom",
        "--schema=spare_key",
        &file,
        &database.name,
    ];
    database.tool("pg_dump", &what);
}

/// `pg_restore` of it, into an empty database.
#[track_caller]
pub(crate) fn fill(database: &Database, file: &Path) {
    let file = file.display().to_string();
    let what = ["--exit-on-error", "--no-owner", "-d", &database.name, &file];
    database.tool("pg_restore", &what);
}
