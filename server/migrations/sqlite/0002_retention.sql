-- What is kept and for how long: used codes lose salt and digest, restores of backups are on record,
-- and an administrator's own name can be found in the audit trail when their account goes.

-- A used code keeps its number, so that it can be crossed out, and its locator, so that the trail can
-- tell a used code from a wrong one: 16 bits under the keyring of a code that is worth nothing now.
CREATE TABLE code_next (
    account_n  INTEGER NOT NULL,                        -- whose
    generation INTEGER NOT NULL,                        -- of which batch
    number     INTEGER NOT NULL,                        -- place on the sheet, from 1
    locator    INTEGER NOT NULL,                        -- 16-bit keyed tag, distinct in a batch
    salt       BLOB,                                    -- 16 random bytes; null once used
    digest     BLOB,                                    -- 32 bytes of Argon2id; null once used
    used_at    INTEGER,                                 -- when it was spent; null: unused
    CHECK ((used_at IS NULL) = (digest IS NOT NULL) AND (salt IS NULL) = (digest IS NULL)),
    PRIMARY KEY (account_n, generation, number),
    FOREIGN KEY (account_n, generation) REFERENCES batch (account_n, generation)
        ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO code_next (account_n, generation, number, locator, salt, digest, used_at)
SELECT account_n, generation, number, locator, iif(used_at IS NULL, salt, NULL),
       iif(used_at IS NULL, digest, NULL), used_at
FROM code;
DROP TABLE code;
ALTER TABLE code_next RENAME TO code;

-- When a restore of an older backup left this batch live: some of its codes may have been used
-- since, and its owner is asked for a new one. Null: none did.
ALTER TABLE batch ADD COLUMN kept_at INTEGER;

-- Restores of backups.
CREATE TABLE restored (
    n         INTEGER PRIMARY KEY AUTOINCREMENT,        -- its number
    at        INTEGER NOT NULL,                         -- when
    taken_at  INTEGER,                                  -- when the backup was taken; null: unknown
    codes     TEXT NOT NULL,                            -- what became of live codes: end, keep, or
                                                        -- spent-from
    floor     INTEGER NOT NULL                          -- accounts that come into being later count
                                                        -- their batches on from this number
) STRICT;

-- For the removal of an administrator's account; holds what administrators did on the pages only.
CREATE INDEX event_by_appointed ON event (actor) WHERE substr(actor, 1, 14) = 'administrator:';
