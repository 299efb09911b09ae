-- Deletes executions that ended longer ago than they are kept, with all that belongs to them. What somebody else has locked
-- is left. Attempts of a dead letter stay with it.
-- $1 ids, $2 states, $3 microseconds that each is kept
WITH gone AS MATERIALIZED (
    DELETE FROM stent.executions AS e
    USING (SELECT d.id FROM stent.executions AS d
           WHERE d.id = ANY ($1::uuid[])
             AND d.finished_at < clock_timestamp() - ($3::bigint[])[array_position($2::text[], d.state::text)] * interval '1 microsecond'
           FOR UPDATE SKIP LOCKED) AS due
    WHERE e.id = due.id
    RETURNING e.id, coalesce(e.alias, e.id::text) AS name, e.state::text AS state
), gone_tasks AS (
    DELETE FROM stent.tasks AS t WHERE t.execution_id = ANY (ARRAY(SELECT id FROM gone)) RETURNING 1
), gone_signals AS (
    DELETE FROM stent.signals AS s WHERE s.execution_id = ANY (ARRAY(SELECT id FROM gone))
), gone_counters AS (
    DELETE FROM stent.counters AS c WHERE c.execution_id = ANY (ARRAY(SELECT id FROM gone))
), gone_state AS (
    DELETE FROM stent.custom_state AS c WHERE c.execution_id = ANY (ARRAY(SELECT id FROM gone))
), gone_results AS (
    DELETE FROM stent.results_used AS r WHERE r.execution_id = ANY (ARRAY(SELECT name FROM gone))
), gone_failures AS (
    DELETE FROM stent.failures AS f
    WHERE f.execution_id = ANY (ARRAY(SELECT id FROM gone))
      AND NOT EXISTS (SELECT FROM stent.dead_letters AS d WHERE d.execution_id = f.execution_id AND d.seq = f.seq)
), tallied AS (
    INSERT INTO stent.tallies (state, n)
    SELECT state, -count(*) FROM gone GROUP BY state
    UNION ALL
    SELECT 'created', -count(*) FROM gone HAVING count(*) > 0
)
SELECT state, count(*), (SELECT count(*) FROM gone_tasks) FROM gone GROUP BY state;
