-- Lets tasks be claimed from a queue again, and notes who wants it.
-- $1 queue, $2 actor
WITH changed AS (
    DELETE FROM stent.queues WHERE name = $1 AND paused RETURNING name
)
INSERT INTO stent.audit (at, actor, action, execution_id, seq, subject, detail)
SELECT clock_timestamp(), $2, 'resume_queue', '', 0, name, '' FROM changed;
