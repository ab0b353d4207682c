-- What every restore does: nothing that was open when the backup was taken is open afterwards, and
-- no number is given a second time.
UPDATE batch SET state = 4, ended_at = (SELECT at FROM restoring),
                 seed = NULL, holder = NULL, seed_until = NULL
WHERE state = 0;
UPDATE batch SET seed = NULL, holder = NULL, seed_until = NULL WHERE seed IS NOT NULL;
DELETE FROM code WHERE NOT EXISTS (
    SELECT 1 FROM batch AS b
    WHERE b.account_n = code.account_n AND b.generation = code.generation AND b.state = 1);
DELETE FROM totp WHERE confirmed_at IS NULL;
DELETE FROM step_up;
DELETE FROM refresh;
DELETE FROM session;
DELETE FROM challenge;
DELETE FROM trusted_device;
DELETE FROM idempotency;
-- One that was taken out of use since would be trusted again. A new one is made when it is needed.
DELETE FROM signing_key;
UPDATE api_key SET factor_at = NULL;
UPDATE account SET last_generation = last_generation + (SELECT jump FROM restoring);
INSERT INTO restored (at, taken_at, codes, floor)
SELECT at, taken_at, codes, jump + (SELECT coalesce(max(floor), 0) FROM restored) FROM restoring;
UPDATE sqlite_sequence SET seq = seq + 1000000;
