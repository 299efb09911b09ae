-- Leases what is due to a worker, in the order of the contract.
--
-- Tasks of one queue, name, priority and set of tags are a lane, and alike to a claim. A claim walks from lane to lane by one index
-- lookup each, so that a million tasks which it must leave cost no more than one. It looks at the first of each lane
-- without locking, to know how many to take from which; then takes that many that no other claim is taking.
--
-- $1 the worker, $2 queues, $3 names of workflows and activities, $4 tags, $5 most, $6 activities with a limit, $7 their
-- limits
--
-- There is always a row. The first columns are of the claim: whether the worker may claim, how much is eligible (at most
-- one more than wanted), microseconds until more may be, the row of held, and which of the queues are paused. The others
-- are of a task.
WITH RECURSIVE moment AS MATERIALIZED (
    SELECT clock_timestamp() AS at
), open AS MATERIALIZED (
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
                      AND e.due_at <= (SELECT at FROM moment)
                    ORDER BY e.due_at LIMIT l.most) AS d
                WHERE l.root
                UNION ALL
                SELECT l.*, d.due_at
                FROM lanes AS l CROSS JOIN LATERAL (
                    SELECT t.due_at FROM stent.tasks AS t
                    WHERE t.due_at IS NOT NULL AND t.queue = l.queue AND t.step = l.step AND t.tags = l.tags AND t.rank = l.rank
                      AND t.due_at <= (SELECT at FROM moment)
                    ORDER BY t.due_at LIMIT coalesce(l.most, 0)) AS d
                WHERE NOT l.root) AS c) AS n
    WHERE NOT n.limited OR n.nth <= (SELECT f.n FROM free AS f WHERE f.step = n.step)
    ORDER BY n.rank, n.due
    LIMIT $5 + 1
), wanted AS MATERIALIZED (
    SELECT c.root, c.queue, c.step, c.tags, c.rank, count(*) AS n
    FROM (SELECT * FROM eligible ORDER BY rank, due LIMIT $5) AS c
    GROUP BY c.root, c.queue, c.step, c.tags, c.rank
), picked_executions AS (
    SELECT p.*
    FROM wanted AS w CROSS JOIN LATERAL (
        SELECT e.ctid AS at, e.due_at FROM stent.executions AS e
        WHERE e.due_at IS NOT NULL AND e.queue = w.queue AND e.workflow = w.step AND e.tags = w.tags AND e.rank = w.rank
          AND e.due_at <= (SELECT at FROM moment)
        ORDER BY e.due_at LIMIT w.n
        FOR NO KEY UPDATE SKIP LOCKED) AS p
    WHERE w.root
), picked_tasks AS (
    SELECT p.*
    FROM wanted AS w CROSS JOIN LATERAL (
        SELECT t.ctid AS at, t.due_at FROM stent.tasks AS t
        WHERE t.due_at IS NOT NULL AND t.queue = w.queue AND t.step = w.step AND t.tags = w.tags AND t.rank = w.rank
          AND t.due_at <= (SELECT at FROM moment)
        ORDER BY t.due_at LIMIT w.n
        FOR NO KEY UPDATE SKIP LOCKED) AS p
    WHERE NOT w.root
), claimed_executions AS (
    UPDATE stent.executions AS e
    SET state = 'running', due_at = NULL, worker = $1, token = e.token + 1, woken = NULL,
        started_at    = coalesce(e.started_at, (SELECT at FROM moment)),
        started_token = CASE WHEN e.started_at IS NULL THEN nullif(e.token + 1, 1) ELSE e.started_token END
    FROM picked_executions AS p
    WHERE e.ctid = p.at
    RETURNING e.*, p.due_at AS was_due
), claimed_tasks AS (
    UPDATE stent.tasks AS t
    SET state = 'running', due_at = NULL, worker = $1, claimed_by = $1, token = t.token + 1,
        created_at = coalesce(t.created_at, t.started_at), started_at = (SELECT at FROM moment), start_by = NULL
    FROM picked_tasks AS p
    WHERE t.ctid = p.at
    RETURNING t.*, p.due_at AS was_due
), journal AS (
    INSERT INTO stent.held (worker, executions) SELECT $1, array_agg(e.id) FROM claimed_executions AS e HAVING count(*) > 0 RETURNING n
), claimed AS (
    SELECT coalesce(e.alias, e.id::text) AS execution, 0 AS seq, NULL AS key, e.workflow AS step, e.workflow, e.queue, e.rank, nullif(e.tags, '')::text[], e.was_due,
           e.token, e.attempt, e.crashes, e.policy, e.input, e.input_hash, e.failure, e.created_at, e.started_at,
           e.cancel_requested_at IS NULL AND (e.token = 1 OR NOT EXISTS (SELECT FROM stent.tasks AS t WHERE t.execution_id = e.id))
           AND NOT EXISTS (SELECT FROM stent.signals AS s WHERE s.execution_id = e.id) AS fresh, e.metadata, e.carrier,
           coalesce(e.parent_alias, e.parent_id::text) || '.' || e.parent_seq AS parent, e.run, e.base, NULL::bytea AS detail,
           (extract(epoch FROM e.expires_at - (SELECT at FROM moment)) * 1000000)::bigint AS expiry
    FROM claimed_executions AS e
    UNION ALL
    SELECT coalesce(e.alias, e.id::text), t.seq, t.key, t.step, e.workflow, t.queue, t.rank, nullif(t.tags, '')::text[], t.was_due,
           t.token, t.attempt, t.crashes, t.policy, t.input, t.input_hash, t.failure, t.created_at, t.started_at, false, e.metadata, e.carrier, NULL, NULL, NULL, t.detail, NULL
    FROM claimed_tasks AS t JOIN stent.executions AS e ON e.id = t.execution_id
), later AS (
    SELECT CASE
               WHEN l.due_at > (SELECT at FROM moment) THEN l.due_at
               WHEN l.most IS NULL THEN (SELECT at FROM moment) + interval '5 milliseconds' -- another claim has the limit's lock
               WHEN l.root THEN (
                   SELECT min(e.due_at) FROM stent.executions AS e
                   WHERE e.due_at IS NOT NULL AND e.queue = l.queue AND e.workflow = l.step AND e.tags = l.tags AND e.rank = l.rank AND e.due_at > (SELECT at FROM moment))
               ELSE (
                   SELECT min(t.due_at) FROM stent.tasks AS t
                   WHERE t.due_at IS NOT NULL AND t.queue = l.queue AND t.step = l.step AND t.tags = l.tags AND t.rank = l.rank AND t.due_at > (SELECT at FROM moment))
           END AS at
    FROM lanes AS l
)
SELECT EXISTS (SELECT FROM stent.workers AS w WHERE w.n = $1 AND w.ended_at IS NULL) AS alive,
       (SELECT count(*) FROM eligible) AS eligible,
       (SELECT (extract(epoch FROM min(l.at) - (SELECT at FROM moment)) * 1000000)::bigint FROM later AS l) AS next_due,
       (SELECT n FROM journal) AS journal,
       (SELECT array_agg(p.name) FROM stent.queues AS p WHERE p.name = ANY ($2) AND p.paused) AS paused,
       c.*
FROM (SELECT) AS always LEFT JOIN claimed AS c ON true;
