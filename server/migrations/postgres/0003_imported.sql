-- Codes that another system made. What their text becomes there is digested once more here, so no
-- digest of that system's is ever stored; null everywhere in batches of our own.

ALTER TABLE batch ADD COLUMN origin smallint            -- where its codes came from: 0 PHC strings,
    CHECK (origin BETWEEN 0 AND 3);                     -- 1 Keycloak, 2 Supabase, 3 plain text
ALTER TABLE batch ADD COLUMN letters smallint           -- how their letters are read: 0 as they
    CHECK (letters BETWEEN 0 AND 2);                    -- are, 1 as capitals, 2 as small ones
ALTER TABLE batch ADD COLUMN separators smallint        -- spaces and dashes in them: 0 count,
    CHECK (separators IN (0, 1));                       -- 1 left out
ALTER TABLE code ADD COLUMN recipe text;                -- how its origin digested it: algorithm,
                                                        -- cost and salt
