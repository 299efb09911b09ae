-- What tells whether a second start means the same execution.
-- $1 id
SELECT id, workflow, coalesce(input_hash, 0) FROM stent.executions WHERE id = ANY ($1::uuid[]);
