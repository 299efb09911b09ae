-- An activity runs itself.
-- $1 execution, $2 place
DELETE FROM stent.results_used WHERE execution_id = $1 AND seq = $2;
