-- Adds entries to histories. An activity that begins at once is on the worker's lease, and was created as it started. Those
-- for queues are each due a microsecond before the next, so that they stay in order.
-- $1 execution, $2 place, $3 key, $4 kind, $5 step, $6 queue, $7 rank, $8 tags, $9 policy, $10 input, $11 input hash,
-- $12 state, $13 microseconds until due or until it fires, $14 result, $15 the worker, $16 microseconds for which it may be due, or 0
INSERT INTO stent.tasks (execution_id, seq, key, kind, step, queue, rank, tags, policy, input, input_hash, state, token, worker,
                         created_at, started_at, due_at, fires_at, finished_at, result,
                         start_within, start_by)
SELECT u.execution_id, u.seq, u.key, u.kind::stent.kind, u.step, u.queue,
       CASE WHEN u.state = 'pending' THEN u.rank ELSE nullif(u.rank, 0) END,
       u.tags, u.policy, u.input, nullif(u.input_hash, 0), u.state::stent.state,
       CASE WHEN u.state = 'running' THEN 1 ELSE 0 END,
       CASE WHEN u.state = 'running' THEN $15::integer END,
       CASE WHEN u.state <> 'running' THEN now() - u.ahead * interval '1 microsecond' END,
       CASE WHEN u.state = 'running' THEN now() END,
       CASE WHEN u.state = 'pending' THEN now() + (u.delay - u.ahead) * interval '1 microsecond' END,
       CASE WHEN u.state = 'waiting' AND u.delay >= 0 THEN now() + (u.delay - u.ahead) * interval '1 microsecond' END,
       CASE WHEN u.state NOT IN ('pending', 'running', 'waiting') THEN now() END,
       u.result, nullif(u.within, 0),
       CASE WHEN u.state = 'pending' AND u.within > 0 THEN now() + (u.delay - u.ahead + u.within) * interval '1 microsecond' END
FROM (SELECT *, cardinality($1) - place AS ahead
      FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::integer[], $8::text[], $9::bytea[],
                  $10::bytea[], $11::bigint[], $12::text[], $13::bigint[], $14::bytea[], $16::bigint[]) WITH ORDINALITY
           AS p (execution_id, seq, key, kind, step, queue, rank, tags, policy, input, input_hash, state, delay, result, within, place)
      ORDER BY place) AS u;
