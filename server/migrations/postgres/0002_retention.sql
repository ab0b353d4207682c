-- What is kept and for how long: used codes lose salt and digest, restores of backups are on record,
-- and an administrator's own name can be found in the audit trail when their account goes.

-- A used code keeps its number, so that it can be crossed out, and its locator, so that the trail can
-- tell a used code from a wrong one: 16 bits under the keyring of a code that is worth nothing now.
ALTER TABLE code
    ALTER COLUMN salt DROP NOT NULL,                    -- 16 random bytes; null once used
    ALTER COLUMN digest DROP NOT NULL;                  -- 32 bytes of Argon2id; null once used
UPDATE code SET salt = NULL, digest = NULL WHERE used_at IS NOT NULL;
ALTER TABLE code ADD CHECK (
    (used_at IS NULL) = (digest IS NOT NULL) AND (salt IS NULL) = (digest IS NULL));

-- When a restore of an older backup left this batch live: some of its codes may have been used
-- since, and its owner is asked for a new one. Null: none did.
ALTER TABLE batch ADD COLUMN kept_at bigint;

-- Restores of backups.
CREATE TABLE restored (
    n         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- its number
    at        bigint NOT NULL,                          -- when
    taken_at  bigint,                                   -- when the backup was taken; null: unknown
    codes     text NOT NULL,                            -- what became of live codes: end, keep, or
                                                        -- spent-from
    floor     bigint NOT NULL                           -- accounts that come into being later count
                                                        -- their batches on from this number
);

-- For the removal of an administrator's account; holds what administrators did on the pages only.
CREATE INDEX event_by_appointed ON event (actor) WHERE substr(actor, 1, 14) = 'administrator:';
