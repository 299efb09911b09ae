-- The counters of an execution.
-- $1 id
SELECT name, value FROM stent.counters WHERE execution_id = $1 ORDER BY name;
