-- The second part of claim.sql and of claim_known.sql: takes what they have found to be eligible.
--
-- There is always a row. The first columns are of the claim: whether the worker may claim, how much is eligible (at most
-- one more than wanted), microseconds until more may be, the row of held, which of the queues are paused, and the lanes, where
-- tasks are left and they are few. The others are of a task.
), wanted AS MATERIALIZED (
    SELECT c.root, c.queue, c.step, c.tags, c.rank, c.due_at, count(*) AS n
    FROM (SELECT * FROM eligible ORDER BY rank, due LIMIT $5) AS c
    GROUP BY c.root, c.queue, c.step, c.tags, c.rank, c.due_at
), picked_executions AS (
    SELECT p.*
    FROM wanted AS w CROSS JOIN LATERAL (
        SELECT e.ctid AS at, e.due_at FROM stent.executions AS e
        WHERE e.due_at IS NOT NULL AND e.queue = w.queue AND e.workflow = w.step AND e.tags = w.tags AND e.rank = w.rank
          AND e.due_at >= w.due_at AND e.due_at <= statement_timestamp()
        ORDER BY e.due_at LIMIT w.n
        FOR NO KEY UPDATE SKIP LOCKED) AS p
    WHERE w.root
), picked_tasks AS (
    SELECT p.*
    FROM wanted AS w CROSS JOIN LATERAL (
        SELECT t.ctid AS at, t.due_at FROM stent.tasks AS t
        WHERE t.due_at IS NOT NULL AND t.queue = w.queue AND t.step = w.step AND t.tags = w.tags AND t.rank = w.rank
          AND t.due_at >= w.due_at AND t.due_at <= statement_timestamp()
        ORDER BY t.due_at LIMIT w.n
        FOR NO KEY UPDATE SKIP LOCKED) AS p
    WHERE NOT w.root
),
-- include take_executions.sql
-- include take_tasks.sql
claimed AS (
-- include taken_executions.sql
UNION ALL
-- include taken_tasks.sql
), later AS (
    SELECT CASE
               WHEN l.due_at > statement_timestamp() THEN l.due_at
               WHEN l.most IS NULL THEN statement_timestamp() + interval '5 milliseconds' -- another claim has the limit's lock
               WHEN l.root THEN (
                   SELECT min(e.due_at) FROM stent.executions AS e
                   WHERE e.due_at IS NOT NULL AND e.queue = l.queue AND e.workflow = l.step AND e.tags = l.tags AND e.rank = l.rank AND e.due_at > statement_timestamp())
               ELSE (
                   SELECT min(t.due_at) FROM stent.tasks AS t
                   WHERE t.due_at IS NOT NULL AND t.queue = l.queue AND t.step = l.step AND t.tags = l.tags AND t.rank = l.rank AND t.due_at > statement_timestamp())
           END AS at
    FROM lanes AS l
)
SELECT EXISTS (SELECT FROM stent.workers AS w WHERE w.n = $1 AND w.ended_at IS NULL) AS alive,
       (SELECT count(*) FROM eligible) AS eligible,
       (SELECT (extract(epoch FROM min(l.at) - statement_timestamp()) * 1000000)::bigint FROM later AS l) AS next_due,
       (SELECT n FROM journal) AS journal,
       (SELECT array_agg(p.name) FROM stent.queues AS p WHERE p.name = ANY ($2) AND p.paused) AS paused,
       (SELECT json_agg(json_build_object('queue', l.queue, 'step', l.step, 'tags', l.tags, 'rank', l.rank, 'since', l.due_at, 'root', l.root))
        FROM lanes AS l
        WHERE l.due_at <= statement_timestamp()
        HAVING count(*) <= 8 AND NOT bool_or(l.limited) AND (SELECT count(*) FROM eligible) > $5)::text AS lanes,
       c.*
FROM (SELECT) AS always LEFT JOIN claimed AS c ON true;
