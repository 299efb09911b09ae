-- The custom state of an execution.
-- $1 id
SELECT name, value FROM stent.custom_state WHERE execution_id = $1 ORDER BY name;
