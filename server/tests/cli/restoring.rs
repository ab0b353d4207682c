//! `backup` and `restore`, with servers around them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::cluster::Database;
use crate::codes::{issue, redeem};
use crate::dumps;
use crate::support::{Place, Running};

const DATA: [&str; 4] = ["--keyring", "keyring.toml", "--store", "sqlite:test.db"];
const STORE: [&str; 2] = ["--store", "sqlite:test.db"];

fn server(place: &Place, data: &[&str]) -> (Running, String) {
    let running = place.start(&[&["dev", "--listen", "127.0.0.1:0"], data].concat());
    let said = running.says("Listening on http://");
    let address = said.replace("Listening on http://", "").trim().to_owned();
    (running, address)
}

/// A backup, what was done after it, and the servers stopped: the codes of one list, of which the
/// first was used before the backup and the second after it.
fn aged(place: &Place) -> Vec<String> {
    place.with_keyring();
    let (running, address) = server(place, &DATA);
    let (number, codes) = issue(&address, "host%7Calice");
    assert_eq!(number, 1);
    assert_eq!(redeem(&address, "host%7Calice", &codes[0]).0, 200);
    let answer = backup(place, "backup.db").done().json();
    assert_eq!(answer["unused_codes"], 9, "{answer}");
    assert_eq!(redeem(&address, "host%7Calice", &codes[1]).0, 200);
    running.stop();
    codes
}

fn backup(place: &Place, file: &str) -> crate::support::Ended {
    place.run(&[&["backup", file, "--json"], STORE.as_slice()].concat())
}

fn aside(place: &Place) {
    fs::rename(place.path("test.db"), place.path("old.db")).unwrap();
}

// S1, C7: one state of the database, whole, while servers write.
#[test]
fn a_backup_is_taken_whole_while_a_server_writes() {
    let place = Place::new();
    place.with_keyring();
    let (running, address) = server(&place, &DATA);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut turn = 0;
            while !over.load(Ordering::Relaxed) {
                issue(&address, &format!("host%7C{turn}"));
                turn += 1;
            }
            turn
        });
        for turn in 0..6 {
            let file = format!("backup-{turn}.db");
            let answer = backup(&place, &file).done().json();
            let mode = fs::metadata(place.path(&file))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
            let live = answer["live_batches"].as_u64().unwrap();
            assert_eq!(
                answer["unused_codes"].as_u64().unwrap(),
                live * 10,
                "{answer}"
            );
        }
        over.store(true, Ordering::Relaxed);
        assert!(writing.join().unwrap() > 0);
    });
    running.stop();
    let names = fs::read_dir(place.path(".")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(!names.into_iter().any(|name| name.contains("partial")));

    let twice = backup(&place, "backup-0.db").refused();
    assert!(
        twice.stderr.contains("nothing is ever overwritten"),
        "{twice:?}"
    );
    let nothing = ["backup", "new.db", "--store", "sqlite:nowhere.db"];
    let nothing = place.run(&nothing).refused();
    assert!(
        nothing.stderr.contains("there is no database"),
        "{nothing:?}"
    );
    assert!(!place.path("new.db").exists() && !place.path("nowhere.db").exists());
}

#[test]
fn nothing_is_served_from_a_backup() {
    let place = Place::new();
    aged(&place);
    aside(&place);
    fs::copy(place.path("backup.db"), place.path("test.db")).unwrap();
    let issuer = [
        "--issuer",
        "https://login.example.com",
        "--listen",
        "127.0.0.1:0",
    ];
    let before = fs::read(place.path("test.db")).unwrap();
    for command in [vec!["serve"], vec!["check"], vec!["account", "list"]] {
        let refused = place
            .run(&[&command, DATA.as_slice(), &issuer].concat())
            .refused();
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert!(said.contains("is a backup of 20"), "{said}");
        assert!(said.contains("spare-key restore --store"), "{said}");
    }
    assert_eq!(fs::read(place.path("test.db")).unwrap(), before);
    // What was put there by other means is restored where it is.
    let end = [&["restore", "--codes", "end"], STORE.as_slice()].concat();
    place.run(&end).done();
    let (running, _) = server(&place, &DATA);
    running.stop();
    let again = place.run(&end).refused();
    assert!(again.stderr.contains("is no backup"), "{again:?}");
}

