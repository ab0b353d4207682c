//! Restoring an older backup: what it means is in `server/restore`, in each database's words.
//!
//! A backup knows nothing of what came after it: codes redeemed since, batches ended, numbers given.
//! So whoever restores one says what becomes of the codes, and a fence is put behind everything
//! else. One transaction; until it is committed the file says of itself that it is a backup.

use crate::model::{EventKind, Timestamp};

/// How far the numbers of batches jump: more than anybody is given between two backups.
pub const NUMBERS_JUMP: u32 = 1_000;

/// What a database is, seen without changing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// There is none yet.
    Absent,
    /// One that is brought up to date when it is opened.
    Older {
        /// Its schema.
        found: u32,
        /// This binary's.
        known: u32,
    },
    /// One of this binary's schema.
    Current,
}

/// What becomes of the codes that were live in the backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveCodes {
    /// They end; people make new ones.
    End,
    /// They stay, and people are asked for new ones.
    Keep,
    /// They are what they were in another database, which knows what came after the backup.
    SpentFrom(Past),
}

impl LiveCodes {
    /// As it stands on record.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::End => "end",
            Self::Keep => "keep",
            Self::SpentFrom(_) => "spent-from",
        }
    }
}

/// A restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restoration {
    /// What becomes of the codes.
    pub codes: LiveCodes,
    /// Now.
    pub at: Timestamp,
}

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Accounts.
    pub accounts: u64,
    /// Bound authenticators.
    pub authenticators: u64,
    /// Live batches.
    pub live: u64,
    /// Unused codes of theirs.
    pub codes: u64,
}

impl Counts {
    /// The query for them, in words that both databases have.
    pub(super) const SQL: &'static str = "\
        SELECT (SELECT count(*) FROM account), \
               (SELECT count(*) FROM totp WHERE confirmed_at IS NOT NULL), \
               (SELECT count(*) FROM batch WHERE state = 1), \
               (SELECT count(*) FROM code AS c JOIN batch AS b \
                    ON b.account_n = c.account_n AND b.generation = c.generation \
                WHERE b.state = 1 AND c.used_at IS NULL)";
}

/// What a restore has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// When the backup was taken, if it says so.
    pub taken_at: Option<Timestamp>,
    /// What was in the backup.
    pub before: Counts,
    /// What there is now.
    pub after: Counts,
}

/// What a database knows of its codes and of who may use them, as rows of JSON.
#[derive(Clone, PartialEq, Eq)]
pub struct Past {
    /// A list for each of [`TABLES`].
    pub(super) rows: Vec<Vec<String>>,
    /// Its newest event.
    pub(super) last_event: i64,
}

impl std::fmt::Debug for Past {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Past(…)")
    }
}

impl Past {
    /// Lists of at most a thousand rows of a table, each a JSON array.
    pub(super) fn slices(&self, table: usize) -> impl Iterator<Item = String> {
        let rows = self.rows.get(table).map_or(&[][..], Vec::as_slice);
        rows.chunks(1_000)
            .map(|slice| format!("[{}]", slice.join(",")))
    }
}

/// How a column stands in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    /// A number, 0 or 1.
    Flag,
    /// Text of hexadecimal digits.
    Bytes,
    /// As text; a schema from before it has no such column, and then it is null.
    Later,
}

/// What is read of a past: a table, where its rows come from, and its columns: each with its source
/// (of one of [`Kind::Later`] the table's short name) and its kind.
pub(super) struct PastTable {
    pub(super) name: &'static str,
    pub(super) from: &'static str,
    pub(super) columns: &'static [(&'static str, &'static str, Kind)],
}

use Kind::{Bytes, Flag, Later, Number, Text};

