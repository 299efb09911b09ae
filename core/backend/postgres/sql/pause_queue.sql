-- Lets nothing be claimed from a queue, and notes who wants it. One that is paused already is left as it is.
-- $1 queue, $2 actor
WITH changed AS (
    INSERT INTO stent.queues AS q (name, paused, paused_at, paused_by) VALUES ($1, true, clock_timestamp(), $2)
    ON CONFLICT (name) DO UPDATE SET paused = true, paused_at = excluded.paused_at, paused_by = excluded.paused_by WHERE NOT q.paused
    RETURNING name, paused_at
)
INSERT INTO stent.audit (at, actor, action, execution_id, seq, subject, detail)
SELECT paused_at, $2, 'pause_queue', '', 0, name, '' FROM changed;
