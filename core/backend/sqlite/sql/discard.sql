-- Removes a dead letter.
DELETE FROM dead_letters WHERE execution_id = :execution_id AND seq = :seq;
