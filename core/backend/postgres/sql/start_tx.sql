-- Begins an execution in a transaction of the program's own, unless it is there.
-- $1 id, $2 alias, $3 workflow, $4 queue, $5 rank, $6 tags, $7 policy, $8 input, $9 input hash, $10 microseconds until due,
-- $11 due at, $12 microseconds until the deadline or 0, $13 metadata, $14 carrier
WITH begun AS (
    INSERT INTO stent.executions (id, alias, workflow, queue, rank, tags, policy, input, input_hash, due_at, deadline_at, expires_at, metadata, carrier, created_at, state)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, nullif($9::bigint, 0), coalesce($11::timestamptz, c.now + $10::bigint * interval '1 microsecond'),
           CASE WHEN $12::bigint > 0 THEN c.now + $12::bigint * interval '1 microsecond' END,
           CASE WHEN $12::bigint > 0 THEN c.now + $12::bigint * interval '1 microsecond' END, $13::text::json, $14::text::json, c.now, 'pending'
    FROM (SELECT clock_timestamp() AS now) AS c
    ON CONFLICT (id) DO NOTHING
    RETURNING id
)
INSERT INTO stent.tallies (state, n) SELECT 'created', 1 FROM begun;
