-- The first schema: accounts, authenticators, batches and their codes, challenges and sessions,
-- step-up tokens, trusted devices, API keys, throttles, the audit trail and its outbox, idempotency
-- keys, clients and what they hold, the tenant's switches, signing keys.
--
-- Times are milliseconds since 1970 (UTC). A digest of an opaque value is its SHA-256 (32 bytes).
-- "Sealed" is under the keyring, which is not in this database. Names and identifiers are compared
-- byte by byte (collation "C"), as the other adapter does, whatever the database's own collation.

-- Whose codes.
CREATE TABLE account (
    n                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- its number, never used twice
    id                  text COLLATE "C" NOT NULL UNIQUE, -- the caller's own identifier
    uuid                uuid NOT NULL UNIQUE,           -- made of it, for those who want a UUID
    login               text COLLATE "C" UNIQUE,        -- what the person signs in with, folded
    issuer              text COLLATE "C",               -- the identity provider it lives at; null:
                                                        -- here, or behind a host
    password_memory_kib bigint,                         -- Argon2id of the password: memory
    password_passes     bigint,                         -- … passes
    password_lanes      bigint,                         -- … lanes
    password_key        bigint,                         -- keyring key that was its pepper
    password_salt       bytea,                          -- 16 random bytes
    password_digest     bytea,                          -- 32 bytes; null: no password lives here
    last_generation     bigint NOT NULL DEFAULT 0,      -- highest batch number ever given
    last_redeemed_at    bigint,                         -- latest redemption in any generation
    grace_from          bigint,                         -- since when it is let in without a
                                                        -- factor that it should enroll
    reset_at            bigint,                         -- when its factors were last taken from it
    administrator       boolean NOT NULL DEFAULT false, -- true: it may administer the others
    created_at          bigint NOT NULL                 -- when it came into being
);

-- Time-based one-time password authenticators, pending and bound.
CREATE TABLE totp (
    n            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- its number, never used twice
    account_n    bigint NOT NULL REFERENCES account (n) ON DELETE CASCADE, -- whose
    id           text COLLATE "C" NOT NULL,             -- public name
    name         text,                                  -- what its owner calls it
    secret       bytea NOT NULL,                        -- sealed; empty once lapsed
    holder       bytea,                                 -- pending: digest of who may confirm it
    expires_at   bigint,                                -- pending: when it lapses
    tries        bigint NOT NULL DEFAULT 0,             -- pending: first passwords that were tried
    begun_at     bigint NOT NULL,                       -- when it was drawn
    confirmed_at bigint,                                -- when it was bound; null: pending
    last_step    bigint,                                -- bound: last time step accepted
    last_used_at bigint,                                -- bound: when one was last accepted
    UNIQUE (account_n, id)
);
-- An authenticator is also asked for by its name alone.
CREATE UNIQUE INDEX totp_by_id ON totp (id);
-- For the sweep; holds pending ones only.
CREATE INDEX totp_lapses ON totp (expires_at) WHERE confirmed_at IS NULL;

-- Codes issued together. A row outlives its codes: it is the record of what was ever bound.
CREATE TABLE batch (
    account_n    bigint NOT NULL REFERENCES account (n) ON DELETE CASCADE, -- whose
    generation   bigint NOT NULL CHECK (generation > 0), -- its number, never used twice
    state        smallint NOT NULL CHECK (state BETWEEN 0 AND 4), -- 0 pending, 1 active,
                                                        -- 2 superseded, 3 revoked, 4 lapsed
    format       smallint NOT NULL CHECK (format IN (0, 1)), -- 0 list, 1 single
    memory_kib   bigint NOT NULL,                       -- Argon2id of its codes: memory
    passes       bigint NOT NULL,                       -- … passes
    lanes        bigint NOT NULL,                       -- … lanes
    key_id       bigint NOT NULL,                       -- keyring key of pepper and locators
    total        bigint NOT NULL,                       -- codes issued
    used         bigint NOT NULL DEFAULT 0,             -- codes spent
    issued_at    bigint NOT NULL,                       -- when it was drawn
    activated_at bigint,                                -- when it became live; null: never
    ended_at     bigint,                                -- when it stopped being pending or live
    reminded_until bigint,                              -- when its owner would hear no more of how
                                                        -- few are left
    holder       bytea,                                 -- digest of who may see it again
    seed         bytea,                                 -- sealed; null once erased
    seed_until   bigint,                                -- when the seed (a pending batch) lapses
    CHECK (used BETWEEN 0 AND total),
    CHECK (state <> 0 OR (holder IS NOT NULL AND seed IS NOT NULL AND seed_until IS NOT NULL)),
    CHECK (state < 2 OR seed IS NULL),
    PRIMARY KEY (account_n, generation)
);
CREATE UNIQUE INDEX batch_one_active ON batch (account_n) WHERE state = 1;
CREATE UNIQUE INDEX batch_one_pending ON batch (account_n) WHERE state = 0;
-- For the sweep; holds batches that can still be shown only.
CREATE INDEX batch_seeds ON batch (seed_until) WHERE seed IS NOT NULL;

