//! A million people: how they are put there, what they weigh, and what everything costs then.
//!
//! Most are filled in by SQL in the adapters' own tables, a slice a transaction, as copies of one
//! that the product made, with random salts and digests that no code fits: nothing could be hashed
//! ten million times. Among them, evenly, are people whose codes the product itself issued, with a
//! cheap hash; what is measured is measured on those.

use std::path::PathBuf;
use std::time::Duration;

use spare_key_core::{Code, Spec};
use spare_key_server::app::App;
use spare_key_server::clock::{Clock as _, Stopwatch, SystemClock};
use spare_key_server::domain::{Activation, Authority, Caller, HostProof, StageRequest, VouchedBy};
use spare_key_server::model::AccountId;
use tempfile::TempDir;

use crate::figures::{Runs, millis, ratios};
use crate::ground::{Ground, Kind, sql};
use crate::servers::{assembled, keyring};
use crate::table::Row;
use crate::{Depth, say, tell, upkeep, waited_for};

/// Accounts that one transaction fills in.
const SLICE: u64 = 10_000;

/// People whom the product itself gave codes.
pub(crate) struct People {
    pub(crate) app: App,
    /// Their codes, and how many of each are spent.
    pub(crate) all: Vec<(AccountId, Vec<Code>)>,
    _folder: TempDir,
}

/// A host that vouches for this person.
fn host(account: &AccountId) -> Caller {
    Caller {
        account: account.clone(),
        authority: Authority::Host {
            client: "dev-host".to_owned(),
            proof: Some(HostProof {
                amr: vec!["pwd".to_owned()],
                at: SystemClock.now(),
                by: VouchedBy::Person,
            }),
        },
        ip: None,
    }
}

impl People {
    async fn new(address: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let keyring: PathBuf = keyring(folder.path());
        Self {
            app: assembled(address, &keyring, 2).await,
            all: Vec::new(),
            _folder: folder,
        }
    }

    /// New codes for this one, live at once.
    pub(crate) async fn issue(&self, account: &AccountId) -> Vec<Code> {
        let request = StageRequest {
            spec: Spec::LIST,
            activation: Activation::AtOnce,
            idempotency: None,
        };
        let issued = self.app.mfa().stage(&host(account), request).await;
        let codes = issued.expect("codes").codes;
        codes.into_iter().map(|numbered| numbered.code).collect()
    }

