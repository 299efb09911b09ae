-- Deletes a schedule, and notes who wants it; what it began goes on.
-- $1 name, $2 actor, $3 action, $4 subject, $5 detail
WITH deleted AS (
    DELETE FROM stent.schedules WHERE name = $1 RETURNING name
)
INSERT INTO stent.audit (at, actor, action, execution_id, seq, subject, detail)
SELECT clock_timestamp(), $2, $3, '', 0, $4, $5 FROM deleted;
