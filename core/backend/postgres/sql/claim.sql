-- Leases what is due to a worker, in the order of the contract. parts/claim_take.sql is the second part of the statement.
--
-- Tasks of one queue, name, priority and set of tags are a lane, and alike to a claim. A claim walks from lane to lane by one index
-- lookup each, so that a million tasks which it must leave cost no more than one. It looks at the first of each lane
-- without locking, to know how many to take from which; then takes that many that no other claim is taking.
--
-- $1 the worker, $2 queues, $3 names of workflows and activities, $4 tags, $5 most, $6 activities with a limit, $7 their
-- limits
WITH RECURSIVE open AS MATERIALIZED (
    SELECT q.queue
    FROM unnest($2::text[]) AS q (queue)
    WHERE NOT EXISTS (SELECT FROM stent.queues AS p WHERE p.name = q.queue AND p.paused)
      AND EXISTS (SELECT FROM stent.workers AS w WHERE w.n = $1 AND w.ended_at IS NULL)
), free AS MATERIALIZED (
    SELECT l.step, greatest(l.most - (SELECT count(*) FROM stent.tasks AS t WHERE t.step = l.step AND t.claimed_by IS NOT NULL), 0) AS n
    FROM unnest($6::text[], $7::integer[]) AS l (step, most)
    WHERE l.step = ANY (coalesce(nullif(current_setting('stent_claim.locked', true), ''), '{}')::text[])
), execution_lanes (queue, step, tags, rank, due_at) AS (
    SELECT l.*
    FROM open AS o CROSS JOIN LATERAL (
        SELECT e.queue, e.workflow, e.tags, e.rank, e.due_at FROM stent.executions AS e
        WHERE e.due_at IS NOT NULL AND e.queue = o.queue
        ORDER BY e.workflow, e.tags, e.rank, e.due_at LIMIT 1) AS l
    UNION ALL
    SELECT l.*
    FROM execution_lanes AS b CROSS JOIN LATERAL (
        SELECT e.queue, e.workflow, e.tags, e.rank, e.due_at FROM stent.executions AS e
        WHERE e.due_at IS NOT NULL AND e.queue = b.queue AND (e.workflow, e.tags, e.rank) > (b.step, b.tags, b.rank)
        ORDER BY e.workflow, e.tags, e.rank, e.due_at LIMIT 1) AS l
), task_lanes (queue, step, tags, rank, due_at) AS (
    SELECT l.*
    FROM open AS o CROSS JOIN LATERAL (
        SELECT t.queue, t.step, t.tags, t.rank, t.due_at FROM stent.tasks AS t
        WHERE t.due_at IS NOT NULL AND t.queue = o.queue
        ORDER BY t.step, t.tags, t.rank, t.due_at LIMIT 1) AS l
    UNION ALL
    SELECT l.*
    FROM task_lanes AS b CROSS JOIN LATERAL (
        SELECT t.queue, t.step, t.tags, t.rank, t.due_at FROM stent.tasks AS t
        WHERE t.due_at IS NOT NULL AND t.queue = b.queue AND (t.step, t.tags, t.rank) > (b.step, b.tags, b.rank)
        ORDER BY t.step, t.tags, t.rank, t.due_at LIMIT 1) AS l
), lanes AS MATERIALIZED (
    SELECT l.*, false AS limited, $5 + 1 AS most, true AS root FROM execution_lanes AS l
    WHERE l.step = ANY ($3::text[]) AND (l.tags = '' OR nullif(l.tags, '')::text[] && $4::text[])
    UNION ALL
    SELECT l.*, l.step = ANY ($6), CASE WHEN l.step = ANY ($6) THEN least(f.n, $5 + 1) ELSE $5 + 1 END, false
    FROM task_lanes AS l LEFT JOIN free AS f ON f.step = l.step
    WHERE l.step = ANY ($3) AND (l.tags = '' OR nullif(l.tags, '')::text[] && $4)
), eligible AS MATERIALIZED (
    SELECT *
    FROM (SELECT c.*, row_number() OVER (PARTITION BY c.limited, c.step ORDER BY c.rank, c.due) AS nth
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
                    ORDER BY t.due_at LIMIT coalesce(l.most, 0)) AS d
                WHERE NOT l.root) AS c) AS n
    WHERE NOT n.limited OR n.nth <= (SELECT f.n FROM free AS f WHERE f.step = n.step)
    ORDER BY n.rank, n.due
    LIMIT $5 + 1
-- include parts/claim_take.sql
