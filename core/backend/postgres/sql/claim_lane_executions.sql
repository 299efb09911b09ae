-- Leases executions that are due to a worker in one lane, from a moment on: what claim_known.sql does, in a fraction of the time
-- that PostgreSQL takes to begin that statement. The columns are those of parts/claim_take.sql. Where as many as wanted are
-- taken, there is taken to be one more.
--
-- $1 the worker; of the lane: $2 queue, $3 name of the workflow, $4 tags, $6 rank, $7 since when; $5 most
WITH open AS MATERIALIZED (
    SELECT EXISTS (SELECT FROM stent.workers AS w WHERE w.n = $1 AND w.ended_at IS NULL) AS alive,
           EXISTS (SELECT FROM stent.queues AS p WHERE p.name = $2 AND p.paused) AS paused
), picked_executions AS (
    SELECT e.ctid AS at, e.due_at FROM stent.executions AS e
    WHERE (SELECT o.alive AND NOT o.paused FROM open AS o)
      AND e.due_at IS NOT NULL AND e.queue = $2 AND e.workflow = $3 AND e.tags = $4 AND e.rank = $6
      AND e.due_at >= $7 AND e.due_at <= statement_timestamp()
    ORDER BY e.due_at LIMIT $5
    FOR NO KEY UPDATE SKIP LOCKED
),
-- include parts/take_executions.sql
claimed AS (
-- include parts/taken_executions.sql
)
SELECT o.alive, n.picked + (n.picked = $5)::integer AS eligible, NULL::bigint AS next_due, (SELECT n FROM journal) AS journal,
       CASE WHEN o.paused THEN ARRAY[$2] END AS paused, CASE WHEN n.picked = $5 THEN '[]' END AS lanes, c.*
FROM open AS o CROSS JOIN (SELECT count(*) AS picked FROM picked_executions) AS n LEFT JOIN claimed AS c ON true;
