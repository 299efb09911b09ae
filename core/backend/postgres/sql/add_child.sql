-- Adds calls of workflows to histories and begins their executions. A call whose execution would have the id of another
-- one has failed, and its caller is woken. Each execution is a microsecond older than the next, so that they stay in order.
-- $1 the caller, $2 place, $3 key, $4 workflow, $5 queue, $6 rank, $7 tags, $8 policy, $9 input, $10 input hash, $11 id,
-- $12 alias, $13 whether it is detached, $14 microseconds until due, $15 due at, $16 microseconds until the deadline or 0,
-- $17 metadata, $18 carrier, $19 the caller's alias, $20 the failure of a call whose id is taken
WITH calls AS MATERIALIZED (
    SELECT *, cardinality($1) - place AS ahead
    FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::text[], $8::bytea[], $9::bytea[],
                $10::bigint[], $11::uuid[], $12::text[], $13::boolean[], $14::bigint[], $15::timestamptz[], $16::bigint[], $17::text[],
                $18::text[], $19::text[], $20::text[]) WITH ORDINALITY
         AS p (caller, seq, key, workflow, queue, rank, tags, policy, input, input_hash, id, alias, detached, delay, at, lasts, metadata,
               carrier, caller_alias, failure, place)
), begun AS (
    INSERT INTO stent.executions (id, alias, created_at, input_hash, deadline_at, expires_at, rank, workflow, queue, tags, policy, metadata, carrier,
                                  input, due_at, state, parent_id, parent_seq, parent_alias)
    SELECT c.id, c.alias, now() - c.ahead * interval '1 microsecond', nullif(c.input_hash, 0),
           CASE WHEN c.lasts > 0 THEN now() + c.lasts * interval '1 microsecond' END,
           CASE WHEN c.lasts > 0 THEN now() + c.lasts * interval '1 microsecond' END,
           c.rank, c.workflow, c.queue, c.tags, c.policy, c.metadata::json, c.carrier::json, c.input,
           coalesce(c.at, now() + (c.delay - c.ahead) * interval '1 microsecond'), 'pending', c.caller, c.seq, c.caller_alias
    FROM (SELECT * FROM (SELECT DISTINCT ON (id) * FROM calls ORDER BY id, place) AS firsts ORDER BY place) AS c
    WHERE NOT EXISTS (SELECT FROM stent.executions AS e WHERE e.id = c.id)
    RETURNING parent_id, parent_seq
), tallied AS (
    INSERT INTO stent.tallies (state, n) SELECT 'created', count(*) FROM begun HAVING count(*) > 0
), added AS (
    INSERT INTO stent.tasks (execution_id, seq, key, kind, step, queue, rank, tags, input_hash, state, token, created_at, finished_at, failure,
                             child_id, child_alias, detached)
    SELECT c.caller, c.seq, c.key, 'child', c.workflow, c.queue, nullif(c.rank, 0), c.tags, nullif(c.input_hash, 0),
           CASE WHEN c.taken THEN 'failed' ELSE 'waiting' END::stent.state, 0, now() - c.ahead * interval '1 microsecond',
           CASE WHEN c.taken THEN now() END, CASE WHEN c.taken THEN c.failure::json END, c.id, c.alias, nullif(c.detached, false)
    FROM (SELECT *, (caller, seq) NOT IN (SELECT parent_id, parent_seq FROM begun) AS taken FROM calls) AS c
    ORDER BY c.place
    RETURNING execution_id, state
)
UPDATE stent.executions AS e
SET woken = true, wakes = coalesce(e.wakes, 0) + 1
WHERE e.id = ANY (ARRAY(SELECT execution_id FROM added WHERE state = 'failed')) AND e.state = 'running';
