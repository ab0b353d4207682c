//! P10: start to ready, memory at rest, the binary.

use spare_key_tests::process::spare_key_binary;

use crate::Depth;
use crate::figures::{Runs, millis};
use crate::ground::{Ground, Kind};
use crate::servers::{Server, keyring};
use crate::table::Row;

pub(crate) fn measured(depth: Depth) -> Vec<Row> {
    let ground = Ground::new(Kind::Sqlite);
    let folder = tempfile::tempdir().expect("a folder");
    let keyring = keyring(folder.path());
    let store = ground.address();
    // The first start makes the database and its signing key.
    let (mut ready, mut resident, mut own) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=depth.of(1, 7) {
        let server = Server::start(|command| {
            command
                .args([
                    "serve",
                    "--issuer",
                    "http://127.0.0.1:8080",
                    "--recovery-codes",
                    "on",
                ])
                .args(["--store", &store, "--keyring"])
                .arg(&keyring);
        });
        if round > 0 {
            ready.push(millis(server.ready_after));
            resident.push(server.memory("VmRSS"));
            own.push(server.proportional());
        }
    }
    let ready: Runs = ready.into_iter().collect();
    let resident: Runs = resident.into_iter().collect();
    let own: Runs = own.into_iter().collect();
    let size = std::fs::metadata(spare_key_binary()).map_or(f64::NAN, |file| file.len() as f64);
    let size = size / 1_000_000.0;
    vec![
        Row::new("P10", "from the start of the process to /readyz saying so, SQLite, ms")
            .figure(ready.median(), ready.words(0))
            .at_most(150.0)
            .limited_by("asked every 5 ms; opening the database, migrations, threads"),
        Row::new("P10", "memory when ready, nothing asked yet, VmRSS in MiB")
            .figure(resident.median(), format!("{}; its own share (Pss) {}", resident.words(1), own.words(1)))
            .at_most(25.0)
            .limited_by("pages of the binary that were touched, SQLite's caches; the hash's memory comes with the first hash"),
        Row::new("P10", "the binary, MB")
            .figure(size, format!("{size:.1}"))
            .at_most(20.0)
            .limited_by("the module, pages, six languages, TLS, SQLite"),
    ]
}
