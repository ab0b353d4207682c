-- The first schema: accounts, authenticators, batches and their codes, challenges and sessions,
-- step-up tokens, trusted devices, API keys, throttles, the audit trail and its outbox, idempotency keys, clients and what they hold,
-- the tenant's switches, signing keys.
--
-- Times are milliseconds since 1970 (UTC). A digest of an opaque value is its SHA-256 (32 bytes).
-- "Sealed" is under the keyring, which is not in this file.

-- Whose codes.
CREATE TABLE account (
    n                   INTEGER PRIMARY KEY AUTOINCREMENT, -- its number, never used twice
    id                  TEXT NOT NULL UNIQUE,           -- the caller's own identifier
    uuid                BLOB NOT NULL UNIQUE,           -- made of it, for those who want a UUID
    login               TEXT UNIQUE,                    -- what the person signs in with, folded
    issuer              TEXT,                           -- the identity provider it lives at; null:
                                                        -- here, or behind a host
    password_memory_kib INTEGER,                        -- Argon2id of the password: memory
    password_passes     INTEGER,                        -- … passes
    password_lanes      INTEGER,                        -- … lanes
    password_key        INTEGER,                        -- keyring key that was its pepper
    password_salt       BLOB,                           -- 16 random bytes
    password_digest     BLOB,                           -- 32 bytes; null: no password lives here
    last_generation     INTEGER NOT NULL DEFAULT 0,     -- highest batch number ever given
    last_redeemed_at    INTEGER,                        -- latest redemption in any generation
    grace_from          INTEGER,                        -- since when it is let in without a
                                                        -- factor that it should enroll
    reset_at            INTEGER,                        -- when its factors were last taken from it
    administrator       INTEGER NOT NULL DEFAULT 0,     -- 1: it may administer the others
    created_at          INTEGER NOT NULL                -- when it came into being
) STRICT;

-- Time-based one-time password authenticators, pending and bound.
CREATE TABLE totp (
    n            INTEGER PRIMARY KEY AUTOINCREMENT,     -- its number, never used twice
    account_n    INTEGER NOT NULL REFERENCES account (n) ON DELETE CASCADE, -- whose
    id           TEXT NOT NULL,                         -- public name
    name         TEXT,                                  -- what its owner calls it
    secret       BLOB NOT NULL,                         -- sealed; empty once lapsed
    holder       BLOB,                                  -- pending: digest of who may confirm it
    expires_at   INTEGER,                               -- pending: when it lapses
    tries        INTEGER NOT NULL DEFAULT 0,            -- pending: first passwords that were tried
    begun_at     INTEGER NOT NULL,                      -- when it was drawn
    confirmed_at INTEGER,                               -- when it was bound; null: pending
    last_step    INTEGER,                               -- bound: last time step accepted
    last_used_at INTEGER,                               -- bound: when one was last accepted
    UNIQUE (account_n, id)
) STRICT;
-- An authenticator is also asked for by its name alone.
CREATE UNIQUE INDEX totp_by_id ON totp (id);
-- For the sweep; holds pending ones only.
CREATE INDEX totp_lapses ON totp (expires_at) WHERE confirmed_at IS NULL;

-- Codes issued together. A row outlives its codes: it is the record of what was ever bound.
CREATE TABLE batch (
    account_n    INTEGER NOT NULL REFERENCES account (n) ON DELETE CASCADE, -- whose
    generation   INTEGER NOT NULL CHECK (generation > 0), -- its number, never used twice
    state        INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4), -- 0 pending, 1 active,
                                                        -- 2 superseded, 3 revoked, 4 lapsed
    format       INTEGER NOT NULL CHECK (format IN (0, 1)), -- 0 list, 1 single
    memory_kib   INTEGER NOT NULL,                      -- Argon2id of its codes: memory
    passes       INTEGER NOT NULL,                      -- … passes
    lanes        INTEGER NOT NULL,                      -- … lanes
    key_id       INTEGER NOT NULL,                      -- keyring key of pepper and locators
    total        INTEGER NOT NULL,                      -- codes issued
    used         INTEGER NOT NULL DEFAULT 0 CHECK (used BETWEEN 0 AND total), -- codes spent
    issued_at    INTEGER NOT NULL,                      -- when it was drawn
    activated_at INTEGER,                               -- when it became live; null: never
    ended_at     INTEGER,                               -- when it stopped being pending or live
    reminded_until INTEGER,                             -- when its owner would hear no more of how
                                                        -- few are left
    holder       BLOB,                                  -- digest of who may see it again
    seed         BLOB,                                  -- sealed; null once erased
    seed_until   INTEGER,                               -- when the seed (a pending batch) lapses
    CHECK (state <> 0 OR (holder IS NOT NULL AND seed IS NOT NULL AND seed_until IS NOT NULL)),
    CHECK (state < 2 OR seed IS NULL),
    PRIMARY KEY (account_n, generation)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX batch_one_active ON batch (account_n) WHERE state = 1;