    async fn more(&mut self, count: u64) {
        for _ in 0..count {
            let name = format!(
                "auth0|{:024x}",
                0x5f7c_8ec7_u128 << 64
                    | (self.all.len() as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            );
            let account = AccountId::parse(&name).expect("a name");
            let codes = self.issue(&account).await;
            self.all.push((account, codes));
        }
    }

    pub(crate) async fn redeem(&self, who: usize, number: usize) -> Duration {
        let (account, codes) = &self.all[who];
        self.spend(account, &codes[number]).await
    }

    pub(crate) async fn spend(&self, account: &AccountId, code: &Code) -> Duration {
        let (caller, text) = (host(account), code.bare());
        let watch = Stopwatch::start();
        let code = self.app.mfa().read_code(&caller, &text).await;
        let code = code.expect("the store answers").expect("a code");
        let spent = self.app.mfa().redeem(&caller, &code).await;
        spent.expect("it is accepted");
        watch.elapsed()
    }

    async fn status(&self, who: usize) -> Duration {
        let watch = Stopwatch::start();
        let status = self.app.mfa().status(&self.all[who].0).await;
        status.expect("a status");
        watch.elapsed()
    }

    async fn regenerate(&self, who: usize) -> Duration {
        let watch = Stopwatch::start();
        self.issue(&self.all[who].0).await;
        watch.elapsed()
    }
}

/// So many people in this store, among them so many with codes of the product's own.
pub(crate) async fn people(address: &str, count: u64, known: u64) -> People {
    let mut people = People::new(address).await;
    people.more(1).await;
    let slices = count.div_ceil(SLICE);
    let watch = Stopwatch::start();
    for slice in 0..slices {
        let each = SLICE.min(count - slice * SLICE);
        let own = (known / slices).clamp(1, each);
        people.more(own).await;
        sql(address, &filler(address, each - own));
        if slice % 10 == 9 {
            let done = (slice + 1) * SLICE;
            tell(&format!(
                "{done} of {count} after {:.0} s",
                watch.elapsed().as_secs_f64()
            ));
        }
    }
    sql(
        address,
        if is_sqlite(address) {
            "PRAGMA wal_checkpoint(TRUNCATE); ANALYZE"
        } else {
            "VACUUM ANALYZE"
        },
    );
    people
}

fn is_sqlite(address: &str) -> bool {
    address.starts_with("sqlite:")
}

/// The statements that put so many more people there, each a copy of the first: whatever columns
/// the tables have, only these differ.
fn filler(address: &str, count: u64) -> String {
    let sqlite = is_sqlite(address);
    let (random16, random32, locator, name) = if sqlite {
        (
            "randomblob(16)",
            "randomblob(32)",
            "abs(random()) % 65536",
            "'auth0|' || lower(hex(randomblob(12)))",
        )
    } else {
        (
            "uuid_send(gen_random_uuid())",
            "sha256(uuid_send(gen_random_uuid()))",
            "floor(random() * 65536)::int",
            "'auth0|' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 24)",
        )
    };
    let uuid = if sqlite {
        random16
    } else {
        "gen_random_uuid()"
    };
    let numbers = if sqlite {
        format!(
            "(WITH RECURSIVE i(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM i WHERE x < {count}) SELECT x FROM i) AS many"
        )
    } else {
        format!("generate_series(1, {count}) AS many")
    };
    let copy = |table: &str, from: &str, changed: &[(&str, &str)]| {
        let (mut into, mut values) = (Vec::new(), Vec::new());
        for column in columns(address, table) {
            // Each table gives its own numbers.
            if matches!((table, column.as_str()), ("account", "n") | ("event", "id")) {
                continue;
            }
            let other = changed.iter().find(|(name, _)| *name == column);
            values.push(
                other.map_or_else(|| format!("t.{column}"), |(_, value)| (*value).to_owned()),
            );
            into.push(column);
        }
        format!(
            "INSERT INTO {table} ({}) SELECT {} FROM {from}",
            into.join(", "),
            values.join(", ")
        )
    };
    let template = "(SELECT min(n) FROM account)";
    // Those just added are the ones without a batch.
    let new = format!(
        "(SELECT n, id FROM account WHERE n > (SELECT max(n) FROM account) - {count}) AS a"
    );
    let statements = [
        copy(
            "account",
            &format!("account AS t, {numbers} WHERE t.n = {template}"),
            &[("id", name), ("uuid", uuid)],
        ),
        copy(
            "batch",
            &format!("batch AS t, {new} WHERE t.account_n = {template}"),
            &[("account_n", "a.n")],
        ),
        copy(
            "code",
            &format!("{new}, code AS t WHERE t.account_n = {template}"),
            &[
                ("account_n", "a.n"),
                ("locator", locator),
                ("salt", random16),
                ("digest", random32),
            ],
        ),
        copy(
            "event",
            &format!(
                "{new}, event AS t WHERE t.account_id = (SELECT id FROM account WHERE n = {template})"
            ),
            &[("account_id", "a.id")],
        ),
    ];
    if sqlite {
        format!(
            "PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; BEGIN; {}; COMMIT",
            statements.join("; ")
        )
    } else {
        statements.join("; ")
    }
}

fn columns(address: &str, table: &str) -> Vec<String> {
    let names = if is_sqlite(address) {
        format!("SELECT group_concat(name, ' ') FROM pragma_table_info('{table}')")
    } else {
        format!(
            "SELECT string_agg(column_name, ' ' ORDER BY ordinal_position) FROM information_schema.columns WHERE table_schema = 'spare_key' AND table_name = '{table}'"
        )
    };
    sql(address, &names)
        .split_whitespace()
        .map(str::to_owned)
        .collect()
}

/// Only fills a store, for whoever wants to look at it.
pub(crate) fn filled(address: &str, count: u64) {
    waited_for(async {
        let watch = Stopwatch::start();
        people(address, count, 1_000.min(count / 10)).await;
        let seconds = watch.elapsed().as_secs_f64();
        say(&format!(
            "{count} accounts with 10 codes each after {seconds:.0} s"
        ));
    });
}

/// Bytes a person takes, with indexes and the record of the issuing.
fn weight(address: &str, count: u64) -> f64 {
    let bytes = if is_sqlite(address) {
        sql(
            address,
            "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
        )
    } else {
        sql(
            address,
            "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class AS c WHERE c.relnamespace = 'spare_key'::regnamespace AND c.relkind = 'r'",
        )
    };
    bytes.parse().unwrap_or(f64::NAN) / count as f64
}

/// P8: with so many accounts against a thousand.
pub(crate) fn compared(kind: Kind, count: u64, depth: Depth, add: &mut dyn FnMut(Row)) {
    let (large, small) = (Ground::new(kind), Ground::new(kind));
    waited_for(async {
        let watch = Stopwatch::start();
        let many = people(&large.address(), count, depth.of(50, 1_000)).await;
        let loaded = watch.elapsed();
        let few = people(&small.address(), 1_000, depth.of(50, 1_000)).await;
        beside(kind, count, depth, &many, &few, &mut *add).await;
        let bytes = weight(&large.address(), count);
        let row = Row::new("P8", format!("a person with 10 codes and the record of their issuing, {}, {count} accounts, bytes with indexes", kind.name()))
            .figure(bytes, format!("{bytes:.0} (filled in {:.0} s)", loaded.as_secs_f64()))
            .limited_by("salts and digests: 480 bytes; identifiers in three indexes");
        add(match kind {
            Kind::Sqlite => row.at_most(1_229.0),
            Kind::Postgres => row,
        });
        upkeep::measured(kind, &large.address(), count, &many, &mut *add).await;
    });
}

/// The three operations in turn on both.
async fn beside(
    kind: Kind,
    count: u64,
    depth: Depth,
    many: &People,
    few: &People,
    add: &mut dyn FnMut(Row),
) {
    let times = depth.of(10, 150);
    let names = ["redemption", "status", "regenerate"];
    for (place, name) in names.into_iter().enumerate() {
        let (mut of_many, mut of_few) = (Vec::new(), Vec::new());
        for round in 0..depth.rounds() {
            let mut spans = [Vec::new(), Vec::new()];
            for turn in 0..times {
                let turn = round * times + turn;
                for (people, spans) in [many, few].into_iter().zip(&mut spans) {
                    // Far apart from one another, so that no page is in a cache for having been asked.
                    let who = turn * 37 % people.all.len();
                    let span = match place {
                        0 => people.redeem(who, turn / people.all.len()).await,
                        1 => people.status(who).await,
                        _ => people.regenerate(who).await,
                    };
                    spans.push(millis(span));
                }
            }
            let [large, small] = spans;
            of_many.push(Runs::from_iter(large).median());
            of_few.push(Runs::from_iter(small).median());
        }
        let shares = ratios(&of_many, &of_few);
        let of_many: Runs = of_many.into_iter().collect();
        add(Row::new(
            "P8",
            format!(
                "{name} with {count} accounts, {}, one caller, cheap hash: share of 1000",
                kind.name()
            ),
        )
        .figure(
            shares.median(),
            format!("{}; {} ms", shares.words(2), of_many.words(2)),
        )
        .at_most(1.05)
        .limited_by("commits; with the real hash the difference is lost beside it"));
    }
}
