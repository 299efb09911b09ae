-- Leases what is due to a worker in lanes that are known, each from a moment on, as claim.sql does in all lanes.
-- parts/claim_take.sql is the second part of the statement; claim_lane_executions.sql and claim_lane_tasks.sql are for one lane.
--
-- What claims took before stays in the index until the table is vacuumed. To find where each lane begins, claim.sql walks
-- over all of that; this statement is for a queue that is worked off, where it would be more with each claim.
--
-- $1 the worker; of the lanes: $2 queues, $3 names of workflows and activities, $4 tags, $6 ranks, $7 since when, $8 whether
-- they are of executions; $5 most
WITH lanes AS MATERIALIZED (
    SELECT u.*, false AS limited, $5 + 1 AS most
    FROM unnest($2::text[], $3::text[], $4::text[], $6::integer[], $7::timestamptz[], $8::boolean[]) AS u (queue, step, tags, rank, due_at, root)
    WHERE NOT EXISTS (SELECT FROM stent.queues AS p WHERE p.name = u.queue AND p.paused)
      AND EXISTS (SELECT FROM stent.workers AS w WHERE w.n = $1 AND w.ended_at IS NULL)
), eligible AS MATERIALIZED (
    SELECT c.*
    FROM (SELECT l.*, d.due_at AS due
          FROM lanes AS l CROSS JOIN LATERAL (
              SELECT e.due_at FROM stent.executions AS e
              WHERE e.due_at IS NOT NULL AND e.queue = l.queue AND e.workflow = l.step AND e.tags = l.tags AND e.rank = l.rank
                AND e.due_at >= l.due_at AND e.due_at <= statement_timestamp()
              ORDER BY e.due_at LIMIT l.most) AS d
          WHERE l.root
          UNION ALL
          SELECT l.*, d.due_at
          FROM lanes AS l CROSS JOIN LATERAL (
              SELECT t.due_at FROM stent.tasks AS t
              WHERE t.due_at IS NOT NULL AND t.queue = l.queue AND t.step = l.step AND t.tags = l.tags AND t.rank = l.rank
                AND t.due_at >= l.due_at AND t.due_at <= statement_timestamp()
              ORDER BY t.due_at LIMIT l.most) AS d
          WHERE NOT l.root) AS c
    ORDER BY c.rank, c.due
    LIMIT $5 + 1
-- include parts/claim_take.sql
