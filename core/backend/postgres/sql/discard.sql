-- Removes a dead letter, and notes who did it and why.
-- $1 execution, $2 place, $3 the execution as text, $4 actor, $5 action, $6 detail
WITH gone AS (
    DELETE FROM stent.dead_letters WHERE execution_id = $1 AND seq = $2 RETURNING n
)
INSERT INTO stent.audit (at, actor, action, execution_id, seq, detail, letter)
SELECT now(), $4, $5, $3, $2, $6, n FROM gone;
