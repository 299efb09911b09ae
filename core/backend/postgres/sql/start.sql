-- Begins executions, but for those that are there; no two of the ids may be the same. One that another transaction is
-- beginning is a unique violation: ON CONFLICT would cost all others 48 bytes of log. Each is a microsecond older than the next, so that they stay in order.
-- $1 id, $2 alias, $3 workflow, $4 queue, $5 rank, $6 tags, $7 policy, $8 input, $9 input hash, $10 microseconds until due,
-- $11 due at, $12 microseconds until the deadline or 0, $13 metadata, $14 carrier, $15 whether the worker claims it, $16 the worker
WITH begun AS (
    INSERT INTO stent.executions (id, alias, created_at, input_hash, deadline_at, expires_at, rank, workflow, queue, tags, policy, metadata, carrier, input,
                                  due_at, state, token, worker, started_at)
    SELECT u.id, u.alias, now() - u.ahead * interval '1 microsecond', nullif(u.input_hash, 0),
           CASE WHEN u.lasts > 0 THEN now() + u.lasts * interval '1 microsecond' END,
           CASE WHEN u.lasts > 0 THEN now() + u.lasts * interval '1 microsecond' END,
           u.rank, u.workflow, u.queue, u.tags, u.policy, u.metadata::json, u.carrier::json, u.input,
           CASE WHEN NOT u.claimed THEN coalesce(u.at, now() + (u.delay - u.ahead) * interval '1 microsecond') END,
           CASE WHEN u.claimed THEN 'running'::stent.state ELSE 'pending' END, u.claimed::integer,
           CASE WHEN u.claimed THEN $16::integer END, CASE WHEN u.claimed THEN now() - u.ahead * interval '1 microsecond' END
    FROM (SELECT *, cardinality($1) - place AS ahead,
                 claims AND EXISTS (SELECT FROM stent.workers AS w WHERE w.n = $16 AND w.ended_at IS NULL)
                        AND (SELECT q.paused FROM stent.queues AS q WHERE q.name = p.queue) IS NOT TRUE AS claimed
          FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::bytea[], $8::bytea[], $9::bigint[],
                      $10::bigint[], $11::timestamptz[], $12::bigint[], $13::text[], $14::text[], $15::boolean[]) WITH ORDINALITY
               AS p (id, alias, workflow, queue, rank, tags, policy, input, input_hash, delay, at, lasts, metadata, carrier, claims, place)
          ORDER BY place) AS u
    WHERE NOT EXISTS (SELECT FROM stent.executions AS e WHERE e.id = u.id)
    RETURNING id, started_at
), tallied AS (
    INSERT INTO stent.tallies (state, n) SELECT 'created', count(*) FROM begun HAVING count(*) > 0
), journal AS (
    INSERT INTO stent.held (worker, executions) SELECT $16, array_agg(id) FROM begun WHERE started_at IS NOT NULL HAVING count(*) > 0 RETURNING n
)
SELECT id, started_at, (SELECT n FROM journal) FROM begun;