#[test]
fn a_restore_wants_to_know_what_becomes_of_the_codes_and_overwrites_nothing() {
    let place = Place::new();
    aged(&place);
    let restore = [&["restore", "backup.db"], STORE.as_slice()].concat();
    let asked = place.run(&restore).wrong_usage();
    for choice in ["--spent-from", "--codes end", "--codes keep"] {
        assert!(asked.stderr.contains(choice), "{asked:?}");
    }
    let both = [&restore, ["--codes", "end", "--spent-from", "x"].as_slice()].concat();
    assert_eq!(place.run(&both).code, Some(2));
    let before = fs::read(place.path("test.db")).unwrap();
    let over = place
        .run(&[&restore, ["--codes", "end"].as_slice()].concat())
        .refused();
    assert!(over.stderr.contains("move it aside"), "{over:?}");
    assert_eq!(fs::read(place.path("test.db")).unwrap(), before);
    let live = [
        "restore",
        "test.db",
        "--store",
        "sqlite:new.db",
        "--codes",
        "end",
    ];
    let live = place.run(&live).refused();
    assert!(live.stderr.contains("is no backup"), "{live:?}");
    assert!(!place.path("new.db").exists());
}

// C1, L6: no code comes back to life where the database that came after the backup can be read.
#[test]
fn codes_that_were_used_after_the_backup_stay_used() {
    let place = Place::new();
    let codes = aged(&place);
    aside(&place);
    let restore = [
        &["restore", "backup.db", "--spent-from", "old.db", "--json"],
        STORE.as_slice(),
    ];
    let answer = place.run(&restore.concat()).done().json();
    assert_eq!(answer["in_the_backup"]["unused_codes"], 9, "{answer}");
    assert_eq!(answer["now"]["unused_codes"], 8, "{answer}");
    let (running, address) = server(&place, &DATA);
    assert_eq!(redeem(&address, "host%7Calice", &codes[0]).0, 403);
    assert_eq!(redeem(&address, "host%7Calice", &codes[1]).0, 403);
    assert_eq!(redeem(&address, "host%7Calice", &codes[2]).0, 200);
    let (number, _) = issue(&address, "host%7Calice");
    assert_eq!(number, 1_002);
    let (number, _) = issue(&address, "host%7Cnew");
    assert_eq!(number, 1_001);
    running.stop();
}

#[test]
fn used_codes_are_taken_from_no_older_no_other_and_no_damaged_database() {
    let place = Place::new();
    aged(&place);
    let later = backup(&place, "later.db");
    later.done();
    let restored = [
        "restore",
        "backup.db",
        "--codes",
        "end",
        "--store",
        "sqlite:older.db",
    ];
    let other = Place::new();
    aged(&other);
    fs::copy(other.path("test.db"), place.path("other.db")).unwrap();
    let mut damaged = fs::read(place.path("test.db")).unwrap();
    let half = damaged.len() / 2;
    damaged[half..].fill(0x5a);
    fs::write(place.path("damaged.db"), damaged).unwrap();
    fs::write(place.path("letter.txt"), "Dear Alice, ".repeat(500)).unwrap();
    place.run(&restored).done();
    for (old, why) in [
        ("later.db", "a backup itself"),
        ("other.db", "none of the backup's accounts"),
        ("damaged.db", "nothing"),
        ("letter.txt", "nothing"),
        ("missing.db", "nothing"),
    ] {
        let from = [
            "restore",
            "later.db",
            "--spent-from",
            old,
            "--store",
            "sqlite:new.db",
        ];
        let refused = place.run(&from).refused();
        let said = why == "nothing" || refused.stderr.contains(why);
        assert!(said, "{old} {refused:?}");
        assert!(!place.path("new.db").exists(), "nothing half done is left");
    }
}

