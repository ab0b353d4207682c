-- Codes as they stand in the other database (the tables past_…): whatever was used, ended or removed
-- in either of the two is so afterwards, and what was issued since the backup is taken over.

-- Who was removed there, or removed and made anew.
DELETE FROM event WHERE account_id IN (SELECT a.id FROM account AS a WHERE NOT EXISTS (
    SELECT 1 FROM past_account AS p WHERE p.account = a.id AND p.created_at = a.created_at));
DELETE FROM throttle WHERE account_id IN (SELECT a.id FROM account AS a WHERE NOT EXISTS (
    SELECT 1 FROM past_account AS p WHERE p.account = a.id AND p.created_at = a.created_at));
DELETE FROM account WHERE NOT EXISTS (SELECT 1 FROM past_account AS p
    WHERE p.account = account.id AND p.created_at = account.created_at);

-- Codes that were used there.
UPDATE code SET used_at = p.used_at, salt = NULL, digest = NULL
FROM past_code AS p JOIN account AS a ON a.id = p.account
WHERE code.account_n = a.n AND code.generation = p.generation AND code.number = p.number
  AND p.used_at IS NOT NULL AND code.used_at IS NULL;

-- Batches that ended there; those that nothing is known of there end too.
UPDATE batch SET state = p.state, ended_at = p.ended_at, used = max(batch.used, p.used),
                 seed = NULL, holder = NULL, seed_until = NULL
FROM past_batch AS p JOIN account AS a ON a.id = p.account
WHERE batch.account_n = a.n AND batch.generation = p.generation AND batch.state IN (0, 1)
  AND p.state IN (2, 3, 4);
UPDATE batch SET state = 3, ended_at = (SELECT at FROM restoring),
                 seed = NULL, holder = NULL, seed_until = NULL
WHERE state = 1 AND NOT EXISTS (
    SELECT 1 FROM past_batch AS p JOIN account AS a ON a.id = p.account
    WHERE a.n = batch.account_n AND p.generation = batch.generation AND p.state = 1);
-- Pending ones that went live there.
UPDATE batch SET state = 1, activated_at = p.activated_at,
                 seed = NULL, holder = NULL, seed_until = NULL
FROM past_batch AS p JOIN account AS a ON a.id = p.account
WHERE batch.account_n = a.n AND batch.generation = p.generation AND batch.state = 0
  AND p.state = 1;

-- Batches that were issued since, with how imported ones are read.
INSERT INTO batch (account_n, generation, state, format, memory_kib, passes, lanes, key_id, total,
                   used, issued_at, activated_at, ended_at, reminded_until, origin, letters,
                   separators)
SELECT a.n, p.generation, iif(p.state = 0, 4, p.state), p.format, p.memory_kib, p.passes, p.lanes,
       p.key_id, p.total, p.used, p.issued_at, p.activated_at,
       iif(p.state = 0, (SELECT at FROM restoring), p.ended_at), p.reminded_until, p.origin,
       p.letters, p.separators
FROM past_batch AS p JOIN account AS a ON a.id = p.account
WHERE p.generation > a.last_generation;
INSERT INTO code (account_n, generation, number, locator, salt, digest, used_at, recipe)
SELECT a.n, p.generation, p.number, p.locator, iif(p.used_at IS NULL, unhex(p.salt), NULL),
       iif(p.used_at IS NULL, unhex(p.digest), NULL), p.used_at, p.recipe
FROM past_code AS p JOIN account AS a ON a.id = p.account
JOIN batch AS b ON b.account_n = a.n AND b.generation = p.generation AND b.state = 1
WHERE p.generation > a.last_generation;
UPDATE batch SET used = (SELECT count(*) FROM code AS c
    WHERE c.account_n = batch.account_n AND c.generation = batch.generation
      AND c.used_at IS NOT NULL)
WHERE state = 1;

-- Authenticators are those that are bound there.
DELETE FROM totp;
INSERT INTO totp (n, account_n, id, name, secret, begun_at, confirmed_at, last_step, last_used_at)
SELECT p.n, a.n, p.id, p.name, unhex(p.secret), p.begun_at, p.confirmed_at, p.last_step,
       p.last_used_at
FROM past_totp AS p JOIN account AS a ON a.id = p.account;

-- Passwords, resets, offices and numbers are those of there.
UPDATE account SET
    last_generation = max(account.last_generation, p.last_generation),
    last_redeemed_at = p.last_redeemed_at, reset_at = p.reset_at,
    administrator = p.administrator, password_memory_kib = p.password_memory_kib,
    password_passes = p.password_passes, password_lanes = p.password_lanes,
    password_key = p.password_key, password_salt = unhex(p.password_salt),
    password_digest = unhex(p.password_digest)
FROM past_account AS p WHERE p.account = account.id;

-- Who may call: what was removed there is removed, and secrets and rights are those of there.
DELETE FROM api_key WHERE hex(digest) NOT IN (SELECT upper(digest) FROM past_key);
DELETE FROM client WHERE id NOT IN (SELECT id FROM past_client);
UPDATE client SET secret = unhex(p.secret), scopes = p.scopes, grants = p.grants,
                  audiences = p.audiences, origins = p.origins
FROM past_client AS p WHERE p.id = client.id;

-- Guesses that were counted there stay counted.
INSERT INTO throttle (account_id, lane, failures, full_at, waits, retry_at)
SELECT account, lane, failures, full_at, waits, retry_at FROM past_throttle WHERE true
ON CONFLICT (account_id, lane) DO UPDATE SET failures = excluded.failures,
    full_at = excluded.full_at, waits = excluded.waits, retry_at = excluded.retry_at
WHERE excluded.failures > throttle.failures;