CREATE UNIQUE INDEX batch_one_pending ON batch (account_n) WHERE state = 0;
-- For the sweep; holds batches that can still be shown only.
CREATE INDEX batch_seeds ON batch (seed_until) WHERE seed IS NOT NULL;

-- The codes of pending and active batches; those of ended ones are erased.
CREATE TABLE code (
    account_n  INTEGER NOT NULL,                        -- whose
    generation INTEGER NOT NULL,                        -- of which batch
    number     INTEGER NOT NULL,                        -- place on the sheet, from 1
    locator    INTEGER NOT NULL,                        -- 16-bit keyed tag, distinct in a batch
    salt       BLOB NOT NULL,                           -- 16 random bytes
    digest     BLOB NOT NULL,                           -- 32 bytes of Argon2id
    used_at    INTEGER,                                 -- when it was spent; null: unused
    PRIMARY KEY (account_n, generation, number),
    FOREIGN KEY (account_n, generation) REFERENCES batch (account_n, generation)
        ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- One open question to a person behind a proven first factor.
CREATE TABLE challenge (
    digest      BLOB PRIMARY KEY,                       -- digest of the value the person holds
    account_n   INTEGER NOT NULL REFERENCES account (n) ON DELETE CASCADE, -- whose
    password_at INTEGER NOT NULL,                       -- when the first factor was proven
    factor_at   INTEGER,                                -- when a second one was
    expires_at  INTEGER NOT NULL,                       -- when it ends
    spent_at    INTEGER,                                -- when it yielded its session
    client_id   TEXT REFERENCES client (id) ON DELETE CASCADE, -- the program that the person
                                                        -- signs in to; null: our pages
    audience    TEXT,                                   -- … the API it asked for; null: none
    scope       TEXT,                                   -- … and the scopes, by spaces
    door        INTEGER NOT NULL CHECK (door IN (0, 1, 2)), -- where it leads: 0 our pages,
                                                        -- 1 a program, 2 an access token
    tries       INTEGER NOT NULL DEFAULT 0,             -- answers tried, where they are counted
    CHECK ((door = 1) = (client_id IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX challenge_of_account ON challenge (account_n);
CREATE INDEX challenge_ends ON challenge (expires_at);
CREATE INDEX challenge_of_client ON challenge (client_id) WHERE client_id IS NOT NULL;

-- Live sessions; an ended one is gone.
CREATE TABLE session (
    digest            BLOB PRIMARY KEY,                 -- digest of the value in the cookie
    account_n         INTEGER NOT NULL REFERENCES account (n) ON DELETE CASCADE, -- whose
    kind              INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 4), -- 0 full, 1 recovery,
                                                        -- 2 carried, 3 bearer, 4 enroll only
    auth_time         INTEGER NOT NULL,                 -- when the person signed in
    factor_at         INTEGER,                          -- when an authenticator was last proven
    opened_generation INTEGER,                          -- the code that opened it: its batch
    opened_number     INTEGER,                          -- … and its place there
    seen_at           INTEGER NOT NULL,                 -- when it was last seen, to the minute
    expires_at        INTEGER NOT NULL,                 -- when it ends whatever happens
    client_id         TEXT REFERENCES client (id) ON DELETE CASCADE -- the program that holds
                                                        -- tokens of it; null: a browser
) STRICT, WITHOUT ROWID;
CREATE INDEX session_of_account ON session (account_n);
CREATE INDEX session_ends ON session (expires_at);
CREATE INDEX session_of_client ON session (client_id) WHERE client_id IS NOT NULL;

-- Tokens for one change of factors or codes. A spent one is gone; all end with their session.
CREATE TABLE step_up (
    digest     BLOB PRIMARY KEY,                        -- digest of the token
    session    BLOB NOT NULL REFERENCES session (digest) ON DELETE CASCADE, -- made in which
    expires_at INTEGER NOT NULL                         -- when it ends
) STRICT, WITHOUT ROWID;
CREATE INDEX step_up_of_session ON step_up (session);
CREATE INDEX step_up_ends ON step_up (expires_at);

-- Devices whose sign-ins are not asked for a second factor.
CREATE TABLE trusted_device (
    digest       BLOB PRIMARY KEY,                      -- digest of the value in its cookie
    account_n    INTEGER NOT NULL REFERENCES account (n) ON DELETE CASCADE, -- whose
    id           BLOB NOT NULL,                         -- its public name, a UUID
    label        TEXT NOT NULL,                         -- what it said of itself
    ip           TEXT,                                  -- from where
    created_at   INTEGER NOT NULL,                      -- since when it is trusted
    last_seen_at INTEGER NOT NULL,                      -- when it was last recognized
    expires_at   INTEGER NOT NULL                       -- until when it is trusted
) STRICT, WITHOUT ROWID;
CREATE INDEX trusted_device_of_account ON trusted_device (account_n);
CREATE INDEX trusted_device_ends ON trusted_device (expires_at);

-- API keys: a person's own programs carry them with every request.
CREATE TABLE api_key (
    n          INTEGER PRIMARY KEY AUTOINCREMENT,       -- its number, never used twice
    digest     BLOB NOT NULL UNIQUE,                    -- digest of the key
    account_n  INTEGER NOT NULL REFERENCES account (n) ON DELETE CASCADE, -- whose
    name       TEXT,                                    -- what its owner calls it
    factor_at  INTEGER,                                 -- when a factor was last proven with it
    created_at INTEGER NOT NULL                         -- when it was made
) STRICT;
CREATE INDEX api_key_of_account ON api_key (account_n);

-- Refresh tokens. They end with their session.
CREATE TABLE refresh (
    digest      BLOB PRIMARY KEY,                       -- digest of the token
    session     BLOB NOT NULL REFERENCES session (digest) ON DELETE CASCADE, -- of which session
    audience    TEXT,                                   -- the API it is good for; null: none
    scope       TEXT NOT NULL,                          -- the scopes it is good for, by spaces
    replaced_at INTEGER                                 -- when its successor was given
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_of_session ON refresh (session);

-- Attempts that were not successes. No foreign key: an unknown account is throttled like any other.
CREATE TABLE throttle (
    account_id TEXT NOT NULL,                           -- whose, known or not
    lane       INTEGER NOT NULL CHECK (lane IN (0, 1, 2)), -- 0 recovery codes, 1 one-time passwords, 2 passwords
    failures   INTEGER NOT NULL,                        -- in a row, whatever time lies between
    full_at    INTEGER NOT NULL,                        -- when the bucket is full again
    waits      INTEGER NOT NULL,                        -- waits so far since it was last full
    retry_at   INTEGER NOT NULL,                        -- no attempt before this
    PRIMARY KEY (account_id, lane)
) STRICT, WITHOUT ROWID;
-- For the sweep; holds forgiven ones and passwords only, as the other counts are kept.
CREATE INDEX throttle_idle ON throttle (full_at) WHERE failures = 0 OR lane = 2;

-- The audit trail. No foreign key: refusals on unknown accounts are on record too.
CREATE TABLE event (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,       -- its number, never used twice
    account_id TEXT NOT NULL,                           -- whose
    kind       TEXT NOT NULL,                           -- what happened, by its stable name
    at         INTEGER NOT NULL,                        -- when
    actor      TEXT NOT NULL,                           -- person, person:CLIENT (through it),
                                                        -- administrator, administrator:ACCOUNT,
                                                        -- client:ID
    generation INTEGER,                                 -- the batch it was about
    number     INTEGER,                                 -- the code's place in it
    remaining  INTEGER,                                 -- codes left afterwards
    detail     TEXT,                                    -- a fixed word on the why
    ip         TEXT                                     -- from where
) STRICT;
CREATE INDEX event_of_account ON event (account_id, id);

-- Events the person has still to be told of.
CREATE TABLE outbox (
    event_id INTEGER PRIMARY KEY REFERENCES event (id) ON DELETE CASCADE -- which
) STRICT;

-- Callers' idempotency keys. They outlive the seed, so that a replay after a redemption is known.
CREATE TABLE idempotency (
    key        BLOB PRIMARY KEY,                        -- digest of caller and key
    request    BLOB NOT NULL,                           -- digest of the request it came with
    account_n  INTEGER NOT NULL REFERENCES account (n) ON DELETE CASCADE, -- whose batch
    generation INTEGER NOT NULL,                        -- which batch it brought about; 0: none
    until      INTEGER NOT NULL                         -- until when it is remembered
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_of_account ON idempotency (account_n);
CREATE INDEX idempotency_ends ON idempotency (until);

-- Programs that call.
CREATE TABLE client (
    id         TEXT PRIMARY KEY,                        -- identifier
    name       TEXT NOT NULL,                           -- a name for people
    secret     BLOB,                                    -- digest of its secret; null: it can keep none
    scopes     TEXT NOT NULL,                           -- what it may do, sorted, by spaces
    grants     TEXT NOT NULL DEFAULT '',                -- how it gets tokens, sorted, by spaces
    audiences  TEXT NOT NULL DEFAULT '',                -- other APIs it gets tokens for, by spaces
    origins    TEXT NOT NULL DEFAULT '',                -- web origins it calls from, by spaces
    created_at INTEGER NOT NULL                         -- when it was added
) STRICT, WITHOUT ROWID;

-- The tenant's switches, as set by those who run it. A switch that is not here stands as it began.
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,                             -- which
    value TEXT NOT NULL                                 -- how it stands
) STRICT, WITHOUT ROWID;

-- Keys that tokens are signed with.
CREATE TABLE signing_key (
    id             TEXT PRIMARY KEY,                    -- its public name (kid)
    secret         BLOB NOT NULL,                       -- the private key, sealed
    signs_from     INTEGER NOT NULL,                    -- from when it signs
    verifies_until INTEGER,                             -- until when it is published; null: while
                                                        -- nothing has taken its place
    created_at     INTEGER NOT NULL                     -- when it was made
) STRICT, WITHOUT ROWID;
-- At most one key is without a successor.
CREATE UNIQUE INDEX signing_key_latest ON signing_key (verifies_until IS NULL)
    WHERE verifies_until IS NULL;
