-- Every live batch ends, and its owner is told.
INSERT INTO event (account_id, kind, at, actor, generation, detail)
SELECT a.id, r.ended, r.at, 'administrator', b.generation, 'a backup was restored'
FROM restoring AS r CROSS JOIN batch AS b JOIN account AS a ON a.n = b.account_n
WHERE b.state = 1 ORDER BY a.n;
INSERT INTO outbox (event_id) SELECT e.id FROM event AS e, restoring AS r WHERE e.id > r.last_event;
UPDATE batch SET state = 3, ended_at = (SELECT at FROM restoring),
                 seed = NULL, holder = NULL, seed_until = NULL
WHERE state = 1;