-- The codes of pending and active batches; those of ended ones are erased.
CREATE TABLE code (
    account_n  bigint NOT NULL,                         -- whose
    generation bigint NOT NULL,                         -- of which batch
    number     bigint NOT NULL,                         -- place on the sheet, from 1
    locator    integer NOT NULL,                        -- 16-bit keyed tag, distinct in a batch
    salt       bytea NOT NULL,                          -- 16 random bytes
    digest     bytea NOT NULL,                          -- 32 bytes of Argon2id
    used_at    bigint,                                  -- when it was spent; null: unused
    PRIMARY KEY (account_n, generation, number),
    FOREIGN KEY (account_n, generation) REFERENCES batch (account_n, generation)
        ON DELETE CASCADE
);

-- Programs that call.
CREATE TABLE client (
    id         text COLLATE "C" PRIMARY KEY,            -- identifier
    name       text NOT NULL,                           -- a name for people
    secret     bytea,                                   -- digest of its secret; null: it can keep none
    scopes     text NOT NULL,                           -- what it may do, sorted, by spaces
    grants     text NOT NULL DEFAULT '',                -- how it gets tokens, sorted, by spaces
    audiences  text NOT NULL DEFAULT '',                -- other APIs it gets tokens for, by spaces
    origins    text NOT NULL DEFAULT '',                -- web origins it calls from, by spaces
    created_at bigint NOT NULL                          -- when it was added
);

-- One open question to a person behind a proven first factor.
CREATE TABLE challenge (
    digest      bytea PRIMARY KEY,                      -- digest of the value the person holds
    account_n   bigint NOT NULL REFERENCES account (n) ON DELETE CASCADE, -- whose
    password_at bigint NOT NULL,                        -- when the first factor was proven
    factor_at   bigint,                                 -- when a second one was
    expires_at  bigint NOT NULL,                        -- when it ends
    spent_at    bigint,                                 -- when it yielded its session
    client_id   text COLLATE "C" REFERENCES client (id) ON DELETE CASCADE, -- the program that the
                                                        -- person signs in to; null: our pages
    audience    text,                                   -- … the API it asked for; null: none
    scope       text,                                   -- … and the scopes, by spaces
    door        smallint NOT NULL CHECK (door IN (0, 1, 2)), -- where it leads: 0 our pages,
                                                        -- 1 a program, 2 an access token
    tries       bigint NOT NULL DEFAULT 0,              -- answers tried, where they are counted
    CHECK ((door = 1) = (client_id IS NOT NULL))
);
CREATE INDEX challenge_of_account ON challenge (account_n);
CREATE INDEX challenge_ends ON challenge (expires_at);
CREATE INDEX challenge_of_client ON challenge (client_id) WHERE client_id IS NOT NULL;

-- Live sessions; an ended one is gone.
CREATE TABLE session (
    digest            bytea PRIMARY KEY,                -- digest of the value in the cookie
    account_n         bigint NOT NULL REFERENCES account (n) ON DELETE CASCADE, -- whose
    kind              smallint NOT NULL CHECK (kind BETWEEN 0 AND 4), -- 0 full, 1 recovery,
                                                        -- 2 carried, 3 bearer, 4 enroll only
    auth_time         bigint NOT NULL,                  -- when the person signed in
    factor_at         bigint,                           -- when an authenticator was last proven
    opened_generation bigint,                           -- the code that opened it: its batch
    opened_number     bigint,                           -- … and its place there
    seen_at           bigint NOT NULL,                  -- when it was last seen, to the minute
    expires_at        bigint NOT NULL,                  -- when it ends whatever happens
    client_id         text COLLATE "C" REFERENCES client (id) ON DELETE CASCADE -- the program that
                                                        -- holds tokens of it; null: a browser
);
CREATE INDEX session_of_account ON session (account_n);
CREATE INDEX session_ends ON session (expires_at);
CREATE INDEX session_of_client ON session (client_id) WHERE client_id IS NOT NULL;

-- Tokens for one change of factors or codes. A spent one is gone; all end with their session.
CREATE TABLE step_up (
    digest     bytea PRIMARY KEY,                       -- digest of the token
    session    bytea NOT NULL REFERENCES session (digest) ON DELETE CASCADE, -- made in which
    expires_at bigint NOT NULL                          -- when it ends
);
CREATE INDEX step_up_of_session ON step_up (session);
CREATE INDEX step_up_ends ON step_up (expires_at);

