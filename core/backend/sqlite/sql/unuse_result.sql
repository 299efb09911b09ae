-- An activity runs itself.
DELETE FROM results_used WHERE execution_id = :execution_id AND seq = :seq;
