-- The second part of claim.sql and of claim_known.sql: takes what they have found to be eligible.
--
-- There is always a row. The first columns are of the claim: whether the worker may claim, how much is eligible (at most
-- one more than wanted), microseconds until more may be, the row of held, which of the queues are paused, and the lanes, where
-- tasks are left and they are few. The others are of a task.
), wanted AS MATERIALIZED (
    SELECT c.root, c.queue, c.step, c.tags, c.rank, c.due_at, count(*) AS n
    FROM (SELECT * FROM eligible ORDER BY rank, due LIMIT $5) AS c
    GROUP BY c.root, c.queue, c.step, c.tags, c.rank, c.due_at
    UNION ALL
    SELECT l.root, l.queue, l.step, l.tags, l.rank, l.due_at, $5 FROM lanes AS l WHERE (SELECT lane FROM single)
), picked_executions AS (
    SELECT p.*
    FROM wanted AS w CROSS JOIN LATERAL (
        SELECT e.ctid AS at, e.due_at FROM stent.executions AS e
        WHERE e.due_at IS NOT NULL AND e.queue = w.queue AND e.workflow = w.step AND e.tags = w.tags AND e.rank = w.rank
          AND e.due_at >= w.due_at AND e.due_at <= (SELECT at FROM moment)
        ORDER BY e.due_at LIMIT w.n
        FOR NO KEY UPDATE SKIP LOCKED) AS p
    WHERE w.root
), picked_tasks AS (
    SELECT p.*
    FROM wanted AS w CROSS JOIN LATERAL (
        SELECT t.ctid AS at, t.due_at FROM stent.tasks AS t
        WHERE t.due_at IS NOT NULL AND t.queue = w.queue AND t.step = w.step AND t.tags = w.tags AND t.rank = w.rank
          AND t.due_at >= w.due_at AND t.due_at <= (SELECT at FROM moment)
        ORDER BY t.due_at LIMIT w.n
        FOR NO KEY UPDATE SKIP LOCKED) AS p
    WHERE NOT w.root
), picked AS MATERIALIZED (
    SELECT due_at FROM picked_executions UNION ALL SELECT due_at FROM picked_tasks
), walked AS MATERIALIZED ( -- of a single lane: how many are picked, and of those since when it is looked at once more, for others
    SELECT p.n, CASE WHEN p.n = $5 THEN p.last END AS since,
           CASE WHEN p.n = $5 THEN (SELECT count(*) FROM picked AS l WHERE l.due_at = p.last) ELSE p.n END AS since_n
    FROM (SELECT count(*) AS n, max(due_at) AS last FROM picked) AS p
), found AS (
    SELECT CASE
               WHEN (SELECT lane FROM single) THEN k.n + (
                   SELECT (count(*) > k.since_n)::integer
                   FROM lanes AS l CROSS JOIN LATERAL (
                       SELECT FROM stent.executions AS e
                       WHERE e.due_at IS NOT NULL AND e.queue = l.queue AND e.workflow = l.step AND e.tags = l.tags AND e.rank = l.rank
                         AND e.due_at >= coalesce(k.since, l.due_at) AND e.due_at <= (SELECT at FROM moment)
                       LIMIT k.since_n + 1) AS d
                   WHERE l.root) + (
                   SELECT (count(*) > k.since_n)::integer
                   FROM lanes AS l CROSS JOIN LATERAL (
                       SELECT FROM stent.tasks AS t
                       WHERE t.due_at IS NOT NULL AND t.queue = l.queue AND t.step = l.step AND t.tags = l.tags AND t.rank = l.rank
                         AND t.due_at >= coalesce(k.since, l.due_at) AND t.due_at <= (SELECT at FROM moment)
                       LIMIT k.since_n + 1) AS d
                   WHERE NOT l.root)
               ELSE (SELECT count(*) FROM eligible)
           END AS n
    FROM walked AS k
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
       (SELECT n FROM found) AS eligible,
       (SELECT (extract(epoch FROM min(l.at) - (SELECT at FROM moment)) * 1000000)::bigint FROM later AS l) AS next_due,
       (SELECT n FROM journal) AS journal,
       (SELECT array_agg(p.name) FROM stent.queues AS p WHERE p.name = ANY ($2) AND p.paused) AS paused,
       (SELECT json_agg(json_build_object('queue', l.queue, 'step', l.step, 'tags', l.tags, 'rank', l.rank, 'since', l.due_at, 'root', l.root))
        FROM lanes AS l
        WHERE l.due_at <= (SELECT at FROM moment)
        HAVING count(*) <= 8 AND NOT bool_or(l.limited) AND (SELECT n FROM found) > $5)::text AS lanes,
       c.*
FROM (SELECT) AS always LEFT JOIN claimed AS c ON true;