/// Names that both schemas have had from the first on, but for those of [`Kind::Later`].
pub(super) const TABLES: [PastTable; 7] = [
    PastTable {
        name: "past_account",
        from: "account AS a",
        columns: &[
            ("account", "a.id", Text),
            ("created_at", "a.created_at", Number),
            ("last_generation", "a.last_generation", Number),
            ("last_redeemed_at", "a.last_redeemed_at", Number),
            ("reset_at", "a.reset_at", Number),
            ("administrator", "a.administrator", Flag),
            ("password_memory_kib", "a.password_memory_kib", Number),
            ("password_passes", "a.password_passes", Number),
            ("password_lanes", "a.password_lanes", Number),
            ("password_key", "a.password_key", Number),
            ("password_salt", "a.password_salt", Bytes),
            ("password_digest", "a.password_digest", Bytes),
        ],
    },
    PastTable {
        name: "past_batch",
        from: "batch AS b JOIN account AS a ON a.n = b.account_n",
        columns: &[
            ("account", "a.id", Text),
            ("generation", "b.generation", Number),
            ("state", "b.state", Number),
            ("format", "b.format", Number),
            ("memory_kib", "b.memory_kib", Number),
            ("passes", "b.passes", Number),
            ("lanes", "b.lanes", Number),
            ("key_id", "b.key_id", Number),
            ("total", "b.total", Number),
            ("used", "b.used", Number),
            ("issued_at", "b.issued_at", Number),
            ("activated_at", "b.activated_at", Number),
            ("ended_at", "b.ended_at", Number),
            ("reminded_until", "b.reminded_until", Number),
            ("origin", "b", Later),
            ("letters", "b", Later),
            ("separators", "b", Later),
        ],
    },
    PastTable {
        name: "past_code",
        from: "code AS c JOIN account AS a ON a.n = c.account_n",
        columns: &[
            ("account", "a.id", Text),
            ("generation", "c.generation", Number),
            ("number", "c.number", Number),
            ("locator", "c.locator", Number),
            ("salt", "c.salt", Bytes),
            ("digest", "c.digest", Bytes),
            ("used_at", "c.used_at", Number),
            ("recipe", "c", Later),
        ],
    },
    PastTable {
        name: "past_totp",
        from: "totp AS t JOIN account AS a ON a.n = t.account_n AND t.confirmed_at IS NOT NULL",
        columns: &[
            ("account", "a.id", Text),
            ("n", "t.n", Number),
            ("id", "t.id", Text),
            ("name", "t.name", Text),
            ("secret", "t.secret", Bytes),
            ("begun_at", "t.begun_at", Number),
            ("confirmed_at", "t.confirmed_at", Number),
            ("last_step", "t.last_step", Number),
            ("last_used_at", "t.last_used_at", Number),
        ],
    },
    PastTable {
        name: "past_key",
        from: "api_key AS k",
        columns: &[("digest", "k.digest", Bytes)],
    },
    PastTable {
        name: "past_client",
        from: "client AS c",
        columns: &[
            ("id", "c.id", Text),
            ("secret", "c.secret", Bytes),
            ("scopes", "c.scopes", Text),
            ("grants", "c.grants", Text),
            ("audiences", "c.audiences", Text),
            ("origins", "c.origins", Text),
        ],
    },
    PastTable {
        name: "past_throttle",
        from: "throttle AS t",
        columns: &[
            ("account", "t.account_id", Text),
            ("lane", "t.lane", Number),
            ("failures", "t.failures", Number),
            ("full_at", "t.full_at", Number),
            ("waits", "t.waits", Number),
            ("retry_at", "t.retry_at", Number),
        ],
    },
];

/// The kinds of event that a restore writes: of batches that ended, and that were kept.
pub(super) const KINDS: [&str; 2] = [EventKind::CodesRevoked.name(), EventKind::CodesKept.name()];

/// Why another database's past is not taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PastUnfit {
    /// It ends before the backup was taken.
    #[error("the database to take used codes from is older than the backup")]
    Older,
    /// It is another installation's.
    #[error("the database to take used codes from knows none of the backup's accounts")]
    Another,
}
