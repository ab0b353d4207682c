-- How people are told: the outbox holds what they are to be told of, a notice one way to one address.

-- Where somebody is told of what happens, beside the address they sign in with.
CREATE TABLE address (
    account_n bigint NOT NULL REFERENCES account (n) ON DELETE CASCADE, -- whose
    mail      text COLLATE "C" NOT NULL,                -- where their mail goes
    removed_at bigint,                                  -- told of nothing after that; null: there
    PRIMARY KEY (account_n, mail)
);
CREATE INDEX address_removed ON address (removed_at) WHERE removed_at IS NOT NULL;

ALTER TABLE account ADD COLUMN language text;           -- tag of the language they last chose on the
                                                        -- pages; null: nobody knows

-- One event on its way to one address.
CREATE TABLE notice (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- its number
    event_id bigint NOT NULL REFERENCES event (id) ON DELETE CASCADE, -- what it tells of
    way      smallint NOT NULL CHECK (way IN (0, 1)),   -- 0 mail, 1 webhook
    address  text COLLATE "C" NOT NULL,                 -- a mail address; empty for the webhook
    tries    bigint NOT NULL DEFAULT 0,                 -- how often it was taken to be sent
    due_at   bigint NOT NULL,                           -- not to be taken before
    UNIQUE (event_id, way, address)
);
CREATE INDEX notice_due ON notice (way, due_at);