#[test]
fn kept_codes_ask_for_new_ones() {
    let place = Place::new();
    let codes = aged(&place);
    aside(&place);
    let keep = ["restore", "backup.db", "--codes", "keep"];
    place.run(&[keep.as_slice(), &STORE].concat()).done();
    let (running, address) = server(&place, &DATA);
    // The second was used after the backup: that is what was chosen.
    let (status, answer) = redeem(&address, "host%7Calice", &codes[1]);
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("\"low\":true"), "{answer}");
    issue(&address, "host%7Calice");
    running.stop();
}

// C6, C7: cut off anywhere, a restore leaves nothing, or what is not served from, or all of it.
#[test]
fn a_restore_that_is_killed_leaves_nothing_that_is_served_by_mistake() {
    let place = Place::new();
    let codes = aged(&place);
    aside(&place);
    let never = std::sync::mpsc::channel::<()>().1;
    let restore = [
        &["restore", "backup.db", "--codes", "end"],
        STORE.as_slice(),
    ]
    .concat();
    for turn in 0..12 {
        let running = place.start(&restore);
        // Nobody ever says anything: a moment passes.
        assert!(never.recv_timeout(Duration::from_millis(turn * 4)).is_err());
        running.signal("-KILL");
        drop(running);
        let check = place.run(&[&["check"], DATA.as_slice()].concat());
        let store = check
            .stdout
            .lines()
            .find(|line| line.contains("store"))
            .unwrap();
        let absent = store.contains("made at the first start");
        let marked = store.contains("is a backup");
        let whole = store.contains("schema current");
        assert!(absent || marked || whole, "{check:?}");
        if marked {
            let finish = [&["restore", "--codes", "end"], STORE.as_slice()].concat();
            place.run(&finish).done();
        }
        if marked || whole {
            let (running, address) = server(&place, &DATA);
            assert_eq!(redeem(&address, "host%7Calice", &codes[2]).0, 403);
            running.stop();
            fs::remove_file(place.path("test.db")).unwrap();
        }
    }
}

#[test]
fn postgresql_is_backed_up_by_its_own_tools_and_restored_by_ours() {
    let database = Database::create(&[]);
    let place = Place::new();
    place.with_keyring();
    let url = database.url();
    let data = ["--keyring", "keyring.toml", "--store", &url];
    let (running, address) = server(&place, &data);
    let (_, codes) = issue(&address, "host%7Calice");
    let said = place
        .run(&["backup", "codes.dump", "--store", &url])
        .refused();
    assert!(
        said.stderr
            .contains("pg_dump --format=custom --schema=spare_key"),
        "{said:?}"
    );
    assert!(!place.path("codes.dump").exists());
    let dump = place.path("codes.dump");
    dumps::dump(&database, &dump);
    assert_eq!(redeem(&address, "host%7Calice", &codes[0]).0, 200);
    running.stop();

    for (choice, first, second) in [
        (vec!["--spent-from", url.as_str()], 403, 200),
        (vec!["--codes", "end"], 403, 403),
        (vec!["--codes", "keep"], 200, 200),
    ] {
        let filled = Database::create(&[]);
        dumps::fill(&filled, &dump);
        let new = filled.url();
        let store = ["--store", new.as_str()];
        let restore = [&["restore"], choice.as_slice(), &store].concat();
        let asked = place.run(&restore).wrong_usage();
        assert!(asked.stderr.contains("--yes"), "{asked:?}");
        place.run(&[&restore, ["--yes"].as_slice()].concat()).done();
        let data = ["--keyring", "keyring.toml", "--store", &new];
        let (running, address) = server(&place, &data);
        assert_eq!(
            redeem(&address, "host%7Calice", &codes[0]).0,
            first,
            "{choice:?}"
        );
        assert_eq!(
            redeem(&address, "host%7Calice", &codes[1]).0,
            second,
            "{choice:?}"
        );
        running.stop();
    }
}
