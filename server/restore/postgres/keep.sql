-- Every live batch stays, and its owner is told and asked for a new one.
INSERT INTO event (account_id, kind, at, actor, generation, remaining, detail)
SELECT a.id, r.kept, r.at, 'administrator', b.generation, b.total - b.used, 'a backup was restored'
FROM restoring AS r CROSS JOIN batch AS b JOIN account AS a ON a.n = b.account_n
WHERE b.state = 1 ORDER BY a.n;
INSERT INTO outbox (event_id) SELECT e.id FROM event AS e, restoring AS r WHERE e.id > r.last_event;
UPDATE batch SET kept_at = (SELECT at FROM restoring), reminded_until = NULL WHERE state = 1;
