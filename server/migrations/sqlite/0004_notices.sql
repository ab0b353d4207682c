-- How people are told: the outbox holds what they are to be told of, a notice one way to one address.

-- Where somebody is told of what happens, beside the address they sign in with.
CREATE TABLE address (
    account_n INTEGER NOT NULL REFERENCES account (n) ON DELETE CASCADE, -- whose
    mail      TEXT NOT NULL,                            -- where their mail goes
    removed_at INTEGER,                                 -- told of nothing after that; null: there
    PRIMARY KEY (account_n, mail)
) STRICT, WITHOUT ROWID;
CREATE INDEX address_removed ON address (removed_at) WHERE removed_at IS NOT NULL;

ALTER TABLE account ADD COLUMN language TEXT;           -- tag of the language they last chose on the
                                                        -- pages; null: nobody knows

-- One event on its way to one address.
CREATE TABLE notice (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,         -- its number
    event_id INTEGER NOT NULL REFERENCES event (id) ON DELETE CASCADE, -- what it tells of
    way      INTEGER NOT NULL CHECK (way IN (0, 1)),    -- 0 mail, 1 webhook
    address  TEXT NOT NULL,                             -- a mail address; empty for the webhook
    tries    INTEGER NOT NULL DEFAULT 0,                -- how often it was taken to be sent
    due_at   INTEGER NOT NULL,                          -- not to be taken before
    UNIQUE (event_id, way, address)
) STRICT;
CREATE INDEX notice_due ON notice (way, due_at);
