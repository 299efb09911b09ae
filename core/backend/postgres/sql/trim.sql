-- Deletes entries of histories that belong to former runs, with their failed attempts, but for those of dead letters; and
-- signals that former runs have consumed, when nobody can be sending them a second time any more. It tells where there
-- may be more.
-- $1 id, $2 the most entries of each
WITH gone AS (
    DELETE FROM stent.tasks
    WHERE ctid = ANY (ARRAY(
        SELECT o.at
        FROM unnest($1::uuid[]) AS u (id)
        JOIN stent.executions AS e ON e.id = u.id
        CROSS JOIN LATERAL (SELECT t.ctid AS at FROM stent.tasks AS t WHERE t.execution_id = e.id AND t.seq <= e.base ORDER BY t.seq LIMIT $2) AS o))
    RETURNING execution_id, seq
), failures AS (
    DELETE FROM stent.failures AS f
    USING gone AS g
    WHERE f.execution_id = g.execution_id AND f.seq = g.seq
      AND NOT EXISTS (SELECT FROM stent.dead_letters AS d WHERE d.execution_id = f.execution_id AND d.seq = f.seq)
), signals AS (
    DELETE FROM stent.signals AS s
    USING stent.executions AS e
    WHERE e.id = ANY ($1) AND s.execution_id = e.id AND s.consumed_by <= e.base AND s.sent_at < now() - interval '1 hour'
)
SELECT execution_id FROM gone GROUP BY execution_id HAVING count(*) = $2;