-- Devices whose sign-ins are not asked for a second factor.
CREATE TABLE trusted_device (
    digest       bytea PRIMARY KEY,                     -- digest of the value in its cookie
    account_n    bigint NOT NULL REFERENCES account (n) ON DELETE CASCADE, -- whose
    id           uuid NOT NULL,                         -- its public name
    label        text NOT NULL,                         -- what it said of itself
    ip           text,                                  -- from where
    created_at   bigint NOT NULL,                       -- since when it is trusted
    last_seen_at bigint NOT NULL,                       -- when it was last recognized
    expires_at   bigint NOT NULL                        -- until when it is trusted
);
CREATE INDEX trusted_device_of_account ON trusted_device (account_n);
CREATE INDEX trusted_device_ends ON trusted_device (expires_at);

-- API keys: a person's own programs carry them with every request.
CREATE TABLE api_key (
    n          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- its number, never used twice
    digest     bytea NOT NULL UNIQUE,                   -- digest of the key
    account_n  bigint NOT NULL REFERENCES account (n) ON DELETE CASCADE, -- whose
    name       text,                                    -- what its owner calls it
    factor_at  bigint,                                  -- when a factor was last proven with it
    created_at bigint NOT NULL                          -- when it was made
);
CREATE INDEX api_key_of_account ON api_key (account_n);

-- Refresh tokens. They end with their session.
CREATE TABLE refresh (
    digest      bytea PRIMARY KEY,                      -- digest of the token
    session     bytea NOT NULL REFERENCES session (digest) ON DELETE CASCADE, -- of which session
    audience    text,                                   -- the API it is good for; null: none
    scope       text NOT NULL,                          -- the scopes it is good for, by spaces
    replaced_at bigint                                  -- when its successor was given
);
CREATE INDEX refresh_of_session ON refresh (session);

-- Attempts that were not successes. No foreign key: an unknown account is throttled like any other.
CREATE TABLE throttle (
    account_id text COLLATE "C" NOT NULL,               -- whose, known or not
    lane       smallint NOT NULL CHECK (lane IN (0, 1, 2)), -- 0 recovery codes, 1 one-time passwords, 2 passwords
    failures   bigint NOT NULL,                         -- in a row, whatever time lies between
    full_at    bigint NOT NULL,                         -- when the bucket is full again
    waits      bigint NOT NULL,                         -- waits so far since it was last full
    retry_at   bigint NOT NULL,                         -- no attempt before this
    PRIMARY KEY (account_id, lane)
);
-- For the sweep; holds forgiven ones and passwords only, as the other counts are kept.
CREATE INDEX throttle_idle ON throttle (full_at) WHERE failures = 0 OR lane = 2;

-- The audit trail. No foreign key: refusals on unknown accounts are on record too.
CREATE TABLE event (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- its number, never used twice
    account_id text COLLATE "C" NOT NULL,               -- whose
    kind       text NOT NULL,                           -- what happened, by its stable name
    at         bigint NOT NULL,                         -- when
    actor      text NOT NULL,                           -- person, person:CLIENT (through it),
                                                        -- administrator, administrator:ACCOUNT,
                                                        -- client:ID
    generation bigint,                                  -- the batch it was about
    number     bigint,                                  -- the code's place in it
    remaining  bigint,                                  -- codes left afterwards
    detail     text,                                    -- a fixed word on the why
    ip         text                                     -- from where
);
CREATE INDEX event_of_account ON event (account_id, id);

-- Events the person has still to be told of.
CREATE TABLE outbox (
    event_id bigint PRIMARY KEY REFERENCES event (id) ON DELETE CASCADE -- which
);

-- Callers' idempotency keys. They outlive the seed, so that a replay after a redemption is known.
CREATE TABLE idempotency (
    key        bytea PRIMARY KEY,                       -- digest of caller and key
    request    bytea NOT NULL,                          -- digest of the request it came with
    account_n  bigint NOT NULL REFERENCES account (n) ON DELETE CASCADE, -- whose batch
    generation bigint NOT NULL,                         -- which batch it brought about; 0: none
    until      bigint NOT NULL                          -- until when it is remembered
);
CREATE INDEX idempotency_of_account ON idempotency (account_n);
CREATE INDEX idempotency_ends ON idempotency (until);

-- The tenant's switches, as set by those who run it. A switch that is not here stands as it began.
CREATE TABLE setting (
    name  text COLLATE "C" PRIMARY KEY,                 -- which
    value text NOT NULL                                 -- how it stands
);

-- Keys that tokens are signed with.
CREATE TABLE signing_key (
    id             text COLLATE "C" PRIMARY KEY,        -- its public name (kid)
    secret         bytea NOT NULL,                      -- the private key, sealed
    signs_from     bigint NOT NULL,                     -- from when it signs
    verifies_until bigint,                              -- until when it is published; null: while
                                                        -- nothing has taken its place
    created_at     bigint NOT NULL                      -- when it was made
);
-- At most one key is without a successor.
CREATE UNIQUE INDEX signing_key_latest ON signing_key ((verifies_until IS NULL))
    WHERE verifies_until IS NULL;
