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
SELECT setval(pg_get_serial_sequence('spare_key.account', 'n'),
              (SELECT coalesce(max(n), 0) FROM account) + 1000000),
       setval(pg_get_serial_sequence('spare_key.totp', 'n'),
              (SELECT coalesce(max(n), 0) FROM totp) + 1000000),
       setval(pg_get_serial_sequence('spare_key.api_key', 'n'),
              (SELECT coalesce(max(n), 0) FROM api_key) + 1000000),
       setval(pg_get_serial_sequence('spare_key.event', 'id'),
              (SELECT coalesce(max(id), 0) FROM event) + 1000000);
